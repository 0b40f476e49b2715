"""Prints the names of a safetensors file's tensors, in the order of their data."""
import json
import struct
import sys

with open(sys.argv[1], "rb") as file:
    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
header.pop("__metadata__", None)
print(*sorted(header, key=lambda name: header[name]["data_offsets"]))
