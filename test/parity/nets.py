#!/usr/bin/env python3
"""Compiles each net of nets.json and compares values and gradients with PyTorch's.

    nets.py SCRATCH --cnnc CNNC --cc CC [--net NAME] [--element f32|f64] [--option OPTION]...

Gradients are read off one step with learning rate 1: old parameter less new. The tolerance is
relative to the largest gradient of the tensor. Every call is made by one and by three workers, and
must give the same bits.
"""
import argparse
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compiled import Compiled  # noqa: E402
from safetensors_stdlib import read, values  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
# f32: the gradient is a difference of parameters near 1, each rounded to 6e-8.
TOLERANCE = {"f32": 2e-5, "f64": 1e-11}

SOURCE = """net {name}(image: {image}) {{
  {body}
}}

train t = {name} {{
  data      = fashion_mnist
  batch     = {batch}
  loss      = cross_entropy
  optimizer = sgd(lr = 1.0)
  epochs    = 1
}}
"""


def compare(what, ours, theirs, tolerance):
    scale = max(1e-3, max(map(abs, theirs)))
    for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if not abs(a - b) <= tolerance * scale:
            return [f"{what}, flat index {index}: {a!r}, PyTorch has {b!r}"]
    return []


def check(case, golden, options):
    golden_name = case["name"]
    name = "net_" + golden_name  # an operation's name would hide the operation
    source = os.path.join(options.scratch, name + ".cnn")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE.format(name=name, image=case["image"], body=case["body"],
                                 batch=case["batch"]))
    given = {key[len(golden_name) + 1:]: values(t) for key, t in golden.items()
             if key.startswith(golden_name + ".")}
    parameters = {key[6:]: v for key, v in given.items() if key.startswith("param.")}
    tolerance = TOLERANCE[options.element]
    problems = []

    net = Compiled(source, name, options.scratch, options.cnnc, options.cc,
                   ["--mode", "train", "--batch", str(case["batch"]), "--element", options.element,
                    *options.option])
    state = net.pack_state(parameters)
    inputs = {"image": given["image"], "labels": given["labels"], "rows": case["rows"], "lr": 1.0}
    step = net.call("train_step", state, inputs)
    problems += compare("loss", step["loss"], given["loss"], tolerance)
    after = net.unpack_state(step["state"])
    for key, before in parameters.items():
        gradient = [a - b for a, b in zip(before, after[key])]
        problems += compare("gradient of " + key, gradient, given["grad." + key], tolerance)
    if any(step["nonfinite"]):
        problems.append(f"nonfinite is {step['nonfinite']}")
    if net.call("train_step", state, inputs, workers=3) != step:
        problems.append("three workers give other bits than one")

    evaluated = net.call("eval", state, inputs)
    used = case["rows"] * (len(given["logits"]) // case["batch"])
    problems += compare("logits", evaluated["logits"][:used], given["logits"][:used], tolerance)
    return [f"{golden_name}: {problem}" for problem in problems]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scratch")
    parser.add_argument("--cnnc", default="cnnc")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--net")
    parser.add_argument("--element", choices=TOLERANCE, default="f32")
    parser.add_argument("--option", action="append", default=[])
    options = parser.parse_args()
    os.makedirs(options.scratch, exist_ok=True)
    with open(os.path.join(HERE, "nets.json"), encoding="utf-8") as file:
        cases = [c for c in json.load(file) if options.net in (None, c["name"])]
    golden = read(os.path.join(HERE, "nets.safetensors"))
    problems = []
    for case in cases:
        try:
            problems += check(case, golden, options)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            problems.append(f"{case['name']}: {error}")
    print("\n".join(problems) or f"{len(cases)} nets agree")
    return 1 if problems or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
