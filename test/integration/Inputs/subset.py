"""Cuts a small data set out of Fashion-MNIST: the first TRAIN and TEST images, as plain IDX files.

    subset.py SOURCE-FOLDER FOLDER TRAIN TEST
"""
import gzip
import os
import struct
import sys

source, folder, *counts = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
for part, count in zip(("train", "t10k"), map(int, counts)):
    for kind, ranks in (("images-idx3", 3), ("labels-idx1", 1)):
        name = f"{part}-{kind}-ubyte"
        with gzip.open(os.path.join(source, name + ".gz")) as file:
            content = file.read()
        start = 4 + 4 * ranks
        item = (len(content) - start) // struct.unpack(">I", content[4:8])[0]
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content[:4] + struct.pack(">I", count) + content[8:start])
            file.write(content[start:start + count * item])
