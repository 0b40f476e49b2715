#!/usr/bin/env python3
"""Runs every entry of a module that was compiled for NVPTX on named tensors: cnn-run for a GPU.

    run.py NET.json --inputs in.safetensors --outputs out.safetensors

The input `x` of the entry `f` is the tensor `f.x` of the file, else `x`; its result `y` becomes
`f.y`. Parameters are inputs here. Every entry has buffers of its own, so that checked mode sees what
reads beyond its own.
"""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "parity")]
import safetensors_stdlib as st  # noqa: E402
from driver import CudaError  # noqa: E402
from net import Net  # noqa: E402

NAMES = {"f32": "float32", "f64": "float64", "i32": "int32", "i64": "int64"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest")
    parser.add_argument("--inputs", required=True)
    parser.add_argument("--outputs", required=True)
    options = parser.parse_args()
    tensors, results = st.read(options.inputs), {}
    try:
        net = Net(options.manifest)
        for entry in net.entries():
            for buffer in entry.inputs():
                name = f"{entry.name}.{buffer['name']}"
                tensor = tensors.get(name) or tensors[buffer["name"]]
                if tensor[0] != NAMES[buffer["element"]]:
                    raise SystemExit(f"'{name}' is {tensor[0]}, not {buffer['element']}")
                entry.write(buffer["name"], tensor[2])
            entry.run()
            for buffer in entry.outputs():
                results[f"{entry.name}.{buffer['name']}"] = (
                    NAMES[buffer["element"]], tuple(buffer["shape"]), entry.read(buffer["name"]))
            entry.free()
    except CudaError as error:
        raise SystemExit(str(error)) from None
    st.write(options.outputs, results)


if __name__ == "__main__":
    main()
