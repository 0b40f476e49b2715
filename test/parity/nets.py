#!/usr/bin/env python3
"""Compiles each net of nets.json and compares values and gradients with PyTorch's.

    nets.py SCRATCH --cnnc CNNC --cc CC [--net NAME] [--element f32|f64] [--option OPTION]...

Gradients are read off one step with learning rate 1: old parameter less new. The tolerance is
relative to the largest gradient of the tensor. Every call is made by one and by three workers, and
must give the same bits.
"""
import sys

import golden_nets
from golden_nets import compile_net

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
    return golden_nets.compare(what, ours, theirs, tolerance, least=1e-3)


def check(case, given, options):
    parameters = {key[6:]: v for key, v in given.items() if key.startswith("param.")}
    tolerance, problems = TOLERANCE[options.element], []
    net = compile_net(case, SOURCE, options)
    state = net.pack_state(parameters)
    inputs = {"image": given["image"], "labels": given["labels"], "rows": case["rows"], "lr": 1.0}
    step = golden_nets.step(net, state, inputs, problems)
    problems += compare("loss", step["loss"], given["loss"], tolerance)
    after = net.unpack_state(step["state"])
    for key, before in parameters.items():
        gradient = [a - b for a, b in zip(before, after[key])]
        problems += compare("gradient of " + key, gradient, given["grad." + key], tolerance)
    evaluated = net.call("eval", state, inputs)
    used = case["rows"] * (len(given["logits"]) // case["batch"])
    return problems + compare("logits", evaluated["logits"][:used], given["logits"][:used], tolerance)


if __name__ == "__main__":
    sys.exit(golden_nets.main(__doc__, "nets", check))
