#!/usr/bin/env python3
"""Runs an entry of a network that was compiled for NVPTX on a CUDA driver, kernel by kernel.

    step.py NET.json [--entry train_step] [--steps 2] [--rows N] [--seed 0] [--nan]

NET.json: the manifest that cnnc writes, beside NET.ptx. Inputs and state are random (the same for
the same seed); with --nan each tensor of the state has one NaN. Prints the f32 outputs of one element per step, and a checksum of all outputs and
the state. With CNN_FAKECUDA_CHECK=1 every kernel is held to the emulator's checks.
"""
import argparse
import ctypes
import hashlib
import json
import os
import random
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver import CudaError, Driver  # noqa: E402


def count(shape):
    elements = 1
    for extent in shape:
        elements *= extent
    return elements


def random_state(manifest, draw, nan):
    data = bytearray(manifest["state_bytes"])
    for tensor in manifest["state"]:
        values = [draw.uniform(-0.1, 0.1) for _ in range(count(tensor["shape"]))]
        if tensor["name"].endswith("running_var"):
            values = [1.0] * len(values)
        kind = {"f32": "f", "f64": "d", "i64": "q", "i32": "i"}[tensor["element"]]
        if kind in "qi":
            values = [0] * len(values)
        elif nan:
            values[draw.randrange(len(values))] = float("nan")
        struct.pack_into(f"<{len(values)}{kind}", data, tensor["offset"], *values)
    return bytes(data)


def random_input(buffer, rows, classes, draw):
    elements = count(buffer["shape"])
    if buffer["name"] == "rows":
        values = [rows]
    elif buffer["name"] == "lr":
        values = [0.01]
    elif buffer["element"] == "i32":
        values = [draw.randrange(classes) for _ in range(elements)]
    else:
        values = [draw.uniform(-1, 1) for _ in range(elements)]
    return struct.pack(f"<{elements}{'i' if buffer['element'] == 'i32' else 'f'}", *values)


def size(buffer):
    return buffer["bytes"] if "bytes" in buffer else 4 * count(buffer["shape"])


class Step:
    def __init__(self, driver, manifest, entry, ptx, options):
        self.driver, self.entry = driver, entry
        draw = random.Random(options.seed)
        rows = options.rows or manifest["batch"]
        module = driver.load(ptx)
        self.functions = {launch["kernel"]: driver.function(module, launch["kernel"])
                          for launch in entry["launches"]}
        classes = manifest["state"][-1]["shape"][-1] if manifest["state"] else 2
        self.addresses = []
        for buffer in entry["buffers"]:
            address = driver.allocate(max(size(buffer), 1))
            self.addresses.append(address)
            if buffer["role"] == "state_in":
                driver.upload(address, random_state(manifest, draw, options.nan))
            elif buffer["role"] == "input":
                driver.upload(address, random_input(buffer, rows, classes, draw))

    def run(self):
        for launch in self.entry["launches"]:
            arguments = [ctypes.c_uint64(self.addresses[a["buffer"]].value + a["offset"])
                         for a in launch["arguments"]]
            self.driver.launch(self.functions[launch["kernel"]], launch["grid"], launch["block"],
                               arguments, launch["shared"])
            try:
                self.driver.synchronize()
            except CudaError as error:
                raise SystemExit(f"{launch['layer']}: {error}")

    def read(self, role):
        return [(buffer, self.driver.download(address, size(buffer)))
                for buffer, address in zip(self.entry["buffers"], self.addresses)
                if buffer["role"] == role]

    def swap_state(self):
        """The next step reads the state that this one wrote."""
        roles = [buffer["role"] for buffer in self.entry["buffers"]]
        if "state_out" in roles:
            i, o = roles.index("state_in"), roles.index("state_out")
            self.addresses[i], self.addresses[o] = self.addresses[o], self.addresses[i]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest")
    parser.add_argument("--entry", default="train_step")
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nan", action="store_true")
    options = parser.parse_args()
    with open(options.manifest, encoding="utf-8") as file:
        manifest = json.load(file)
    with open(os.path.splitext(options.manifest)[0] + ".ptx", encoding="utf-8") as file:
        ptx = file.read()
    entry = next(e for e in manifest["entries"] if e["name"] == options.entry)
    try:
        step = Step(Driver(), manifest, entry, ptx, options)
        for _ in range(options.steps):
            step.run()
            outputs = step.read("output")
            print(*(f"{buffer['name']} {struct.unpack('<f', data)[0]:.6f}"
                    for buffer, data in outputs if len(data) == 4))
            digest = hashlib.sha256(b"".join(data for _, data in outputs + step.read("state_out")))
            print("checksum", digest.hexdigest()[:16])
            step.swap_state()
    except CudaError as error:
        raise SystemExit(str(error))


if __name__ == "__main__":
    main()
