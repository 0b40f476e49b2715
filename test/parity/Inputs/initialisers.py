#!/usr/bin/env python3
"""Compares what nets start from (cnn train --epochs 0) with initialisers.json: that all numbers of a
parameter lie within PyTorch's bounds and come as close to them, and have its mean and deviation, as so
many draws must.

    initialisers.py CNN SCRATCH
"""
import json
import math
import os
import struct
import subprocess
import sys

tool, scratch = sys.argv[1:]
parity = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, parity)
from safetensors_stdlib import read, values  # noqa: E402

SOURCE = """net n(image: [3, 8, 8]) {
  image -> conv(64, kernel = 3) -> conv(32, kernel = 3, groups = 2) -> flatten -> linear(100)
}
train t = n {
  data = npy("images.npy", "labels.npy", "images.npy", "labels.npy")
  batch = 1
  optimizer = sgd(lr = 1)
  epochs = 1
}
"""


def write_npy(name, shape, value):
    """Bytes of one value."""
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    with open(os.path.join(scratch, name), "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head)
        file.write(bytes([value]) * math.prod(shape))


def differs(numbers, kind, *of):
    """What is wrong with the numbers, or None. Five standard errors; e^-16 that none of them comes so
    close to a bound."""
    count = len(numbers)
    mean = math.fsum(numbers) / count
    deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / count)
    if kind == "fill_":
        return None if set(numbers) == {of[0]} else f"not all are {of[0]}"
    if kind == "uniform_":
        low, high = of
        room = 16 / count * (high - low)
        if not (low * (1 + 1e-6) <= min(numbers) <= low + room
                and high - room <= max(numbers) <= high * (1 + 1e-6)):
            return f"from {min(numbers)} to {max(numbers)}"
        of = (low + high) / 2, (high - low) / math.sqrt(12)
    if abs(mean - of[0]) > 5 * of[1] / math.sqrt(count):
        return f"mean {mean}"
    # The variance's error: sqrt(2 / n) for normal numbers, sqrt(0.8 / n) for uniform ones.
    error = 5 * math.sqrt((0.5 if kind == "normal_" else 0.2) / count)
    return f"deviation {deviation}" if abs(deviation / of[1] - 1) > error else None


write_npy("images.npy", (1, 3, 8, 8), 0)
write_npy("labels.npy", (1,), 99)  # of 100 classes
with open(os.path.join(scratch, "in.cnn"), "w", encoding="utf-8") as source:
    source.write(SOURCE)
with open(os.path.join(parity, "initialisers.json"), encoding="utf-8") as file:
    cases = json.load(file)
compared = bad = 0
for case in cases:
    weights = os.path.join(scratch, "w.safetensors")
    subprocess.run([tool, "train", "in.cnn", "--set", f"train.init={case['init']}", "--epochs", "0",
                    "-o", weights], check=True, cwd=scratch, stdout=subprocess.DEVNULL)
    tensors = read(weights)
    for name, of in case["parameters"].items():
        compared += 1
        problem = differs(values(tensors[name]), *of)
        if problem:
            bad += 1
            print(f"{case['init']}, {name}: {problem}, PyTorch has {of}")
print(f"{compared} parameters of {len(cases)} initialisations compared, {bad} differ")
sys.exit(bool(bad))
