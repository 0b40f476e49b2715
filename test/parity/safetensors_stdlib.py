"""safetensors files with Python's standard library alone: what the test scripts need of them.

read(path) -> {name: (dtype, shape, bytes)}, write(path, the same); dtype as numpy spells it.
values(tensor) -> a flat list of numbers.
"""
import array
import json
import struct

DTYPES = {"F32": "float32", "F64": "float64", "I32": "int32", "I64": "int64", "U8": "uint8"}
CODES = {"float32": "f", "float64": "d", "int32": "i", "int64": "q", "uint8": "B"}


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    header.pop("__metadata__", None)
    data = content[8 + size:]
    return {name: (DTYPES[t["dtype"]], tuple(t["shape"]), data[slice(*t["data_offsets"])])
            for name, t in header.items()}


def write(path, tensors):
    header, offset = {}, 0
    spelling = {value: key for key, value in DTYPES.items()}
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": spelling[dtype], "shape": list(shape),
                        "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(data for _, _, data in tensors.values())


def values(tensor):
    return array.array(CODES[tensor[0]], tensor[2]).tolist()
