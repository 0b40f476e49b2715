#!/usr/bin/env python3
"""Compares a training run of ours with PyTorch's, as recorded in lenet.losses.json and
lenet.after20.safetensors. Standard library only.

    compare.py losses LOG.jsonl lenet|lenet_relu [--relative 1e-5] [--double]
    compare.py weights W.safetensors lenet|lenet_relu [--tolerance 1e-4]

losses: the first 20 losses of the steps in a `cnn train --log` file, relative error; with --double, of
PyTorch's run in double. weights: each
recorded value, |ours - theirs| <= tolerance * max(1, |theirs|). Status 1 when one is off.
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from safetensors_stdlib import read, values  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
EVERY = 16  # as in make_goldens.py


def compare_losses(path, variant, relative, key):
    with open(os.path.join(HERE, "lenet.losses.json"), encoding="utf-8") as file:
        golden = json.load(file)[variant][key]
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.strip()]
    ours = [line["loss"] for line in lines if line.get("kind") == "step"][:len(golden)]
    if len(ours) < len(golden):
        sys.exit(f"{path}: {len(ours)} steps are logged, {len(golden)} are compared")
    worst = 0.0
    for step, (mine, theirs) in enumerate(zip(ours, golden), 1):
        error = abs(mine - theirs) / abs(theirs)
        worst = max(worst, error)
        if not error <= relative:
            sys.exit(f"step {step}: loss {mine!r}, PyTorch's is {theirs!r}: relative error "
                     f"{error:.2e} is above {relative:.0e}")
    print(f"{len(golden)} losses agree; worst relative error {worst:.1e}")


def compare_weights(path, variant, tolerance):
    golden = read(os.path.join(HERE, "lenet.after20.safetensors"))
    ours, worst, count = read(path), 0.0, 0
    for key, tensor in golden.items():
        owner, name = key.split(".", 1)
        if owner != variant:
            continue
        if name not in ours:
            sys.exit(f"{path}: no tensor {name}")
        mine = values(ours[name])[::EVERY]
        theirs = values(tensor)
        if len(mine) != len(theirs):
            sys.exit(f"{path}: {name} has {len(values(ours[name]))} values")
        for index, (a, b) in enumerate(zip(mine, theirs)):
            error = abs(a - b) / max(1.0, abs(b))
            worst, count = max(worst, error), count + 1
            if not error <= tolerance:
                sys.exit(f"{name}, flat index {index * EVERY}: {a!r}, PyTorch has {b!r}")
    print(f"{count} values agree; worst error {worst:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("losses", "weights"))
    parser.add_argument("file")
    parser.add_argument("variant", choices=("lenet", "lenet_relu"))
    parser.add_argument("--relative", type=float, default=1e-5)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--double", action="store_true")
    options = parser.parse_args()
    if options.what == "losses":
        compare_losses(options.file, options.variant, options.relative,
                       "losses_f64" if options.double else "losses")
    else:
        compare_weights(options.file, options.variant, options.tolerance)


if __name__ == "__main__":
    main()
