"""Writes one random image [1, H, W] as STEM.npy and, the bare floats, STEM.raw.

    make_image.py STEM H W
"""
import array
import random
import struct
import sys

stem, height, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(0)
data = array.array("f", [rng.random() for _ in range(height * width)]).tobytes()
header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, %d, %d), }" % (height, width)
header += " " * (-(len(header) + 11) % 64) + "\n"
with open(stem + ".npy", "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)
with open(stem + ".raw", "wb") as file:
    file.write(data)
