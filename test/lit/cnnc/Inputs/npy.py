"""npy.py BYTES OUT.npy: 28 x 28 bytes, divided by 255 in single precision, as a [1, 28, 28] tensor."""
import array
import struct
import sys

with open(sys.argv[1], "rb") as file:
    pixels = file.read()


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


numbers = array.array("f", [single(byte / 255) for byte in pixels])
header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 28, 28), }"
header += " " * (-(len(header) + 11) % 64) + "\n"
with open(sys.argv[2], "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.write(numbers.tobytes())
