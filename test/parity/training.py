#!/usr/bin/env python3
"""Compiles each net of training.json, takes its steps, and compares losses, state and evaluation with
PyTorch's.

    training.py SCRATCH --cnnc CNNC --cc CC [--net NAME] [--element f32|f64] [--option OPTION]...

Tolerances are relative to the largest value of a tensor, or to 1. Every step is made by one and by
three workers, and must give the same bits.
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
# f32: images of mean 1000 are rounded to 6e-5 of their standard deviation before anything is computed.
TOLERANCE = {"f32": 2e-5, "f64": 1e-11}
WIDE = {"bn_far_mean": {"f32": 5e-4, "f64": 1e-11}}

SOURCE = """net {name}(image: {image}) {{
  {body}
}}

train t = {name} {{
  data      = fashion_mnist
  batch     = {batch}
  loss      = cross_entropy
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


def compare(what, ours, theirs, tolerance):
    scale = max(1, max(map(abs, theirs)))
    for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if not abs(a - b) <= tolerance * scale:
            return [f"{what}, flat index {index}: {a!r}, PyTorch has {b!r}"]
    return []


def check(case, golden, options):
    golden_name = case["name"]
    name = "net_" + golden_name
    source = os.path.join(options.scratch, name + ".cnn")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE.format(name=name, optimizer=optimizer_text(case["optimizer"]),
                                 **{k: case[k] for k in ("image", "body", "batch")}))
    given = {key[len(golden_name) + 1:]: values(t) for key, t in golden.items()
             if key.startswith(golden_name + ".")}
    tolerance = WIDE.get(golden_name, TOLERANCE)[options.element]
    problems = []

    net = Compiled(source, name, options.scratch, options.cnnc, options.cc,
                   ["--mode", "train", "--batch", str(case["batch"]), "--element", options.element,
                    *options.option])
    state = net.pack_state({k[7:]: v for k, v in given.items() if k.startswith("before.")})
    for number, (rows, loss) in enumerate(zip(case["rows"], given["losses"])):
        # What lies in the rows that are not used counts nowhere.
        pixels = len(given["image"]) // case["batch"]
        unused = [float("nan")] * ((case["batch"] - rows) * pixels)
        inputs = {"image": given["image"][:rows * pixels] + unused, "labels": given["labels"],
                  "rows": rows, "seed": case["seed"] % 2**32, "seed_high": case["seed"] >> 32,
                  "step": number, **scalars(case["optimizer"], number + 1)}
        inputs["seed"] -= 2**32 * (inputs["seed"] >= 2**31)
        step = net.call("train_step", state, inputs)
        problems += compare(f"loss of step {number + 1}", step["loss"], [loss], tolerance)
        if any(step["nonfinite"]):
            problems.append(f"nonfinite is {step['nonfinite']}")
        if net.call("train_step", state, inputs, workers=3) != step:
            problems.append("three workers give other bits than one")
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
    with open(os.path.join(HERE, "training.json"), encoding="utf-8") as file:
        cases = [c for c in json.load(file) if options.net in (None, c["name"])]
    golden = read(os.path.join(HERE, "training.safetensors"))
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
