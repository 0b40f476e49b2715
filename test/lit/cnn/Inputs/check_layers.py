"""Checks the lines of `cnn time --layers --json` against each other:  check_layers.py FILE."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    step = json.load(file)
lines = step["layers"]
kernels = [line for line in lines if "algorithm" in line and "part" not in line]
named = {line["name"]: line for line in lines if "part" not in line}

# Every multiply-add of the step is in one line, and a convolution's three passes do the same work.
assert abs(sum(line.get("gflop", 0) for line in kernels) / step["gflop"] - 1) < 1e-3, step["gflop"]
passes = [name for name in named if name.endswith(".data_grad") and "gflop" in named[name]]
assert len(passes) > 15, passes
for name in passes:
    layer = name.removesuffix(".data_grad")
    for other in (".forward", ".weight_grad"):
        assert named[layer + other]["gflop"] == named[name]["gflop"], name

# Sums: parts make their layer, layers all kernels.
for at, line in enumerate(lines):
    parts = []
    for part in lines[at + 1 :]:
        if "part" not in part:
            break
        parts.append(part)
    if "part" not in line and parts:
        assert abs(sum(part["ms"] for part in parts) - line["ms"]) < 1e-9, line
total = sum(line["ms"] for line in kernels)
assert abs(total - named["all kernels"]["ms"]) < 1e-9, total
assert [line["name"] for line in lines[-3:]] == ["all kernels", "waiting at barriers", "rest"]
assert named["waiting at barriers"]["ms"] > 0

# What a convolution is expected to take is within reach of what it takes.
assert all(line["ms"] > 0 for line in kernels)
for name in passes:
    line = named[name]
    assert 0.05 < line["predicted_ms"] / line["ms"] < 20, line
    percent = 100 * line["gflop"] / (line["ms"] / 1e3) / step["peak_gflops"]
    assert abs(percent - line["percent_of_peak"]) < 0.02 * percent, line
