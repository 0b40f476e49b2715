"""Writes a small data set in Fashion-MNIST's files, easy enough to be learned in seconds.

    make_data.py FOLDER TRAIN TEST

Each image is a bright square whose place says the class, under noise from a fixed generator.
"""

import gzip
import os
import random
import struct
import sys


def image(label, rng):
    pixels = bytearray(rng.randrange(64) for _ in range(28 * 28))
    top, left = 3 + 12 * (label // 5), 1 + 5 * (label % 5)
    for y in range(top, top + 10):
        for x in range(left, left + 5):
            pixels[y * 28 + x] = 192 + rng.randrange(64)
    return bytes(pixels)


folder, counts = sys.argv[1], {"train": int(sys.argv[2]), "t10k": int(sys.argv[3])}
os.makedirs(folder, exist_ok=True)
for part, count in counts.items():
    rng = random.Random(part)
    labels = [rng.randrange(10) for _ in range(count)]
    with gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz", "wb") as f:
        f.write(struct.pack(">IIII", 0x803, count, 28, 28))
        f.write(b"".join(image(label, rng) for label in labels))
    with open(f"{folder}/{part}-labels-idx1-ubyte", "wb") as f:
        f.write(struct.pack(">II", 0x801, count) + bytes(labels))
