#!/usr/bin/env python3
"""Compares every network of examples/ with PyTorch, whose numbers networks.json has.

    networks.py [--net NAME]... [--element f32|f64] [--set KEY=VALUE]...
    networks.py --torch [--models models.py] ...     with PyTorch itself, which computes in double

`cnn-steps` (found on PATH) compiles a network at the size that the books have, gives it parameters,
images and labels of the counter-based stream, and prints the logits of the first batch in evaluation,
the gradients of all parameters for it, the losses of five steps on five batches, and the state after
them. Of tensors it prints sum, norm, largest magnitude, and four samples. Dropout is by its own mask,
which PyTorch's side computes again. Standard library only, but for --torch.
"""
import argparse
import json
import math
import os
import subprocess
import sys
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "..", "examples")
GOLDEN = os.path.join(HERE, "networks.json")
STEPS = 5

# f32: logits relative to the largest, losses relative to themselves: what the books' networks must
# reach. Gradients and state relative to the largest number of a tensor, 1e-4 in small networks. In deep
# ones roundings of 1e-7 move a few of the million inputs of relu across 0, and change which of a window is
# the largest; a gradient then differs by up to some per cent, more where batch norm amplifies it, between
# PyTorch in float and in double as well. f64 sees no such thing, and is held to what is left of 16 digits.
Tolerance = namedtuple("Tolerance", "logits losses gradients state")
PLAIN = {"f32": Tolerance(1e-4, 1e-4, 1e-4, 1e-4), "f64": Tolerance(1e-9, 1e-9, 1e-9, 1e-9)}
DEEP = {"f32": Tolerance(1e-4, 1e-4, 5e-2, 1e-1), "f64": Tolerance(1e-9, 1e-9, 1e-7, 1e-6)}

# Rates of deep networks are below the recipe's, which is for batches of 128 of real images: with a few
# of noise, five steps amplify that difference to the size of the loss, in PyTorch as well.
Network = namedtuple("Network", "file recipe batch tolerances rate", defaults=(None,))
BLOCKS = os.path.join(HERE, "Inputs", "blocks.cnn")
NETWORKS = {
    "lenet": Network("lenet/lenet.cnn", "on_fashion", 4, PLAIN),
    "lenet_relu": Network("lenet/lenet.cnn", "relu_on_fashion", 4, PLAIN),
    "two_class": Network("cifar/two_class.cnn", "on_cifar", 4, PLAIN),
    "vgg11": Network("vgg/vgg.cnn", "vgg11_on_fashion", 2, DEEP, 1e-4),
    "vgg_small": Network("vgg/vgg.cnn", "small_on_fashion", 2, DEEP, 1e-4),
    "residual_same": Network(BLOCKS, "residual_same_steps", 4, DEEP),
    "residual_halved": Network(BLOCKS, "residual_halved_steps", 4, DEEP),
    "resnext_same": Network(BLOCKS, "resnext_same_steps", 4, DEEP),
    "resnext_halved": Network(BLOCKS, "resnext_halved_steps", 4, DEEP),
    "resnet18": Network("resnet/resnet.cnn", "on_fashion", 4, DEEP, 1e-5),
    "resnet18_224": Network("resnet/resnet.cnn", "at_224", 2, DEEP, 1e-5),
    "resnet18_cifar": Network("resnet/resnet.cnn", "on_cifar", 16, DEEP, 5e-6),
    "resnet20": Network("resnet/resnet_cifar.cnn", "on_cifar", 16, DEEP, 1e-4),
    "resnext_small": Network("resnext/resnext.cnn", "on_cifar", 16, DEEP, 1e-4),
}


def run_ours(name, options):
    """What cnn-steps prints."""
    network = NETWORKS[name]
    settings = [f"train.optimizer.lr={network.rate:f}"] if network.rate else []
    command = ["cnn-steps", os.path.join(EXAMPLES, network.file), "--net", name,
               "--recipe", network.recipe, "--batch", str(network.batch), "--steps", str(STEPS),
               "--element", options.element, "--device", options.device]
    for setting in settings + options.set:
        command += ["--set", setting]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


class Comparison:
    """The largest error of each kind, and what is above its tolerance."""

    def __init__(self):
        self.worst, self.problems = {}, []

    def hold(self, kind, what, ours, theirs, scale, tolerance):
        for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            error = abs(a - b) / scale if math.isfinite(a) else math.inf
            self.worst[kind] = max(self.worst.get(kind, 0.0), error)
            if not error <= tolerance:
                self.problems.append(f"{what} [{index}]: {a:.9g}, PyTorch has {b:.9g}; relative "
                                     f"error {error:.1e}, more than {tolerance:.0e}")
                return


def compare(ours, golden, tolerance):
    result = Comparison()
    result.hold("logits", "logits", ours["logits"], golden["logits"],
                max(map(abs, golden["logits"])), tolerance.logits)
    for step, (a, b) in enumerate(zip(ours["losses"], golden["losses"], strict=True), 1):
        result.hold("losses", f"loss of step {step}", [a], [b], abs(b), tolerance.losses)
    for kind in ("gradients", "state"):
        if ours[kind].keys() != golden[kind].keys():
            result.problems.append(f"{kind}: {sorted(ours[kind].keys() ^ golden[kind].keys())}")
            continue
        # Gradients that are zero but for roundings (of a bias before batch norm) have no scale.
        floor = 1e-2 * max(theirs[2] for theirs in golden["gradients"].values())
        for name, theirs in golden[kind].items():
            mine, largest, bound = ours[kind][name], theirs[2], getattr(tolerance, kind)
            scale = max(largest, floor)
            what = f"{kind} of {name}"
            # A sum's error: that of the numbers, if they were independent. Then the norm's.
            result.hold(kind, what + ", sum", mine[:1], theirs[:1],
                        max(theirs[1], floor) * 4, bound)
            result.hold(kind, what + ", norm", mine[1:2], theirs[1:2], max(theirs[1], floor), bound)
            result.hold(kind, what + ", largest", mine[2:3], theirs[2:3], scale, bound)
            result.hold(kind, what + ", sample", mine[3:], theirs[3:], scale, bound)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--net", action="append", choices=NETWORKS)
    parser.add_argument("--element", choices=("f32", "f64"), default="f32")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--device", default="cpu", help="as for cnn")
    parser.add_argument("--torch", action="store_true")
    parser.add_argument("--models")
    options = parser.parse_args()
    if options.torch:
        from network_goldens import run as golden_of
        theirs = {name: golden_of(name, options.models) for name in options.net or NETWORKS}
    else:
        with open(GOLDEN, encoding="utf-8") as file:
            theirs = json.load(file)
    bad = 0
    for name in options.net or NETWORKS:
        result = compare(run_ours(name, options), theirs[name],
                         NETWORKS[name].tolerances[options.element])
        worst = ", ".join(f"{kind} {error:.0e}" for kind, error in result.worst.items())
        print(f"{name}: {'DIFFERS' if result.problems else 'agrees'}; largest errors: {worst}")
        print("".join(f"  {problem}\n" for problem in result.problems[:8]), end="", flush=True)
        bad += bool(result.problems)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
