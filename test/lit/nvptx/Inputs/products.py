#!/usr/bin/env python3
"""Inputs of products.mlir, and how much two results differ.

    products.py inputs NET.json OUT [--normal]   whole numbers from -4 to 4, which every instruction
                                                 multiplies exactly; or numbers of a normal distribution
    products.py error OUT EXPECTED LOW HIGH      the largest over all entries of the relative error (RMS)
                                                 is between LOW and HIGH
"""
import array
import json
import math
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "parity"))
import safetensors_stdlib as st  # noqa: E402


def make_inputs(manifest, out, normal):
    draw = random.Random(3)
    with open(manifest, encoding="utf-8") as file:
        entries = json.load(file)["entries"]
    tensors = {}
    for entry in entries:
        for buffer in entry["buffers"]:
            if buffer["role"] != "input":
                continue
            count = math.prod(buffer["shape"])
            numbers = array.array("f", (draw.gauss(0, 1) if normal else draw.randint(-4, 4) for _ in range(count)))
            tensors[f"{entry['name']}.{buffer['name']}"] = ("float32", tuple(buffer["shape"]), numbers.tobytes())
    st.write(out, tensors)


def main():
    if sys.argv[1] == "inputs":
        return make_inputs(sys.argv[2], sys.argv[3], "--normal" in sys.argv)
    results, expected = st.read(sys.argv[2]), st.read(sys.argv[3])
    worst = 0.0
    for name, tensor in expected.items():
        right, given = st.values(tensor), st.values(results[name])
        error = math.sqrt(sum((a - b) ** 2 for a, b in zip(given, right)) / sum(b * b for b in right))
        worst = max(worst, error)
        print(f"{name}: {error:.2e}")
    return 0 if float(sys.argv[4]) <= worst <= float(sys.argv[5]) else 1


if __name__ == "__main__":
    sys.exit(main())
