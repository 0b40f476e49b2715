#!/usr/bin/env python3
"""Compiles each net of training.json, takes its steps, and compares losses, state and evaluation with
PyTorch's.

    training.py SCRATCH --cnnc CNNC --cc CC [--net NAME] [--element f32|f64] [--option OPTION]...

Tolerances are relative to the largest value of a tensor, or to 1. Every step is made by one and by
three workers, and must give the same bits.
"""
import sys

import golden_nets
from golden_nets import compare, compile_net

# f32: images of mean 1000 are rounded to 6e-5 of their standard deviation before anything is computed.
TOLERANCE = {"f32": 2e-5, "f64": 1e-11}
WIDE = {"bn_far_mean": {"f32": 5e-4, "f64": 1e-11}}

SOURCE = """net {name}(image: {image}) {{
  {body}
}}

train t = {name} {{
  data      = fashion_mnist
  batch     = {batch}
  loss      = {loss}
  optimizer = {optimizer}
  epochs    = 1
}}
"""


def optimizer_text(optimizer):
    text = lambda value: str(value).lower() if isinstance(value, bool) else repr(value)
    arguments = [f"{key} = {text(value)}" for key, value in optimizer.items() if key != "kind"]
    return f"{optimizer['kind']}({', '.join(arguments)})"


def scalars(optimizer, step):
    """The scalar inputs of step `step` (from 1), as the operations' documentation says."""
    if optimizer["kind"] == "sgd":
        return {**optimizer, "gradient_share": 1 - (step > 1) * optimizer.get("dampening", 0)}
    o = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, **optimizer}
    return {"step_size": o["lr"] / (1 - o["beta1"] ** step), "mean_share": 1 - o["beta1"],
            "square_decay": o["beta2"], "square_share": 1 - o["beta2"],
            "correction": (1 - o["beta2"] ** step) ** 0.5, "eps": o["eps"],
            "weight_decay": o["weight_decay"], "shrinkage": 1 - o["lr"] * o["weight_decay"]}


def check(case, given, options):
    tolerance = WIDE.get(case["name"], TOLERANCE)[options.element]
    problems = []
    net = compile_net({**case, "optimizer": optimizer_text(case["optimizer"])}, SOURCE, options)
    state = net.pack_state({k[7:]: v for k, v in given.items() if k.startswith("before.")})
    for number, (rows, loss) in enumerate(zip(case["rows"], given["losses"])):
        # What lies in the rows that are not used counts nowhere.
        pixels = len(given["image"]) // case["batch"]
        unused = [float("nan")] * ((case["batch"] - rows) * pixels)
        inputs = {"image": given["image"][:rows * pixels] + unused, "labels": given["labels"],
                  "rows": rows, "seed": case["seed"] % 2**32, "seed_high": case["seed"] >> 32,
                  "step": number, **scalars(case["optimizer"], number + 1)}
        inputs["seed"] -= 2**32 * (inputs["seed"] >= 2**31)
        step = golden_nets.step(net, state, inputs, problems)
        problems += compare(f"loss of step {number + 1}", step["loss"], [loss], tolerance)
        state = step["state"]
    after = net.unpack_state(state)
    for key, golden_values in given.items():
        if key.startswith("after."):
            problems += compare(key[6:], after[key[6:]], golden_values, tolerance)
    inputs = {"image": given["image"], "labels": given["labels"], "rows": case["batch"]}
    for entry in ("eval", "infer"):
        if entry in net.entries:
            problems += compare(f"logits of {entry}", net.call(entry, state, inputs)["logits"],
                                given["logits"], tolerance)
    return problems


if __name__ == "__main__":
    sys.exit(golden_nets.main(__doc__, "training", check))
