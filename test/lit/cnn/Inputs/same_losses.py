"""same_losses.py TOLERANCE STEPS A.jsonl B.jsonl: the losses of two logs agree, relatively."""
import json
import sys


def losses(path):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [line["loss"] for line in lines if line["kind"] == "step"]


tolerance, steps = float(sys.argv[1]), int(sys.argv[2])
first, second = losses(sys.argv[3]), losses(sys.argv[4])
if len(first) != steps or len(second) != steps:
    sys.exit(f"{len(first)} and {len(second)} steps, expected {steps}")
for step, (a, b) in enumerate(zip(first, second), 1):
    if abs(a - b) > tolerance * abs(b):
        sys.exit(f"step {step}: {a} against {b}")
