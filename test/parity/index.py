#!/usr/bin/env python3
"""Functions by index and arithmetic of tensors and numbers, against PyTorch.

    index.py make [--check]              writes index.safetensors beside this file, or compares it with
                                         what PyTorch gives now, within 1e-12 (needs torch)
    index.py check SCRATCH f32|f64 TOLERANCE BATCH [OPTION]...   compiles and runs every case

with a batch of BATCH, a multiple of 2: the golden one over and over.

A case is a net with a batch of 2: its inputs are shapes of one sample, and PyTorch's expression is
that of one sample, too. index.safetensors has the inputs, the result `y`, the gradient `dy` given for
it, and the inputs' gradients, computed in double from values that float holds exactly.
"""
import os
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from safetensors_stdlib import read, values, write  # noqa: E402

BATCH = 2
GOLDEN = os.path.join(HERE, "index.safetensors")

DEFINITIONS = """
// The books' functions by index.
def corr2d(x: [h, w], k: [p, q]) =
  [sum(x[i + a, j + b] * k[a, b] for a < p, b < q) for i < h - p + 1, j < w - q + 1]
def corr2d_in(x: [c, h, w], k: [c, p, q]) =
  [sum(x[l, i + a, j + b] * k[l, a, b] for l < c, a < p, b < q) for i < h - p + 1, j < w - q + 1]
def corr2d_out(x: [c, h, w], k: [o, c, p, q]) =
  [sum(x[l, i + a, j + b] * k[m, l, a, b] for l < c, a < p, b < q)
   for m < o, i < h - p + 1, j < w - q + 1]
def conv1x1(x: [c, h, w], k: [o, c]) = [sum(k[m, l] * x[l, i, j] for l < c) for m < o, i < h, j < w]
def max_2x2(x: [c, h, w]) =
  [max(x[l, i + a, j + b] for a < 2, b < 2) for l < c, i < h - 1, j < w - 1]
def swish(x) = x * sigmoid(x)
"""

# name, inputs, body in the language, one sample in PyTorch
CASES = [
    ("corr2d", dict(x=(5, 6), k=(2, 3)), "corr2d(x, k)",
     "F.conv2d(x[None, None], k[None, None])[0, 0]"),
    ("corr2d_wide", dict(x=(7, 40), k=(3, 3)), "corr2d(x, k)",
     "F.conv2d(x[None, None], k[None, None])[0, 0]"),
    ("corr2d_in", dict(x=(3, 5, 6), k=(3, 2, 2)), "corr2d_in(x, k)",
     "F.conv2d(x[None], k[None])[0, 0]"),
    ("corr2d_out", dict(x=(2, 5, 5), k=(4, 2, 2, 2)), "corr2d_out(x, k)",
     "F.conv2d(x[None], k)[0]"),
    ("corr2d_fused", dict(x=(6, 6), k=(3, 3)), "relu(corr2d(tanh(x), k) * 2 - 1)",
     "torch.relu(F.conv2d(torch.tanh(x)[None, None], k[None, None])[0, 0] * 2 - 1)"),
    ("corr2d_literal", dict(x=(4, 4)), "corr2d(x, [[0, 1], [2, 3]])",
     "F.conv2d(x[None, None], torch.tensor([[[[0., 1.], [2., 3.]]]]).double())[0, 0]"),
    ("conv1x1", dict(x=(3, 3, 3), k=(2, 3)), "conv1x1(x, k)",
     "F.conv2d(x[None], k[:, :, None, None])[0]"),
    ("max_pool", dict(x=(3, 6, 7)), "max_2x2(x)", "F.max_pool2d(x[None], 2, stride=1)[0]"),
    ("max_pool_ties", dict(x=(2, 6, 6)), "max_2x2(x)", "F.max_pool2d(x[None], 2, stride=1)[0]"),
    ("max_pool_wide", dict(x=(1, 3, 40)), "max_2x2(x)", "F.max_pool2d(x[None], 2, stride=1)[0]"),
    ("min_pool", dict(x=(6, 8)),
     "[min(x[2 * i + a, 2 * j + b] for a < 2, b < 2) for i < 3, j < 4]",
     "-F.max_pool2d(-x[None], 2)[0]"),
    ("mean_pool", dict(x=(3, 6, 8)),
     "[mean(x[l, 2 * i + a, 2 * j + b] for a < 2, b < 2) for l < 3, i < 3, j < 4]",
     "F.avg_pool2d(x[None], 2)[0]"),
    ("mean_after_conv", dict(x=(6, 6), k=(3, 3)),
     "y = corr2d(x, k)\n  [mean(y[2 * i + a, 2 * j + b] for a < 2, b < 2) for i < 2, j < 2]",
     "F.avg_pool2d(F.conv2d(x[None, None], k[None, None]), 2)[0, 0]"),
    ("swish", dict(x=(3, 5)), "swish(x)", "F.silu(x)"),
    ("swish_by_index", dict(x=(3, 5)), "[swish(2 * x[i, j]) for i < 3, j < 5]", "F.silu(2 * x)"),
    ("softmax", dict(x=(7,)), "[exp(x[i]) / sum(exp(x[j]) for j < 7) for i < 7]",
     "torch.softmax(x, 0)"),
    ("distances", dict(x=(4, 3), y=(5, 3)),
     "[sum((x[i, c] - y[j, c]) ^ 2 for c < 3) for i < 4, j < 5]",
     "((x[:, None] - y[None]) ** 2).sum(2)"),
    ("flip", dict(x=(3, 5)), "[x[2 - i, 4 - j] for i < 3, j < 5]", "x.flip(0, 1)"),
    ("transpose", dict(x=(3, 5)), "[x[j, i] for i < 5, j < 3]", "x.T"),
    ("outer", dict(x=(3,), y=(20,)), "[[x[i] * y[j] for j < 20] for i < 3]", "torch.outer(x, y)"),
    ("product_with_itself", dict(x=(9,)), "[x[i] * x[8 - i] for i < 9]", "x * x.flip(0)"),
    ("dilated", dict(x=(20,), k=(3,)), "[sum(x[2 * i + 3 * a] * k[a] for a < 3) for i < 7]",
     "F.conv1d(x[None, None], k[None, None], stride=2, dilation=3)[0, 0]"),
    ("inner_product", dict(x=(4, 6), y=(6,)), "sum(x[i, j] * y[j] for i < 4, j < 6)",
     "(x * y).sum()"),
    ("largest", dict(x=(4, 6)), "max(x[i, j] for i < 4, j < 6)", "x.max()"),
    ("slice", dict(x=(5, 4, 6)), "x[1..4, .., -2]", "x[1:4, :, -2]"),
    ("slice_range", dict(x=(5, 40)), "x[.., 3..=38] * x[0, 2]", "x[:, 3:39] * x[0, 2]"),
    ("numbers", dict(x=(3, 5)), "(1 - x) * 3 + x / 2 - 2 / (x * x + 1)",
     "(1 - x) * 3 + x / 2 - 2 / (x * x + 1)"),
    ("powers", dict(x=(3, 5)), "x ^ 3 + (x ^ 2 + 1) ^ -2 + (x ^ 2 + 1) ^ 0.5 + x ^ 0 + x ^ 1",
     "x ** 3 + (x ** 2 + 1) ** -2 + (x ** 2 + 1) ** 0.5 + 1 + x"),
    ("list_of_numbers", dict(x=(2, 3)), "x * [[1, 2, 3], [4, 5, 6.5]] + [1, 0, -1]",
     "x * torch.tensor([[1, 2, 3], [4, 5, 6.5]]).double() + torch.tensor([1., 0., -1.]).double()"),
    ("ranks", dict(x=(3, 4), y=(4,)), "(x + y) * y", "(x + y) * y"),
    ("triangle", dict(x=(6, 6)),
     "[if i < j and not (x[i, j] <= 0.5) or i == 5 { x[i, j] } else { 0 } for i < 6, j < 6]",
     "torch.where(torch.ones(6, 6).triu(1).bool() & (x > 0.5) | (torch.arange(6)[:, None] == 5), "
     "x, 0.0)"),
    ("clamped", dict(x=(4, 5)), "[min(max(x[i, j], -0.5), abs(x[i, j]) / 3) + float(i) for i < 4, j < 5]",
     "torch.minimum(x.clamp(min=-0.5), x.abs() / 3) + torch.arange(4)[:, None]"),
    ("by_channel", dict(x=(3, 4, 5)), "[mean(x[c, i, j] for i < 4, j < 5) for c < 3]",
     "x.mean((1, 2))"),
    ("conv_then_index", dict(x=(2, 6, 6)),
     "y = x -> max_pool(2)\n  [sum(y[c, i, j] * (c + 1) for c < 2) for i < 3, j < 3]",
     "(F.max_pool2d(x[None], 2)[0] * torch.tensor([1., 2.]).double()[:, None, None]).sum(0)"),
    ("matmul", dict(x=(3, 4), y=(4, 5)), "matmul(x, y)", "x @ y"),
    ("matmul_wide", dict(x=(9, 33), y=(33, 20)), "matmul(x, y)", "x @ y"),
    ("matmul_broadcast", dict(x=(2, 1, 3, 4), y=(3, 4, 5)), "matmul(x, y)", "x @ y"),
    ("matmul_vector", dict(x=(4,), y=(2, 4, 3)), "matmul(x, y)", "x @ y"),
    ("matmul_vectors", dict(x=(4,), y=(4,)), "matmul(x, y)", "x @ y"),
    ("matmul_literal", dict(x=(2, 3)), "matmul([[1, 2], [3, 4.5]], x) - matmul(x, eye(3))",
     "torch.tensor([[1, 2], [3, 4.5]]).double() @ x - x"),
    ("sums", dict(x=(3, 4, 5)),
     "sum(x, axis = 1) + mean(x, axis = (0, 1), keepdims = true)[0] + sum(x) + mean(x, axis = -1)[.., 0..1]",
     "x.sum(1) + x.mean((0, 1), keepdim=True)[0] + x.sum() + x.mean(-1)[:, 0:1]"),
    ("extremes", dict(x=(3, 4, 5)),
     "max(x, axis = 0) * min(x, axis = [0, 2], keepdims = true)[0] + max(x) - min(x)",
     "x.amax(0) * x.amin((0, 2), keepdim=True)[0] + x.amax() - x.amin()"),
    ("flips", dict(x=(3, 5)), "flip(x, axis = 1) + 2 * flip(x) + flip(x, axis = -2) ^ 2",
     "x.flip(1) + 2 * x.flip(0, 1) + x.flip(0) ** 2"),
    ("stacks", dict(x=(3, 5), y=(3, 5)), "sum(stack(x, y, x * y, axis = 1) ^ 2, axis = -1)",
     "(torch.stack([x, y, x * y], 1) ** 2).sum(-1)"),
    ("roots", dict(x=(3, 5)), "sqrt(abs(x) + 1)", "torch.sqrt(x.abs() + 1)"),
    ("conv_given", dict(x=(2, 4, 5)),
     "k = stack([[[0, 1], [2, 3]], [[1, 2], [3, 4]]], 2 * ones(2, 2, 2), zeros(2, 2, 2))\n"
     "  x -> conv(weight = k, bias = [0.5, -1, 2], padding = 1, stride = 2)",
     "F.conv2d(x[None], torch.tensor([[[[0, 1], [2, 3]], [[1, 2], [3, 4]]], [[[2, 2]] * 2] * 2, "
     "[[[0, 0]] * 2] * 2]).double(), torch.tensor([0.5, -1, 2]).double(), stride=2, padding=1)[0]"),
    ("linear_given", dict(x=(3,)), "x -> linear(weight = [[1, 2, 3], [4, 5, 6]])",
     "torch.tensor([[1, 2, 3], [4, 5, 6]]).double() @ x"),
    ("without_batch", dict(x=(2, 2)),
     "image = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]\n"
     "  volume = stack(image, image + ones(4, 4))\n"
     "  x * (image -> max_pool(2)) + (volume -> avg_pool(2))[1]",
     "x * torch.tensor([[5., 7.], [13., 15.]]).double() "
     "+ torch.tensor([[3.5, 5.5], [11.5, 13.5]]).double()"),
    ("explicit_batch", dict(x=(1,)),
     "images = stack(eye(3), ones(3, 3), [[0, 1, 2], [3, 4, 5], [6, 7, 8]])[.., 0..=2]\n"
     "  y = stack(images, axis = 1) -> conv(weight = [[[[0, 1], [2, 3]]]])\n"
     "  z = images -> linear(weight = [[1, 1, 2]])\n"
     "  x * sum(y, axis = (2, 3)) + sum(z, axis = 1)",
     "x * torch.tensor([[9.], [24.], [124.]]).double() + torch.tensor([[4.], [12.], [51.]]).double()"),
    # Elements that a condition keeps inside.
    ("guarded_pad", dict(x=(4, 5)),
     "[if i >= 1 and j >= 2 and i <= 4 { x[i - 1, j - 2] } else { 0 } for i < 6, j < 7]",
     "F.pad(x, (2, 0, 1, 1))"),
    ("guarded_difference", dict(x=(3, 20)),
     "[x[i, j] - if j == 0 { 0 } else { exp(x[i, j - 1]) } for i < 3, j < 20]",
     "x - F.pad(torch.exp(x[:, :-1]), (1, 0))"),
    ("guarded_taps", dict(x=(7,), k=(3,)),
     "[sum(if i + a >= 1 and i + a - 1 < 7 { x[i + a - 1] * k[a] } else { 0 } for a < 3) for i < 7]",
     "F.conv1d(x[None, None], k[None, None], padding=1)[0, 0]"),
    ("guarded_or", dict(x=(6,)),
     "[if i < 2 or not (i < 6) { 1 } else { x[i - 2] + x[i] } for i < 8]",
     "F.pad(x[:4] + x[2:], (2, 2), value=1.0)"),
    ("guarded_doubled", dict(x=(5,)), "[if 2 * i < 5 { x[2 * i] } else { -x[i] } for i < 5]",
     "torch.cat([x[::2], -x[3:]])"),
    ("guarded_quotient", dict(x=(8,), y=(8,)),
     "[if i > 0 { y[i] / (x[i - 1] * x[i - 1]) } else { y[i] } for i < 8]",
     "torch.cat([y[:1], y[1:] / x[:-1] ** 2])"),
    ("guarded_windows", dict(x=(6, 6)),
     "y = tanh(x)\n  [max(if i + a != 0 and i + a <= 6 and j + b > 0 and 7 > j + b { y[i + a - 1, j + b - 1] } "
     "else { -2 } for a < 3, b < 3) for i < 6, j < 6]",
     "F.max_pool2d(torch.tanh(x)[None], 3, 1, 1)[0]"),
]


def source(case):
    name, inputs, body, _ = case
    parameters = ", ".join(f"{key}: [{', '.join(map(str, shape))}]" for key, shape in inputs.items())
    return f"net net_{name}({parameters}) {{\n  {body}\n}}\n"


def make():
    import torch
    import torch.nn.functional as F
    golden = {}
    for seed, (name, inputs, _, expression) in enumerate(CASES):
        generator = torch.Generator().manual_seed(seed)
        tensors = {key: torch.randn((BATCH, *shape), generator=generator).double()
                   for key, shape in inputs.items()}
        if name.endswith("ties"):
            tensors["x"] = tensors["x"].round()
        operands = {key: value.requires_grad_() for key, value in tensors.items()}
        rows = [eval(expression, {"torch": torch, "F": F},
                     {key: value[row] for key, value in operands.items()}) for row in range(BATCH)]
        y = torch.stack(rows)
        dy = torch.randn(y.shape, generator=generator).double()
        gradients = torch.autograd.grad(y, list(operands.values()), dy)
        result = {**operands, "y_": y, "dy_": dy,
                  **{"d" + key: value for key, value in zip(operands, gradients)}}
        for key, value in result.items():
            flat = value.detach().reshape(-1).tolist()
            exact = key in operands or key == "dy_"
            golden[f"{name}.{key}"] = ("float32" if exact else "float64", list(value.shape),
                                       struct.pack(f"<{len(flat)}{'f' if exact else 'd'}", *flat))
    return golden


def make_or_check(checks):
    golden = make()
    if not checks:
        write(GOLDEN, golden)
        return
    old = read(GOLDEN)
    for name in sorted(golden.keys() | old.keys()):
        if name not in golden or name not in old or any(
                abs(a - b) > 1e-12 * (1 + abs(a))
                for a, b in zip(values(old[name]), values(golden[name]), strict=True)):
            sys.exit(f"{GOLDEN}: {name} differs")
    print("the goldens are what PyTorch gives")


def run(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(command)}:\n{result.stderr}")


def check(scratch, element, tolerance, batch, options):
    golden = read(GOLDEN)
    worst, count, problems = 0.0, 0, []
    for case in CASES:
        name = case[0]
        path = os.path.join(scratch, name)
        with open(path + ".cnn", "w", encoding="utf-8") as file:
            file.write(DEFINITIONS + source(case))
        run(["cnnc", path + ".cnn", "--net", "net_" + name, "--emit=cnn", "--batch", str(batch), "--element",
             element, "-o", path + ".mlir"])
        given = {key[len(name) + 1:]: (code, (batch, *shape[1:]), data * (batch // BATCH))
                 for key, (code, shape, data) in golden.items() if key.startswith(name + ".")}
        inputs = {key: given[key] for key in case[1]}
        # Without a phase the module is run as it stands, with no rows to mask.
        with open(path + ".mlir", encoding="utf-8") as file:
            text = re.sub(r" attributes {cnn[^}]*}", "", file.read(), count=1)
        with open(path + ".mlir", "w", encoding="utf-8") as file:
            file.write(text)
        output = re.search(r'-> \(tensor<[^>]*> {cnn.name = "([^"]+)"', text)[1]
        inputs["d_" + output] = given["dy_"]
        write(path + ".in", inputs)
        run(["cnn-run", path + ".mlir", "--gradients", "--inputs", path + ".in", "--outputs",
             path + ".out", *options])
        results = read(path + ".out")
        expected = {f"net_{name}_grad.d_{key}": given["d" + key] for key in case[1]}
        expected[f"net_{name}.{output}"] = given["y_"]
        for key, tensor in expected.items():
            ours, theirs = values(results[key]), values(tensor)
            scale = max(1.0, max(map(abs, theirs)))
            error = max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / scale
            error = error if error == error else float("inf")
            worst, count = max(worst, error), count + 1
            if error > tolerance:
                problems.append(f"{key}: differs by {error:.1e}")
    print("\n".join(problems + [f"{count} tensors compared, worst error {worst:.1e}"]))
    sys.exit(bool(problems))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make_or_check(sys.argv[2:] == ["--check"])
    else:
        check(sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5]), sys.argv[6:])
