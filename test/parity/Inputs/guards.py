"""guards.py inputs DUMP OUT.safetensors: zeros for the parameters and inputs of a dump of phase llvm.
guards.py shrink DUMP ROLE: the dump with less memory for each buffer of that role in its manifest."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from safetensors_stdlib import write  # noqa: E402

with open(sys.argv[2], encoding="utf-8") as file:
    dump = file.read()
found = re.search(r'_manifest\("((?:[^"\\]|\\.)*)"', dump)
text = found[1].replace("\\22", '"')
end = text.rindex("}") + 1
manifest = json.loads(text[:end])


def zeros(shape):
    count = 1
    for extent in shape:
        count *= extent
    return "float32", shape, bytes(4 * count)


if sys.argv[1] == "inputs":
    tensors = {tensor["name"]: zeros(tensor["shape"]) for tensor in manifest["state"]}
    for buffer in manifest["entries"][0]["buffers"]:
        if buffer["role"] == "input":
            tensors[buffer["name"]] = zeros(buffer["shape"])
    tensors["rows"] = "int32", [], (6).to_bytes(4, "little")
    write(sys.argv[3], tensors)
else:
    for buffer in manifest["entries"][0]["buffers"]:
        if buffer["role"] != sys.argv[3]:
            continue
        if buffer["role"] == "output":
            buffer["shape"][0] -= 5
        else:
            buffer["bytes"] = 64
    shrunk = json.dumps(manifest).replace('"', "\\22") + text[end:]
    print(dump[:found.start(1)] + shrunk + dump[found.end(1):])
