#!/usr/bin/env python3
"""Compiles nets of random depth, channels, kernels and image sizes, and compares them with a slow
evaluation in Python: logits and loss directly, gradients with finite differences in double.

    random_nets.py SCRATCH --seed N --count N --cnnc CNNC --cc CC [--option OPTION]...

Standard library only. Prints the net of every problem, which --seed and --count bring back.
"""
import argparse
import math
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compiled import Compiled, count  # noqa: E402
from nets import SOURCE, TOLERANCE, compare  # noqa: E402

ACTIVATIONS = {"sigmoid": lambda v: 1 / (1 + math.exp(-v)), "tanh": math.tanh,
               "relu": lambda v: max(v, 0.0)}
MOST_WORK = 150_000  # multiply-adds of one evaluation: Python is slow
EPSILON = 1e-6


def window(rng, extent, padding_limit):
    """kernel, stride, padding, dilation along one axis, and the output's extent; legal."""
    while True:
        kernel, stride = rng.randint(1, 5), rng.randint(1, 3)
        padding, dilation = rng.randint(0, 2), rng.choice((1, 1, 2))
        if padding_limit:
            padding, dilation = min(padding, kernel // 2), 1
        room = extent + 2 * padding - dilation * (kernel - 1) - 1
        if room >= 0:
            return (kernel, stride, padding, dilation), room // stride + 1


class Layer:
    """One call: its text, the shapes of what it makes, its parameters, and its evaluation."""

    def __init__(self, text, shape, parameters, work, evaluate):
        self.text, self.shape, self.parameters = text, shape, parameters
        self.work, self.evaluate = work, evaluate


def taps(windows, shape, i, j):
    """(r, s, row, column) of the taps of output (i, j) that lie inside of an image."""
    (kh, sh, ph, dh), (kw, sw, pw, dw) = windows
    for r in range(kh):
        y = i * sh + r * dh - ph
        if 0 <= y < shape[1]:
            for s in range(kw):
                x = j * sw + s * dw - pw
                if 0 <= x < shape[2]:
                    yield r, s, y, x


def conv(rng, shape, name):
    rows, height = window(rng, shape[1], False)
    columns, width = window(rng, shape[2], False)
    channels, windows = rng.randint(1, 18), (rows, columns)
    kh, kw = rows[0], columns[0]

    def evaluate(image, given):
        weight, bias = given[name + ".weight"], given[name + ".bias"]
        out = []
        for k in range(channels):
            for i in range(height):
                for j in range(width):
                    total = bias[k]
                    for r, s, y, x in taps(windows, shape, i, j):
                        for c in range(shape[0]):
                            total += (image[(c * shape[1] + y) * shape[2] + x] *
                                      weight[((k * shape[0] + c) * kh + r) * kw + s])
                    out.append(total)
        return out

    names = ("kernel", "stride", "padding", "dilation")
    text = ", ".join(f"{n} = ({a}, {b})" for n, a, b in zip(names, rows, columns))
    return Layer(f"conv({channels}, {text})", (channels, height, width),
                 {name + ".weight": (channels, shape[0], kh, kw), name + ".bias": (channels,)},
                 channels * height * width * shape[0] * kh * kw, evaluate)


def pool(rng, shape):
    rows, height = window(rng, shape[1], True)
    columns, width = window(rng, shape[2], True)
    windows, average = (rows, columns), rng.random() < 0.5

    def evaluate(image, _):
        out = []
        for c in range(shape[0]):
            for i in range(height):
                for j in range(width):
                    seen = [image[(c * shape[1] + y) * shape[2] + x]
                            for _, _, y, x in taps(windows, shape, i, j)]
                    out.append(sum(seen) / (rows[0] * columns[0]) if average else max(seen))
        return out

    text = ", ".join(f"{n} = ({a}, {b})" for n, a, b in
                     zip(("kernel", "stride", "padding"), rows, columns))
    return Layer(f"{'avg' if average else 'max'}_pool({text})", (shape[0], height, width), {},
                 count(shape) * 4, evaluate)


def activation(rng, shape):
    name = rng.choice(sorted(ACTIVATIONS))
    return Layer(name, shape, {}, 0, lambda x, _: list(map(ACTIVATIONS[name], x)))


def linear(features, shape, name):
    def evaluate(x, given):
        weight, bias = given[name + ".weight"], given[name + ".bias"]
        return [bias[k] + sum(map(lambda a, b: a * b, x, weight[k * len(x):(k + 1) * len(x)]))
                for k in range(features)]
    return Layer(f"linear({features})", (features,),
                 {name + ".weight": (features, shape[0]), name + ".bias": (features,)},
                 features * shape[0], evaluate)


def make_net(rng):
    """A random image and layers; made again until it is small enough for Python."""
    while True:
        image = shape = (rng.randint(1, 4), rng.randint(4, 17), rng.randint(4, 17))
        layers = []
        for ordinal in range(rng.randint(1, 3)):
            layers.append(conv(rng, layers[-1].shape if layers else image, f"conv{ordinal + 1}"))
            if rng.random() < 0.8:
                layers.append(activation(rng, layers[-1].shape))
            if rng.random() < 0.6:
                layers.append(pool(rng, layers[-1].shape))
        shape = (count(layers[-1].shape),)
        layers.append(Layer("flatten", shape, {}, 0, lambda x, _: x))
        hidden = rng.randint(0, 2)
        for ordinal in range(hidden):
            layers.append(linear(rng.randint(1, 40), layers[-1].shape, f"linear{ordinal + 1}"))
            layers.append(activation(rng, layers[-1].shape))
        layers.append(linear(rng.randint(2, 11), layers[-1].shape, f"linear{hidden + 1}"))
        batch = rng.randint(1, 7)
        if batch * sum(layer.work for layer in layers) < MOST_WORK:
            return image, batch, rng.randint(1, batch), layers


def evaluate(layers, images, given):
    out = []
    for image in images:
        for layer in layers:
            image = layer.evaluate(image, given)
        out.append(image)
    return out


def mean_loss(logits, labels):
    total = 0.0
    for row, label in zip(logits, labels):
        top = max(row)
        total += top + math.log(sum(math.exp(v - top) for v in row)) - row[label]
    return total / len(logits)


def check(seed, options):
    rng = random.Random(seed)
    image, batch, rows, layers = make_net(rng)
    name = f"net{seed}"
    body = "image\n    -> " + "\n    -> ".join(layer.text for layer in layers)
    source = os.path.join(options.scratch, name + ".cnn")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE.format(name=name, image=list(image), body=body, batch=batch))

    # Multiples of 1/1024 are floats, so both sides start from the same numbers.
    def numbers(size, scale):
        return [round(rng.gauss(0, 1) * scale * 1024) / 1024 for _ in range(size)]
    shapes = {key: shape for layer in layers for key, shape in layer.parameters.items()}
    given = {key: numbers(count(shape), max(count(shape[1:]), 4) ** -0.5)
             for key, shape in shapes.items()}
    images = [numbers(count(image), 1) for _ in range(batch)]
    labels = [rng.randrange(layers[-1].shape[0]) for _ in range(batch)]

    net = Compiled(source, name, options.scratch, options.cnnc, options.cc,
                   ["--mode", "train", "--batch", str(batch), *options.option])
    state = net.pack_state(given)
    inputs = {"image": sum(images, []), "labels": labels, "rows": rows, "lr": 1.0}
    step = net.call("train_step", state, inputs)
    after = net.unpack_state(step["state"])
    logits = evaluate(layers, images[:rows], given)
    tolerance = TOLERANCE["f32"]
    problems = compare("loss", step["loss"], [mean_loss(logits, labels)], tolerance)
    ours = net.call("eval", state, inputs)["logits"]
    wanted = sum(logits, [])
    problems += compare("logits", ours[:len(wanted)], wanted, tolerance)
    if net.call("train_step", state, inputs, workers=2) != step:
        problems.append("two workers give other bits than one")

    for key in given:
        index = rng.randrange(len(given[key]))
        kept, sides = given[key][index], []
        for sign in (1, -1):
            given[key][index] = kept + sign * EPSILON
            sides.append(mean_loss(evaluate(layers, images[:rows], given), labels))
        given[key][index] = kept
        slope = (sides[0] - sides[1]) / (2 * EPSILON)
        gradient = kept - after[key][index]
        if abs(gradient - slope) > 1e-5 + 1e-4 * abs(slope):
            problems.append(f"gradient of {key}, flat index {index}: {gradient!r}, finite "
                            f"differences give {slope!r}")
    if problems:
        with open(source, encoding="utf-8") as file:
            problems.append(f"the net, batch {batch}, {rows} rows:\n{file.read()}")
    return [f"{name}: {problem}" for problem in problems]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scratch")
    parser.add_argument("--cnnc", default="cnnc")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--option", action="append", default=[])
    options = parser.parse_args()
    os.makedirs(options.scratch, exist_ok=True)
    seeds = range(options.seed, options.seed + options.count)
    problems = []
    for seed in seeds:
        try:
            problems += check(seed, options)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            problems.append(f"net{seed}: {error}")
    print("\n".join(problems) or f"{options.count} nets agree")
    return 1 if problems or not options.count else 0


if __name__ == "__main__":
    sys.exit(main())
