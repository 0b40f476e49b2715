"""What nets.py and training.py share: a listing of nets beside their goldens, options, comparison.

    SCRIPT SCRATCH --cnnc CNNC --cc CC [--net NAME] [--element f32|f64] [--option OPTION]...
"""
import argparse
import json
import os
import subprocess

from compiled import Compiled
from safetensors_stdlib import read, values

HERE = os.path.dirname(os.path.abspath(__file__))


def compare(what, ours, theirs, tolerance, least=1.0):
    """The first number that is off by more than `tolerance` of the largest one, or of `least`."""
    scale = max(least, max(map(abs, theirs)))
    for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if not abs(a - b) <= tolerance * scale:
            return [f"{what}, flat index {index}: {a!r}, PyTorch has {b!r}"]
    return []


def compile_net(case, source, options):
    """The case's net as `source` says, for training."""
    name = "net_" + case["name"]  # an operation's name would hide the operation
    path = os.path.join(options.scratch, name + ".cnn")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source.format(**{**case, "name": name}))
    return Compiled(path, name, options.scratch, options.cnnc, options.cc,
                    ["--mode", "train", "--batch", str(case["batch"]), "--element", options.element,
                     *options.option])


def step(net, state, inputs, problems):
    """One step by one worker and by three, which must give the same bits."""
    result = net.call("train_step", state, inputs)
    if any(result["nonfinite"]):
        problems.append(f"nonfinite is {result['nonfinite']}")
    if net.call("train_step", state, inputs, workers=3) != result:
        problems.append("three workers give other bits than one")
    return result


def arguments(description):
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("scratch")
    parser.add_argument("--cnnc", default="cnnc")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--net")
    parser.add_argument("--element", choices=("f32", "f64"), default="f32")
    parser.add_argument("--option", action="append", default=[])
    options = parser.parse_args()
    os.makedirs(options.scratch, exist_ok=True)
    return options


def main(description, listing, check):
    """Calls check(case, its goldens, options), which returns problems, for each net of listing.json."""
    options = arguments(description)
    with open(os.path.join(HERE, listing + ".json"), encoding="utf-8") as file:
        cases = [c for c in json.load(file) if options.net in (None, c["name"])]
    golden = read(os.path.join(HERE, listing + ".safetensors"))
    problems = []
    for case in cases:
        given = {key[len(case["name"]) + 1:]: values(tensor) for key, tensor in golden.items()
                 if key.startswith(case["name"] + ".")}
        try:
            found = check(case, given, options)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            found = [str(error)]
        problems += [f"{case['name']}: {problem}" for problem in found]
    print("\n".join(problems) or f"{len(cases)} nets agree")
    return 1 if problems or not cases else 0
