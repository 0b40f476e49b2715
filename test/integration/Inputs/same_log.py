"""same_log.py TOLERANCE A B: two logs of `cnn train --log` have the same losses, those of all steps and of
both sets of images at the end, relative to those of A."""
import json
import sys


def losses(path):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    steps = [(f"step {line['step']}", line["loss"]) for line in lines if line["kind"] == "step"]
    return steps + [(f"end, {key}", lines[-1][key]) for key in ("train_loss", "test_loss")]


tolerance, first, second = float(sys.argv[1]), losses(sys.argv[2]), losses(sys.argv[3])
for (name, a), (_, b) in zip(first, second, strict=True):
    if not abs(a - b) <= tolerance * abs(a):
        sys.exit(f"{name}: {a} against {b}")
print(len(first) - 2, "steps agree")
