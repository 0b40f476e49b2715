"""Do the numbers of a C program (one a line) and the logits of `cnn predict --json` have the same
bits as floats?

    same_logits.py C.txt CNN.json
"""
import json
import struct
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    ours = [float(line) for line in file]
with open(sys.argv[2], encoding="utf-8") as file:
    theirs = json.load(file)["logits"]
bits = [[struct.pack("<f", value) for value in values] for values in (ours, theirs)]
if bits[0] != bits[1] or not ours:
    sys.exit(f"they differ:\n{ours}\n{theirs}")
print(f"{len(ours)} outputs have the same bits")
