"""Checks predictions of `cnn time --model --json`:  check_model.py SMALL H100 H200.

The limits of an H100 and an H200 are written down a second time here; so is the model, of which every launch
must take what its slowest part does."""
import json
import math
import sys

PROCESSORS, WARPS, LAUNCH, IN_FLIGHT = 132, 64, 1.5e-6, 4
FMA, L2, L1, MEMORY = 67e12, 5.5e12, 132 * 128 * 1.98e9, {"h100": 3.35e12, "h200": 4.8e12}
ISSUE = 132 * 4 * 1.98e9


def seconds(launch, fits, model):
    blocks, threads = launch["blocks"], launch["threads"]
    uneven = math.ceil(blocks / PROCESSORS) * PROCESSORS / blocks
    moved, fetched = launch["bytes_read"] + launch["bytes_written"], 32 * launch["sectors"]
    missing = launch["requests"] * min(1, moved / fetched) if fetched else 0
    waiting = max(missing * (0.2e-6 if fits else 0.6e-6), (launch["requests"] + launch["passes"]) * 0.02e-6)
    rates = {"fma": FMA, "tf32": 0.63 * 494e12, "bf16": 0.63 * 989e12}
    limits = {"operations": launch["operations"] / rates[launch["instruction"]] * uneven,
              "instructions": launch["instructions"] / ISSUE * uneven,
              "memory": 0 if fits else moved / MEMORY[model],
              "L2": launch["bytes_l2"] / L2,
              "L1": (fetched + 128 * launch["passes"]) / L1 * uneven,
              "waiting": waiting / (min(blocks * math.ceil(threads / 32), PROCESSORS * WARPS) * IN_FLIGHT)}
    bound = max(limits, key=limits.get)
    return LAUNCH + limits[bound], bound if limits[bound] >= LAUNCH else "launch"


def check(path):
    with open(path, encoding="utf-8") as file:
        line = json.load(file)
    gpu = line["gpu"]
    assert line["measured"] is False and line["arch"] == "sm_90", line
    assert gpu["model"] in MEMORY and line["gflop"] > 0, line
    print(line["model"], len(gpu["launches"]), "launches")
    total = 0
    for launch in gpu["launches"]:
        expected, bound = seconds(launch, line["model"] == "small", gpu["model"])
        assert math.isclose(launch["predicted_ms"], 1e3 * expected, rel_tol=1e-6), (launch, expected)
        assert launch["bound"] == bound, (launch, bound)
        assert launch["operations"] >= launch["flops"] and "ms" not in launch, launch
        assert launch["bytes_l2"] >= launch["bytes_written"], launch
        total += launch["predicted_ms"]
    assert math.isclose(total, gpu["predicted_ms"], rel_tol=1e-6), (total, gpu["predicted_ms"])
    floors = gpu["floors_ms"]
    assert math.isclose(floors["fma"], 1e12 * line["gflop"] / FMA, rel_tol=1e-6), line
    assert 0 < floors["fused"] <= floors["memory"], floors
    assert floors["fma"] < total and floors["memory"] < total and floors["launches"] < total, floors
    return gpu


def main():
    check(sys.argv[1])
    h100, h200 = (check(path) for path in sys.argv[2:])
    one, other = h100["floors_ms"], h200["floors_ms"]
    assert one["fma"] == other["fma"] and math.isclose(one["memory"] * 3.35, other["memory"] * 4.8), (one, other)
    assert h200["predicted_ms"] < h100["predicted_ms"]
    assert math.isclose(one["fused"] * 3.35, other["fused"] * 4.8), (one, other)
    print(f"a multiply-add floor of {one['fma']:.2f} ms, {one['tf32']:.2f} with tf32, {one['bf16']:.2f} with bf16")


main()
