#!/usr/bin/env python3
"""Runs an entry of a network that was compiled for NVPTX on a CUDA driver, with random data.

    step.py NET.json [--entry train_step] [--steps 2] [--rows N] [--seed 0] [--nan]

NET.json: the manifest that cnnc writes, beside NET.ptx. Inputs and state are random (the same for
the same seed); with --nan each tensor of the state has one NaN. Prints the outputs of one element
per step, and a checksum of all outputs and the state. With CNN_FAKECUDA_CHECK=1 every kernel is held
to the emulator's checks.
"""
import argparse
import hashlib
import math
import os
import random
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver import CudaError  # noqa: E402
from net import Net  # noqa: E402

CODES = {"f32": "f", "f64": "d", "i64": "q", "i32": "i"}
MOST_DRAWN = 1 << 20  # of a tensor; a hundred million would take a minute and gigabytes


def pack(code, count, values):
    """`count` numbers: those given, over and over."""
    drawn = struct.pack(f"<{len(values)}{code}", *values)
    return (drawn * (count // max(len(values), 1) + 1))[:count * struct.calcsize(code)]


def bytes_of(tensor):
    return math.prod(tensor["shape"]) * struct.calcsize(CODES[tensor["element"]])


def random_state(manifest, draw, nan):
    data = bytearray(manifest["state_bytes"])
    for tensor in manifest["state"]:
        count, code = math.prod(tensor["shape"]), CODES[tensor["element"]]
        drawn = min(count, MOST_DRAWN - 1)  # odd, so that rows of a tensor differ
        if tensor["element"][0] == "i":
            values = [0] * drawn
        elif tensor["kind"] == "parameter":
            values = [draw.uniform(-0.1, 0.1) for _ in range(drawn)]
        else:  # of some, roots are taken
            values = [draw.uniform(0.5, 1.5) for _ in range(drawn)]
        if nan and tensor["element"][0] == "f":
            values[draw.randrange(drawn)] = float("nan")
        packed = pack(code, count, values)
        data[tensor["offset"]:tensor["offset"] + len(packed)] = packed
    return bytes(data)


def random_input(buffer, rows, draw):
    count, code = math.prod(buffer["shape"]), CODES[buffer["element"]]
    drawn = min(count, MOST_DRAWN - 1)
    if buffer["name"] == "rows":
        values = [rows]
    elif buffer["element"] == "i32":
        values = [draw.randrange(2) for _ in range(drawn)]  # every net has two classes
    elif not buffer["shape"]:
        values = [{"momentum": 0.9, "step": 1.0}.get(buffer["name"], 0.05)]
    else:
        values = [draw.uniform(-1, 1) for _ in range(drawn)]
    return pack(code, count, values)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest")
    parser.add_argument("--entry", default="train_step")
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nan", action="store_true")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    try:
        net = Net(options.manifest)
        entry = net.entry(options.entry)
        for buffer in entry.inputs():
            rows = options.rows or net.manifest["batch"]
            entry.write(buffer["name"], random_input(buffer, rows, draw))
        entry.write("state_in", random_state(net.manifest, draw, options.nan))
        for _ in range(options.steps):
            entry.run()
            outputs = {buffer["name"]: entry.read(buffer["name"]) for buffer in entry.outputs()}
            print(*(f"{name} {struct.unpack('<f', data)[0]:.6f}"
                    for name, data in outputs.items() if len(data) == 4))
            # Tensor by tensor: what lies between them nobody writes, and a GPU's memory holds anything.
            state = b"".join(entry.read("state_out", tensor["offset"], bytes_of(tensor)) for tensor in net.manifest["state"]
                             ) if options.entry == "train_step" else b""
            print("checksum", hashlib.sha256(b"".join(outputs.values()) + state).hexdigest()[:16])
            entry.swap_state()
    except CudaError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
