#!/usr/bin/env python3
"""Random valid .cnn programs, and whether compiled code computes on them what the slow reference does.

    random_programs.py SCRATCH --seed N --count N [--infer] [--element f32|f64] [--vary-schedules]
                       [--set KEY=VALUE]... [--mcpu CPU]
    random_programs.py SCRATCH --seed N --forever       until one differs: by hand, for hours

A program is a net with a recipe: chains, branches, blocks with parameters, `repeat`, `for`, `if`, shared
layers, nets within nets, concatenation, arithmetic, functions by index, parameters of custom layers, and
every layer with random hyperparameters. `cnn-steps --reference` (on PATH) compiles each, runs it on the
stream's numbers, forward or, without --infer, a whole training step, and compares every result and the
new state with the reference's. Program N depends on the seed N alone. Standard library only.
"""
import argparse
import math
import os
import random
import subprocess
import sys

MOST_WORK = 100_000  # multiply-adds of one sample: the reference takes a microsecond for each
MOST_ELEMENTS = 4000  # of a tensor
POINTWISE = ["sigmoid", "tanh", "relu", "leaky_relu", "leaky_relu(slope = 0.2)", "elu",
             "elu(alpha = 0.5)", "relu6", "silu", "hardswish", "gelu", 'gelu(approximate = "tanh")',
             "abs", "swish", "softplus", "neg", "dropout(0.25)"]

# Blocks and functions that programs use; each stands in the file where it is used.
LIBRARY = {
    "swish": "def swish(x) = x * sigmoid(x)",
    "softplus": "def softplus(x) = log(1 + exp(x))",
    "smooth": "def smooth(x: [c, h, w]) =\n  [(x[l, i, j] + 2 * x[l, i, j + 1] + x[l, i, j + 2]) / 4"
              " for l < c, i < h, j < w - 2]",
    "mirror": "def mirror(x: [c, h, w]) = [x[l, h - 1 - i, w - 1 - j] for l < c, i < h, j < w]",
    "turn": "def turn(x: [c, h, w]) = [x[l, j, i] for l < c, i < w, j < h]",
    "largest_of": "def largest_of(x: [c, h, w]) =\n  [max(x[l, 2 * i + a, 2 * j + b] for a < 2, b < 2)"
                  " for l < c, i < h / 2, j < w / 2]",
    "mean_of_channels": "def mean_of_channels(x: [c, h, w]) ="
                        " [mean(x[l, i, j] for l < c) for m < 1, i < h, j < w]",
    "lower_half": "def lower_half(x: [c, h, w]) =\n  [if i < j and x[l, i, j] > 0.25 { x[l, i, j] }"
                  " else { x[l, i, j] / 2 } for l < c, i < h, j < w]",
    "lagged": "def lagged(x: [c, h, w]) =\n  [x[l, i, j] - if j == 0 { 0 } else { x[l, i, j - 1] / 2 }"
              " for l < c, i < h, j < w]",
    "softened": "def softened(x: [c, h, w]) =\n  [sum(if i + a >= 1 and i + a <= h { x[l, i + a - 1, j] }"
                " else { 0 } for a < 3) / 3 for l < c, i < h, j < w]",
    "depthwise": "def depthwise(x: [c, h, w], k: [c, p, q]) =\n  [sum(x[l, i + a, j + b] * k[l, a, b]"
                 " for a < p, b < q) for l < c, i < h - p + 1, j < w - q + 1]",
    "filters": "block filters(c, p, q)(x) {\n  param weight: [c, p, q] = uniform(-1, 1)\n"
               "  depthwise(x, weight)\n}",
    "affine": "block affine(shape)(x) {\n  param scale: shape = uniform(0.5, 1.5)\n"
              "  param shift: [1] = zeros\n  x * scale + shift\n}",
    "unit": "block unit(channels, kernel = 3, act = relu, norm = false)(x) {\n"
            "  x -> conv(channels, kernel = kernel, padding = kernel / 2, bias = not norm)\n"
            "    -> if norm { batch_norm } -> act\n}",
    "bottleneck": "block bottleneck(channels, inner, groups = 1)(x) {\n"
                  "  y = x -> conv(inner, kernel = 1) -> relu\n"
                  "        -> conv(inner, kernel = 3, padding = 1, groups = groups) -> batch_norm\n"
                  "        -> conv(channels, kernel = 1)\n  relu(x + y)\n}",
    "gate": "block gate(channels)(x) {\n  s = x -> global_avg_pool -> conv(channels, kernel = 1) ->"
            " sigmoid\n  x * s\n}",
    "stack_of": "block stack_of(widths, act = tanh)(x) {\n"
                "  x -> for i, width in widths { \"{i}\": { conv(width, kernel = 1) -> act } }\n}",
}
NEEDS = {"filters": ["depthwise"]}


def extent_of(extent, kernel, stride, before, after, dilation, ceil=False):
    room = extent + before + after - dilation * (kernel - 1) - 1
    if room < 0:
        return 0
    out = (room + (stride - 1 if ceil else 0)) // stride + 1
    if ceil and (out - 1) * stride >= extent + before:  # a window that starts behind the image
        out -= 1
    return out


class Program:
    def __init__(self, seed, element):
        self.rng = random.Random(f"program {seed}")
        self.name, self.element = f"random{seed}", element
        self.used, self.lines, self.layers = [], [], []
        self.work = self.count = 0
        rng = self.rng
        self.inputs = [("image", (rng.randint(1, 4), rng.randint(4, 14), rng.randint(4, 14)))]
        if rng.random() < 0.15:
            self.inputs.append(("other", self.inputs[0][1]))
        # Batches of whole vectors have a layout of their own.
        self.batch = rng.choice((1, 2, 3, 5, 8, 16, 16, 17))

    def use(self, name):
        for needed in (*NEEDS.get(name, []), name):
            if needed not in self.used:
                self.used.append(needed)
        return name

    def let(self, expression, shape, work=0):
        """`vN = expression`, with the shape of one sample; None where it would be too large."""
        if min(shape) < 1 or math.prod(shape) > MOST_ELEMENTS or self.work + work > MOST_WORK:
            return None
        self.work += work
        self.count += 1
        self.lines.append(f"  v{self.count} = {expression}")
        return f"v{self.count}", tuple(shape)

    def pointwise(self):
        text = self.rng.choice(POINTWISE)
        if text in LIBRARY:
            self.use(text)
        return text

    # One step from the value x of a shape (c, h, w): its name and shape afterwards.

    def activation(self, x, s):
        return self.let(f"{x} -> {self.pointwise()}", s)

    def border(self, argument, padding, s):
        """Sometimes a mode that takes the padding from the image itself."""
        if self.rng.random() < 0.8 or max(padding) >= min(s[1:]):
            return ""
        return f', {argument} = "{self.rng.choice(("reflect", "replicate", "circular"))}"'

    def conv(self, x, s):
        rng, c = self.rng, s[0]
        groups = rng.choice([g for g in range(1, c + 1) if c % g == 0])
        channels = groups * rng.randint(1, max(1, 12 // groups))
        k, st = [rng.randint(1, 4) for _ in "hw"], [rng.randint(1, 2) for _ in "hw"]
        d, p = [rng.choice((1, 1, 2)) for _ in "hw"], [rng.randint(0, 2) for _ in range(4)]
        if rng.random() < 0.7:
            p[1], p[3] = p[0], p[2]
        if rng.random() < 0.4:  # the shape that Winograd's algorithm computes
            k, st, d, groups = [3, 3], [1, 1], [1, 1], 1
        same = st == [1, 1] and rng.random() < 0.15
        if same:
            p = [half for a, b in zip(k, d) for half in (b * (a - 1) // 2, (b * (a - 1) + 1) // 2)]
        shape = (channels, extent_of(s[1], k[0], st[0], p[0], p[1], d[0]),
                 extent_of(s[2], k[1], st[1], p[2], p[3], d[1]))
        padding = tuple(p) if (p[0], p[2]) != (p[1], p[3]) else (p[0], p[2])
        if same:
            padding = '"same"'
        text = (f"{x} -> conv({channels}, kernel = {tuple(k)}, stride = {tuple(st)}, "
                f"padding = {padding}, dilation = {tuple(d)}, groups = {groups}"
                f"{rng.choice(('', ', bias = false'))}{self.border('padding_mode', p, s)})")
        return self.let(text, shape, math.prod(shape) * c // groups * k[0] * k[1])

    def pool(self, x, s):
        rng = self.rng
        k, st = [rng.randint(1, 3) for _ in "hw"], [rng.randint(1, 3) for _ in "hw"]
        p = [rng.randint(0, kernel // 2) for kernel in k]
        ceil, kind = rng.random() < 0.3, rng.choice(("max", "avg"))
        shape = (s[0], extent_of(s[1], k[0], st[0], p[0], p[0], 1, ceil),
                 extent_of(s[2], k[1], st[1], p[1], p[1], 1, ceil))
        more = ", ceil_mode = true" if ceil else ""
        if kind == "avg" and rng.random() < 0.3:
            more += ", count_include_pad = false"
        if kind == "avg" and rng.random() < 0.15:
            more += f", divisor_override = {rng.choice((-2, 3, 5))}"
        return self.let(f"{x} -> {kind}_pool({tuple(k)}, stride = {tuple(st)}, padding = {tuple(p)}"
                        f"{more})", shape)

    def adaptive(self, x, s):
        h, w = self.rng.randint(1, s[1]), self.rng.randint(1, s[2])
        kind = self.rng.choice(("max", "avg"))
        if self.rng.random() < 0.2:
            return self.let(f"{x} -> global_{kind}_pool", (s[0], 1, 1))
        return self.let(f"{x} -> adaptive_{kind}_pool(({h}, {w}))", (s[0], h, w))

    def norm(self, x, s):
        if self.batch * s[1] * s[2] < 8:  # over a few numbers it amplifies roundings
            return None
        text = self.rng.choice(("", "(eps = 0.01)", "(momentum = 0.3)", "(affine = false)",
                                "(track_running_stats = false)"))
        return self.let(f"{x} -> batch_norm{text}", s)

    def pad(self, x, s):
        p = [self.rng.randint(0, 2) for _ in range(4)]
        value = self.border("mode", p, s) or self.rng.choice(("", ", value = 0.5"))
        return self.let(f"{x} -> pad({tuple(p)}{value})", (s[0], s[1] + p[0] + p[1], s[2] + p[2] + p[3]))

    def reorder(self, x, s):
        kind = self.rng.randrange(5)
        if kind == 0:
            return self.let(f"{x} -> transpose", (s[0], s[2], s[1]))
        if kind == 1:
            axes = self.rng.sample(range(3), 3)
            return self.let(f"permute({x}, axes = {axes})", [s[axis] for axis in axes])
        if kind == 2:
            return self.let(f"{x} -> reshape([{s[0]}, {s[2]}, {s[1]}])", (s[0], s[2], s[1]))
        if kind == 3:
            return self.let(f"flip({x}, axis = {self.rng.randrange(3)})", s)
        low = [self.rng.randint(0, extent // 3) for extent in s[1:]]
        high = [self.rng.randint(a + 1, extent) for a, extent in zip(low, s[1:])]
        text = ", ".join(f"{a}..{b}" for a, b in zip(low, high))
        return self.let(f"{x}[.., {text}]", (s[0], high[0] - low[0], high[1] - low[1]))

    def branch(self, x, s):
        """Two values of one shape, combined."""
        rng = self.rng
        a = self.let(f"{x} -> conv({s[0]}, kernel = 3, padding = 1) -> {self.pointwise()}", s,
                     math.prod(s) * s[0] * 9)
        b = self.let(f"{x} -> conv({s[0]}, kernel = 1) -> tanh", s, math.prod(s) * s[0])
        if not a or not b:
            return None
        a, b = a[0], rng.choice((b[0], x))
        text = rng.choice((f"{a} + {b}", f"{a} - {b} * 0.5", f"{a} * {b}", f"maximum({a}, {b})",
                           f"minimum({a}, {b})", f"{a} / (1 + abs({b}))", f"({a}, {b}) -> add",
                           f"2 - {a} + {b}^2", f"({a} + {b}) -> {self.pointwise()}"))
        return self.let(text, s)

    def concat(self, x, s):
        rng, axis = self.rng, self.rng.randrange(3)
        other = self.conv(x, s) if axis == 0 and rng.random() < 0.3 else None
        if other and other[1][1:] == s[1:]:
            return self.let(f"concat({x}, {other[0]})", (s[0] + other[1][0], *s[1:]))
        cut = rng.randint(1, s[axis])
        index = ", ".join(f"0..{cut}" if i == axis else ".." for i in range(3))
        shape = list(s)
        shape[axis] += cut
        return self.let(f"concat({x}, tanh({x})[{index}], axis = {axis})", shape)

    def block(self, x, s):
        rng, c = self.rng, s[0]
        kind = self.use(rng.choice(("unit", "bottleneck", "gate", "stack_of", "filters", "affine")))
        if kind == "unit":
            channels, kernel = rng.randint(1, 8), rng.choice((1, 3, 5))
            act = rng.choice(("relu", "sigmoid", "leaky_relu(slope = 0.2)"))
            norm = rng.random() < 0.5 and self.batch * s[1] * s[2] >= 8
            return self.let(f"{x} -> unit({channels}, kernel = {kernel}, act = {act}, norm = "
                            f"{str(norm).lower()})", (channels, *s[1:]),
                            channels * math.prod(s) * kernel**2)
        if kind == "bottleneck":
            if self.batch * s[1] * s[2] < 8:
                return None
            groups = rng.randint(1, 3)
            inner = groups * rng.randint(1, 3)
            return self.let(f"{x} -> bottleneck({c}, {inner}, groups = {groups})", s,
                            math.prod(s) * inner * 12)
        if kind == "gate":
            return self.let(f"{x} -> gate({c})", s)
        if kind == "stack_of":
            widths = [rng.randint(1, 6) for _ in range(rng.randint(1, 3))]
            return self.let(f"{x} -> stack_of({widths})", (widths[-1], *s[1:]), math.prod(s) * 18)
        if kind == "filters":
            p, q = rng.randint(1, min(3, s[1])), rng.randint(1, min(3, s[2]))
            return self.let(f"{x} -> filters({c}, {p}, {q})", (c, s[1] - p + 1, s[2] - q + 1),
                            math.prod(s) * p * q)
        shape = rng.choice(([c, 1, 1], [c, s[1], 1], [1, 1, s[2]], list(s)))
        return self.let(f"{x} -> affine({shape})", s)

    def control(self, x, s):
        rng, c = self.rng, s[0]
        body = f"conv({c}, kernel = 3, padding = 1) -> {self.pointwise()}"
        times = rng.randint(1, 3)
        work = math.prod(s) * c * 9 * times
        text = rng.choice((f"repeat {times} {{ {body} }}", f"for i in 0..{times} {{ {body} }}",
                           f"for k in {[rng.choice((1, 3)) for _ in range(times)]} {{ conv({c}, "
                           f"kernel = k, padding = k / 2) -> relu }}",
                           f"for i in 0..{times} {{ if i % 2 == 0 {{ {body} }} else {{ tanh }} }}"))
        return self.let(f"{x} -> {text}", s, work)

    def by_index(self, x, s):
        c, h, w = s
        shapes = {"smooth": (c, h, w - 2), "mirror": s, "turn": (c, w, h),
                  "largest_of": (c, h // 2, w // 2), "mean_of_channels": (1, h, w), "lower_half": s,
                  "lagged": s, "softened": s}
        name = self.rng.choice(list(shapes))
        if min(shapes[name]) < 1:
            return None
        return self.let(f"{self.use(name)}({x})", shapes[name], math.prod(s))

    def shared(self, x, s):
        """A layer with one set of parameters that is used twice."""
        layer = f"shared{len(self.layers)}"
        self.layers.append(f"  layer {layer} = conv({s[0]}, kernel = 3, padding = 1)")
        self.lines.append(self.layers[-1])
        return self.let(f"tanh({x} -> {layer}) -> {layer}", s, math.prod(s) * s[0] * 18)

    def literal(self, x, s):
        row = [self.rng.randint(-4, 4) / 2 for _ in range(s[2])]
        return self.let(self.rng.choice((f"{x} + {row}", f"{x} * {row}", f"({x} + 1) * 0.5 - {row}",
                                         f"{x} + uniform([{s[1]}, {s[2]}], seed = 3)")), s)

    def softmax(self, x, s):
        kind = self.rng.choice(("softmax", "log_softmax"))
        return self.let(f"{x} -> {kind}(axis = {self.rng.randrange(3)})", s)

    def reduction(self, x, s):
        axis, kind = self.rng.randrange(3), self.rng.choice(("sum", "mean", "max", "min"))
        shape = list(s)
        shape[axis] = 1
        scale = f" / {s[axis]}" if kind == "sum" else ""
        return self.let(f"{kind}({x}, axis = {axis}, keepdims = true){scale} + 0.5 * {x}", s)

    def product(self, x, s):
        y = self.let(f"{x} -> transpose -> tanh", (s[0], s[2], s[1]))
        return y and self.let(f"matmul({x}, {y[0]}) / {s[2]}", (s[0], s[1], s[1]),
                              s[0] * s[1] * s[1] * s[2])

    def inner_net(self, x, s):
        """Another net of the file, used as a function."""
        if any(line.startswith("net inner") for line in self.layers):
            return None
        self.layers.append(f"net inner(channels = 2)(x: {list(s)}) {{\n  x -> conv(channels, kernel = 1)"
                           f" -> sigmoid\n}}\n")
        width = self.rng.randint(1, 5)
        return self.let(f"{x} -> inner(channels = {width})", (width, *s[1:]), math.prod(s) * width)

    STEPS = [(conv, 7), (activation, 4), (pool, 3), (adaptive, 1), (norm, 2), (pad, 1), (reorder, 2),
             (branch, 3), (concat, 2), (block, 4), (control, 2), (by_index, 3), (shared, 1),
             (literal, 1), (softmax, 1), (reduction, 1), (product, 1), (inner_net, 1)]

    def make(self):
        """The text of the program."""
        rng = self.rng
        x, s = self.inputs[0]
        if len(self.inputs) > 1:
            x, s = self.let("tanh(image) * other", s)
        steps, weights = zip(*self.STEPS)
        for _ in range(rng.randint(2, 9)):
            step = rng.choices(steps, weights)[0]
            x, s = step(self, x, s) or (x, s)
        if math.prod(s) > 600:
            x, s = self.let(f"{x} -> adaptive_avg_pool(({min(s[1], 3)}, {min(s[2], 3)}))",
                            (s[0], min(s[1], 3), min(s[2], 3)))
        x, s = self.let(f"{x} -> flatten", (math.prod(s),))
        for _ in range(rng.randint(0, 2)):
            width = rng.randint(1, 40)
            act = rng.choice(("relu", "tanh", "gelu", "dropout(0.4)", "sigmoid -> affine([1])"))
            if "affine" in act:
                self.use("affine")
            x, s = self.let(f"{x} -> linear({width}) -> {act}", (width,), 0)
        self.lines.append(f"  {x} -> linear({rng.randint(2, 11)})")
        signature = ", ".join(f"{name}: {list(shape)}" for name, shape in self.inputs)
        loss = rng.choice(("cross_entropy", "cross_entropy", "cross_entropy(label_smoothing = 0.1)",
                           "mse", "sse"))
        optimizer = rng.choice((
            "sgd(lr = 0.5)", "sgd(lr = 0.1, momentum = 0.9)",
            "sgd(lr = 0.1, momentum = 0.5, weight_decay = 0.1, nesterov = true)",
            "adam(lr = 0.01, eps = 0.01)", "adamw(lr = 0.01, eps = 0.01, weight_decay = 0.1)"))
        parts = [LIBRARY[name] for name in self.used]
        parts += [line for line in self.layers if line.startswith("net ")]
        body = "\n".join(self.lines)
        parts.append(f"net {self.name}({signature}) {{\n{body}\n}}")
        parts.append(f"train t = {self.name} {{\n  data      = npy(\"x.npy\", \"y.npy\")\n"
                     f"  batch     = {self.batch}\n  epochs    = 1\n  loss      = {loss}\n"
                     f"  optimizer = {optimizer}\n  dtype     = {self.element}\n}}")
        return "\n\n".join(parts) + "\n"


def write_programs(options, seeds):
    paths = []
    for seed in seeds:
        # Half of them in double, where the comparison is strictest.
        element = options.element or ("f32", "f64")[seed % 2]
        program = Program(seed, element)
        paths.append(os.path.join(options.scratch, program.name + ".cnn"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(program.make())
    return paths


def run(options, seeds):
    command = ["cnn-steps", "--reference", "--device", options.device,
               *(["--mcpu", options.mcpu] if options.mcpu else []),
               *(["--infer"] if options.infer else []),
               *(["--vary-schedules"] if options.vary_schedules else []),
               *(word for setting in options.set for word in ("--set", setting)),
               *write_programs(options, seeds)]
    return subprocess.run(command).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scratch")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--infer", action="store_true")
    parser.add_argument("--element", choices=("f32", "f64"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                        help="as for cnnc, such as schedule.layout=channels")
    parser.add_argument("--mcpu", help="as for cnnc, a processor whose code runs here")
    parser.add_argument("--device", default="cpu", help="as for cnn")
    parser.add_argument("--forever", action="store_true")
    parser.add_argument("--vary-schedules", action="store_true")
    options = parser.parse_args()
    os.makedirs(options.scratch, exist_ok=True)
    seed = options.seed
    while True:
        status = run(options, range(seed, seed + options.count))
        if status or not options.forever:
            return 1 if status else 0
        seed += options.count


if __name__ == "__main__":
    sys.exit(main())
