#!/usr/bin/env python3
"""Makes the goldens of this folder with PyTorch; README.md here says what is in each file.

    make_goldens.py [--fashion DIR] [--out DIR] [--check]

--check writes nothing: it fails when a golden differs from what PyTorch gives now by more than
1e-12 (nets, in double) or 1e-5 (the training runs, in float). Needs torch and numpy.
"""
import argparse
import gzip
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from safetensors_stdlib import read, write  # noqa: E402
from training_goldens import make_initialisers, make_schedules, make_training  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS, BATCH, RATE, EVERY = 20, 128, 0.1, 16


def random(generator, shape):
    """Values that float holds exactly, as doubles: one set of inputs serves f32 and f64."""
    return torch.randn(shape, generator=generator).double()


# Small nets: one operation each behind a convolution and before a linear layer, so that the
# gradients of the convolution depend on the operation's own. name, image, batch, rows that count
# (the last batch of an epoch is short), the body between `image` and the output, and the same for
# PyTorch in terms of the layers p(name, shape of the weight).
def stage(op):
    return "image -> conv(3, kernel = 3, padding = 1) -> %s -> flatten -> linear(5)" % op


def after_conv(op):
    """x -> conv1 -> op -> flatten -> linear1, with PyTorch's `op`."""
    def forward(x, p):
        y = op(F.conv2d(x, *p("conv1", (3, x.shape[1], 3, 3)), padding=1), p).flatten(1)
        return F.linear(y, *p("linear1", (5, y.shape[1])))
    return forward


def two_branches(x, p):
    a = torch.sigmoid(F.conv2d(x, *p("conv1", (4, 2, 3, 3)), padding=1))
    b = F.conv2d(x, *p("conv2", (4, 2, 1, 1)))
    c = a * b + a - b
    y = F.max_pool2d(c / a, 2).flatten(1)
    return F.linear(y, *p("linear1", (5, y.shape[1])))


def deep(x, p):
    y = F.avg_pool2d(torch.tanh(F.conv2d(x, *p("conv1", (5, 1, 5, 5)), padding=2)), 3, 2, 1)
    y = F.max_pool2d(F.relu(F.conv2d(y, *p("conv2", (7, 5, 3, 3)))), 2)
    y = torch.sigmoid(F.linear(y.flatten(1), *p("linear1", (19, y[0].numel()))))
    y = torch.tanh(F.linear(y, *p("linear2", (11, 19))))
    return F.linear(y, *p("linear3", (10, 11)))


NETS = [
    ("sigmoid", (2, 5, 7), 3, 3, stage("sigmoid"), after_conv(lambda y, p: torch.sigmoid(y))),
    ("tanh", (1, 6, 5), 2, 2, stage("tanh"), after_conv(lambda y, p: torch.tanh(y))),
    ("relu", (2, 7, 5), 4, 4, stage("relu"), after_conv(lambda y, p: F.relu(y))),
    ("avg_pool", (1, 6, 8), 2, 2, stage("avg_pool(2)"),
     after_conv(lambda y, p: F.avg_pool2d(y, 2))),
    ("avg_pool_padded", (2, 7, 8), 3, 2, stage("avg_pool(3, stride = 2, padding = 1)"),
     after_conv(lambda y, p: F.avg_pool2d(y, 3, 2, 1))),
    ("avg_pool_excluded", (1, 8, 9), 2, 2,
     stage("avg_pool(3, stride = (3, 2), padding = 1, ceil_mode = true, "
           "count_include_pad = false)"),
     after_conv(lambda y, p: F.avg_pool2d(y, 3, (3, 2), 1, True, False))),
    ("avg_pool_overlapping", (1, 6, 5), 2, 1, stage("avg_pool((3, 2), stride = 1)"),
     after_conv(lambda y, p: F.avg_pool2d(y, (3, 2), 1))),
    ("max_pool", (2, 6, 8), 3, 3, stage("max_pool(2)"),
     after_conv(lambda y, p: F.max_pool2d(y, 2))),
    ("max_pool_left_over", (1, 7, 5), 2, 2, stage("max_pool(2)"),
     after_conv(lambda y, p: F.max_pool2d(y, 2))),
    ("max_pool_overlapping", (1, 8, 7), 2, 2, stage("max_pool(3, stride = 2, padding = 1)"),
     after_conv(lambda y, p: F.max_pool2d(y, 3, 2, 1))),
    ("max_pool_ceil", (1, 7, 6), 2, 2, stage("max_pool((2, 3), stride = 2, ceil_mode = true)"),
     after_conv(lambda y, p: F.max_pool2d(y, (2, 3), 2, ceil_mode=True))),
    ("conv_strided", (2, 9, 7), 3, 3, stage("conv(4, kernel = 3, stride = 2, padding = 1)"),
     after_conv(lambda y, p: F.conv2d(y, *p("conv2", (4, 3, 3, 3)), stride=2, padding=1))),
    ("conv_rectangular", (1, 8, 8), 2, 2,
     stage("conv(2, kernel = (3, 5), stride = (3, 4), padding = (0, 1))"),
     after_conv(lambda y, p: F.conv2d(
         y, *p("conv2", (2, 3, 3, 5)), stride=(3, 4), padding=(0, 1)))),
    ("arithmetic", (2, 6, 7), 3, 3,
     "a = image -> conv(4, kernel = 3, padding = 1) -> sigmoid\n"
     "  b = image -> conv(4, kernel = 1)\n"
     "  c = a * b + a - b\n"
     "  c / a -> max_pool(2) -> flatten -> linear(5)", two_branches),
    ("deep", (1, 19, 17), 7, 5,
     "image -> conv(5, kernel = 5, padding = 2) -> tanh -> avg_pool(3, stride = 2, padding = 1)\n"
     "    -> conv(7, kernel = 3) -> relu -> max_pool(2) -> flatten\n"
     "    -> linear(19) -> sigmoid -> linear(11) -> tanh -> linear(10)", deep),
]


def make_nets():
    """Values, loss and parameter gradients of NETS, in double from float operands."""
    tensors, listing = {}, []
    for seed, (name, image, batch, rows, body, forward) in enumerate(NETS):
        generator = torch.Generator().manual_seed(1000 + seed)
        parameters = {}

        def layer(key, shape):
            for kind, size in (("weight", shape), ("bias", shape[:1])):
                if f"{key}.{kind}" not in parameters:
                    scale = int(np.prod(shape[1:])) ** -0.5
                    value = (random(generator, size) * scale).float().double()
                    parameters[f"{key}.{kind}"] = value.requires_grad_()
            return parameters[f"{key}.weight"], parameters[f"{key}.bias"]

        x = random(generator, (batch, *image))
        logits = forward(x, layer)
        labels = torch.randint(0, logits.shape[1], (batch,), generator=generator)
        loss = F.cross_entropy(logits[:rows], labels[:rows])
        loss.backward()
        one = {"image": x.float(), "labels": labels.to(torch.int32), "logits": logits, "loss": loss}
        one |= {f"param.{key}": value.float() for key, value in parameters.items()}
        one |= {f"grad.{key}": value.grad for key, value in parameters.items()}
        tensors |= {f"{name}.{key}": value.detach().numpy() for key, value in one.items()}
        listing.append(dict(name=name, image=image, batch=batch, rows=rows, body=body))
    return tensors, listing


# The parameters' names are the layers' names of examples/lenet.
NAMES = ("conv1", "conv2", "linear1", "linear2", "linear3")
VARIANTS = {"lenet": (nn.Sigmoid, nn.AvgPool2d), "lenet_relu": (nn.ReLU, nn.MaxPool2d)}


def make_lenet(act, pool, weights, dtype):
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), act(), pool(2), nn.Conv2d(6, 16, 5), act(), pool(2),
        nn.Flatten(), nn.Linear(400, 120), act(), nn.Linear(120, 84), act(), nn.Linear(84, 10))
    layers = [m for m in net if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        for name, layer in zip(NAMES, layers):
            layer.weight.copy_(torch.tensor(weights[f"{name}.weight"]))
            layer.bias.copy_(torch.tensor(weights[f"{name}.bias"]))
    return net.to(dtype), layers


def initial_weights():
    """Xavier-uniform weights and PyTorch's default biases; both variants start from them."""
    generator, weights = torch.Generator().manual_seed(1), {}
    shapes = [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]
    for name, shape in zip(NAMES, shapes):
        area = int(np.prod(shape[2:]))
        bound = (6 / ((shape[0] + shape[1]) * area)) ** 0.5
        uniform = lambda size, b: ((torch.rand(size, generator=generator) * 2 - 1) * b).numpy()
        weights[f"{name}.weight"] = uniform(shape, bound)
        weights[f"{name}.bias"] = uniform(shape[:1], (shape[1] * area) ** -0.5)
    return weights


def fashion(folder, count):
    def items(kind, skip):
        with gzip.open(os.path.join(folder, f"train-{kind}-ubyte.gz")) as file:
            return np.frombuffer(file.read(), np.uint8, offset=skip)
    images = items("images-idx3", 16)[:count * 784].reshape(-1, 1, 28, 28)
    labels = items("labels-idx1", 8)[:count].astype(np.int64)
    return torch.tensor(images.copy()), torch.tensor(labels)


def train(act, pool, weights, images, labels, dtype):
    """20 steps of plain SGD over the first 20 batches in file order; losses, layers."""
    net, layers = make_lenet(act, pool, weights, dtype)
    optimizer, losses = torch.optim.SGD(net.parameters(), lr=RATE), []
    for i in range(0, STEPS * BATCH, BATCH):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images[i:i + BATCH].to(dtype) / 255), labels[i:i + BATCH])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, layers


def make_runs(folder, weights):
    """Per variant: the losses in float and in double, and every 16th value of each parameter."""
    images, labels = fashion(folder, STEPS * BATCH)
    runs, samples = {}, {}
    for name, (act, pool) in VARIANTS.items():
        losses, layers = train(act, pool, weights, images, labels, torch.float32)
        exact, _ = train(act, pool, weights, images, labels, torch.float64)
        runs[name] = dict(batch=BATCH, learning_rate=RATE, losses=losses, losses_f64=exact)
        for layer_name, layer in zip(NAMES, layers):
            for kind in ("weight", "bias"):
                values = getattr(layer, kind).detach().numpy().reshape(-1)
                samples[f"{name}.{layer_name}.{kind}"] = np.ascontiguousarray(values[::EVERY])
    return runs, samples


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fashion", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--out", default=HERE)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    nets, net_listing = make_nets()
    training, training_listing = make_training()
    weights = initial_weights()
    runs, samples = make_runs(options.fashion, weights)
    files = {"nets": (nets, 1e-12), "training": (training, 1e-11),
             "lenet.init": (weights, 0.0), "lenet.after20": (samples, 1e-5)}
    for stem, (tensors, tolerance) in files.items():
        path = os.path.join(options.out, stem + ".safetensors")
        if not options.check:
            write(path, {k: (v.dtype.name, v.shape, v.tobytes()) for k, v in tensors.items()})
            continue
        golden = read(path)
        if golden.keys() != tensors.keys():
            sys.exit(f"{path}: other tensors: {sorted(golden.keys() ^ tensors.keys())}")
        for name, (dtype, shape, data) in golden.items():
            want = np.frombuffer(data, dtype).reshape(shape)
            if want.shape != tensors[name].shape or not np.allclose(
                    want, tensors[name], rtol=tolerance, atol=tolerance):
                sys.exit(f"{path}: {name} differs")
    for stem, content in {"nets": net_listing, "training": training_listing,
                          "schedules": make_schedules(), "initialisers": make_initialisers(),
                          "lenet.losses": runs}.items():
        path = os.path.join(options.out, stem + ".json")
        if not options.check:
            with open(path, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.write("\n")
    if options.check:
        with open(os.path.join(options.out, "lenet.losses.json"), encoding="utf-8") as file:
            golden = json.load(file)
        for name, run in runs.items():
            if not np.allclose(golden[name]["losses"], run["losses"], rtol=1e-5, atol=0):
                sys.exit(f"lenet.losses.json: {name} differs")
        with open(os.path.join(options.out, "schedules.json"), encoding="utf-8") as file:
            for golden, made in zip(json.load(file), make_schedules(), strict=True):
                if not np.allclose(golden["rates"], made["rates"], rtol=1e-12, atol=0):
                    sys.exit(f"schedules.json: {golden['schedule']} differs")
        with open(os.path.join(options.out, "initialisers.json"), encoding="utf-8") as file:
            if json.load(file) != make_initialisers():
                sys.exit("initialisers.json differs")
        print("the goldens are what PyTorch gives")


if __name__ == "__main__":
    main()
