"""Writes item N of a plain IDX file of 28x28 images as two .npy tensors:  to_npy.py IDX N BYTES FLOATS"""

import array
import struct
import sys


def write(path, kind, shape, data):
    header = str({"descr": kind, "fortran_order": False, "shape": shape}).ljust(117).encode() + b"\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)


pixels = open(sys.argv[1], "rb").read()[16:][int(sys.argv[2]) * 784 :][:784]
write(sys.argv[3], "|u1", (28, 28), pixels)
# In f32, as the reader divides.
floats = array.array("f", [p / 255 for p in pixels])
write(sys.argv[4], "<f4", (1, 1, 28, 28), floats.tobytes())
