#!/usr/bin/env python3
"""Makes ops.json and ops.safetensors of this folder: convolutions that Winograd's algorithm computes.

    make_goldens.py [--check]

Per case operands `.x`, `.weight`, `.bias` in float, the gradient `.dy` given for the result; result
`.y` and gradients `.dx`, `.dweight`, `.dbias` in double. --check writes nothing and fails when a golden differs from what PyTorch gives now by more than
1e-12. Needs torch and numpy.
"""
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from safetensors_stdlib import read, values, write  # noqa: E402

# Batches that fill vectors and such that do not, images and channels that nothing divides, images
# smaller than a tile.
SAME = dict(kernel=(3, 3), padding=(1, 1))
CASES = [
    ("one_image", "conv", (1, 3, 8, 8), dict(channels=4, **SAME)),
    ("three_images", "conv", (3, 5, 7, 9), dict(channels=6, kernel=(3, 3))),
    ("seventeen_images", "conv", (17, 2, 6, 5), dict(channels=3, bias=False, **SAME)),
    ("small_image", "conv", (2, 3, 3, 2), dict(channels=2, kernel=(3, 3), padding=(2, 1))),
    ("wide_image", "conv", (1, 2, 5, 70), dict(channels=3, **SAME)),
    ("one_block", "conv", (16, 6, 8, 8), dict(channels=7, **SAME)),
    ("two_blocks", "conv", (32, 3, 7, 6), dict(channels=5, kernel=(3, 3), padding=(2, 2))),
    ("many_tiles", "conv", (16, 2, 18, 13), dict(channels=3, kernel=(3, 3), padding=(1, 0))),
    ("many_channels", "conv", (16, 33, 4, 4), dict(channels=18, **SAME)),
]


def run_case(seed, name, shape, channels, kernel, padding=(0, 0), bias=True):
    generator = torch.Generator().manual_seed(seed)

    def random(size):
        return torch.randn(size, generator=generator).double()

    operands = {"x": random(shape), "weight": random((channels, shape[1], *kernel))}
    if bias:
        operands["bias"] = random((channels,))
    for operand in operands.values():
        operand.requires_grad_()
    y = F.conv2d(*operands.values(), padding=padding)
    dy = random(y.shape)
    y.backward(dy)
    out = {f"{name}.{key}": value.detach().float().numpy() for key, value in operands.items()}
    out |= {f"{name}.dy": dy.float().numpy(), f"{name}.y": y.detach().numpy()}
    return out | {f"{name}.d{key}": value.grad.numpy() for key, value in operands.items()}


def main():
    tensors = {}
    for seed, (name, _, shape, attributes) in enumerate(CASES):
        tensors.update(run_case(1000 + seed, name, shape, **attributes))
    path = os.path.join(HERE, "ops.safetensors")
    if "--check" in sys.argv[1:]:
        golden = read(path)
        if golden.keys() != tensors.keys():
            sys.exit(f"{path}: other tensors: {sorted(golden.keys() ^ tensors.keys())}")
        for name, tensor in golden.items():
            if not np.allclose(values(tensor), tensors[name].ravel(), rtol=1e-12, atol=1e-12):
                sys.exit(f"{path}: {name} differs")
        print("the goldens are what PyTorch gives")
        return
    write(path, {k: (v.dtype.name, v.shape, v.tobytes()) for k, v in tensors.items()})
    cases = [{"name": name, "op": op, "attributes": {"stride": [1, 1], "padding": [0, 0], **attributes}}
             for name, op, _, attributes in CASES]
    with open(os.path.join(HERE, "ops.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
