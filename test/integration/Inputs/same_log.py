"""same_log.py TOLERANCE A B: two logs of `cnn train --log` have the same losses, relative to those of A."""
import json
import sys


def losses(path):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [line["loss"] for line in lines if line["kind"] == "step"]


tolerance, first, second = float(sys.argv[1]), losses(sys.argv[2]), losses(sys.argv[3])
for step, (a, b) in enumerate(zip(first, second, strict=True), 1):
    if not abs(a - b) <= tolerance * abs(a):
        sys.exit(f"step {step}: {a} against {b}")
print(len(first), "steps agree")
