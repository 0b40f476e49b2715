#!/usr/bin/env python3
"""Makes goldens.safetensors from the rows of cases.py with PyTorch: make_goldens.py [--check].

Per case `<name>.x`, `.other`, `.weight`, `.bias`, `.labels` (operands), `.y` (result), `.dy` (the
gradient given for `y`; 1 for a loss), `.dx`, `.dother`, `.dweight`, `.dbias`. Operands and `dy` are
float values; results and gradients were computed from them in double and are stored in double, so
that the same file checks f32 and f64 code. --check writes nothing and fails when a golden differs
from what PyTorch gives now by more than 1e-12. Needs torch.
"""
import os
import sys
import zlib

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "parity"))
from cases import CASES  # noqa: E402
from safetensors_stdlib import read, values, write  # noqa: E402
from stream import dropout_words  # noqa: E402


def run(case):
    # A row's operands depend on its name alone, so that rows can be added anywhere.
    generator = torch.Generator().manual_seed(zlib.crc32(case.name.encode()))
    shapes = {"x": case.x, "other": case.other, **case.params}
    operands = {name: torch.randn(shape, generator=generator).double()
                for name, shape in shapes.items() if shape}
    scope = {"torch": torch, "F": F, "dropout": dropout, "words": case.words, **operands}
    if "labels" in case.call:
        scope["labels"] = torch.randint(0, case.x[1], case.x[:1], generator=generator)
    exec(case.prepare, scope)
    for name, operand in operands.items():
        operand.copy_(operand.float()).requires_grad_(not name.startswith("running_"))
    y = eval(case.torch, scope)
    tensors = {name: operand.float() for name, operand in operands.items()}
    if not case.gradient:
        return pack(case.name, tensors | {"y": y.to(torch.int32)})
    dy = torch.randn(y.shape, generator=generator).double() if y.dim() else torch.ones(()).double()
    y.backward(dy)
    if "labels" in scope:
        tensors["labels"] = scope["labels"].to(torch.int32)
    tensors |= {"y": y, "dy": dy.float()}
    tensors |= {f"d{name}": operand.grad for name, operand in operands.items()
                if operand.requires_grad}
    return pack(case.name, tensors)


def pack(name, tensors):
    return {f"{name}.{key}": (str(tensor.dtype)[6:], tuple(tensor.shape),
                              tensor.detach().contiguous().numpy().tobytes())
            for key, tensor in tensors.items()}


def dropout(x, p, number, seed, seed_high, step):
    """Dropout in training by our mask."""
    key = seed % 2**32 + (seed_high % 2**32 << 32)
    words = dropout_words(x.numel(), number, step, key)
    keep = torch.from_numpy(words >= int(p * 2**32)).reshape(x.shape)
    return x * keep / (1 - p) if p < 1 else x * 0


def main():
    torch.set_num_threads(1)
    path = os.path.join(HERE, "goldens.safetensors")
    made = {}
    for case in CASES:
        made |= run(case)
    if sys.argv[1:] != ["--check"]:
        write(path, made)
        return
    golden = read(path)
    if golden.keys() != made.keys():
        sys.exit(f"{path}: other tensors: {sorted(golden.keys() ^ made.keys())}")
    for name, tensor in golden.items():
        same = tensor[:2] == made[name][:2] and all(
            a == b or a != a and b != b or abs(a - b) <= 1e-12 * (1 + abs(a))
            for a, b in zip(values(tensor), values(made[name])))
        if not same:
            sys.exit(f"{path}: {name} differs")
    print("the goldens are what PyTorch gives")


main()
