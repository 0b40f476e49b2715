"""same_logits.py LOGITS PREDICT.json: both lists are the same numbers in single precision, bit for bit."""
import json
import struct
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    ours = [struct.pack("f", float(line)) for line in file]
with open(sys.argv[2], encoding="utf-8") as file:
    found = json.loads(file.read())
    found = found[0] if isinstance(found, list) else found
theirs = [struct.pack("f", value) for value in found["logits"]]
if not ours or ours != theirs:
    sys.exit(f"different logits:\n{ours}\n{theirs}")
