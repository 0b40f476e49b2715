"""Checks a line of `cnn time --json`:  check_time.py MODE BATCH GFLOP FILE."""

import json
import sys

mode, batch, gflop, path = sys.argv[1:]
lines = open(path, encoding="utf-8").read().splitlines()
assert len(lines) == 1, lines
line = json.loads(lines[0])
keys = """system version model mode batch computed_batch device threads ms_min ms_median runs gflop percent_of_peak
          peak_gflops compile_s start_s rss_mb""".split()
assert list(line) == keys, list(line)
assert (line["system"], line["model"], line["mode"]) == ("cnnc", "small", mode), line
assert line["batch"] == line["computed_batch"] == int(batch) and line["runs"] >= 3 and line["device"] == "cpu" and line["rss_mb"] > 1, line
assert 0 < line["ms_min"] <= line["ms_median"], line
assert 0 < line["compile_s"] <= line["start_s"], line
assert line["gflop"] == float(gflop), line
percent = 100 * line["gflop"] / (line["ms_min"] / 1e3) / line["peak_gflops"]
assert abs(percent - line["percent_of_peak"]) <= 0.02 * percent + 0.1, (percent, line)
