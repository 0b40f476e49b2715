#!/usr/bin/env python3
"""The rows of cases.py as one module of phase `grad`, one function a case.

    module.py f32|f64 OUT.mlir [--rows N] [--case PREFIX]...

Every call goes through the front end (cnn-frontend, found on PATH) in a net of its own, whose
parameters become arguments; calls in MLIR stand as they are. Fails where a result has not the shape
of the golden. With --rows, batches are repeated until they are a multiple of N, and cases without a
batch are left out. Standard library only, as all that tests run.
"""
import argparse
import math
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "parity"))
from cases import CASES  # noqa: E402
import safetensors_stdlib  # noqa: E402

OPERANDS = ("x", "weight", "bias", "other", "running_mean", "running_var")


def is_mlir(case):
    return re.match(r"(%\w+(, %\w+)* = )?cnn\.", case.call) is not None


def copies(case, rows):
    """How often a batch is repeated to fill whole blocks of `rows`."""
    return rows // math.gcd(rows, case.x[0]) if rows else 1


def select(names=(), rows=0):
    """The cases whose names start with one of `names`; all of them without any."""
    return [case for case in CASES if (not names or case.name.startswith(tuple(names)))
            and not (rows and is_mlir(case))]


def tensor_type(shape, element):
    return "tensor<" + "".join(f"{extent}x" for extent in shape) + element + ">"


def from_net(case, element, rows, folder):
    """The function that the front end makes of the call."""
    inputs = [("x", case.x)] + ([("other", case.other)] if case.other else [])
    signature = ", ".join(f"{name}: {list(shape[1:])}" for name, shape in inputs)
    path = os.path.join(folder, case.name + ".cnn")
    with open(path, "w", encoding="utf-8") as file:
        # Not called like the layer.
        file.write(f"net net_{case.name}({signature}) {{\n  {case.call}\n}}\n")
    batch = case.x[0] * copies(case, rows)
    text = subprocess.run(["cnn-frontend", "cnn", path, "--batch", str(batch), "--type", element],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    text = text.replace(f"@net_{case.name}", f"@{case.name}")
    # Names of attributes would clash with those of other cases.
    for alias, value in re.findall(r"^(#\w+) = (.*)\n", text, re.M):
        text = re.sub(re.escape(alias) + r"\b(?! = )", lambda _: value, text)
    body = text[text.index("func.func"):text.rindex("}")]
    head, body = body.split("\n", 1)
    # Parameters become arguments that are called as in the goldens, and have no batch.
    reads = re.findall(r"^ *(%\S+) = cnn\.read @\w+\.(\w+) : (\S+)\n", body, re.M)
    body = re.sub(r"^.* = cnn\.read .*\n", "", body, flags=re.M)
    more = "".join(f', {value}: {kind} {{cnn.name = "{name}", cnn.unbatched}}'
                   for value, name, kind in reads)
    arguments, results = head.split(") -> ", 1)
    result = re.match(r"\(?(tensor<[^>]*>)", results).group(1)
    head = f'{arguments}{more}) -> ({result} {{cnn.name = "y"}}) {{'
    body = re.sub(r"^( +%.*[^{])$", rf'\1 loc("{case.name}"("cases.py":1:1))', body, flags=re.M)
    return f"  {head}\n{body}", result


def from_mlir(case, element, goldens):
    types = {name: tensor_type(golden[1], "i32" if name == "labels" else element)
             for name in ("x", "weight", "bias", "other", "labels", "y")
             if (golden := goldens.get(f"{case.name}.{name}"))}
    types |= {word: "tensor<i32>" for word in case.words}
    call = case.call if case.call.startswith("%") else f"%y = {case.call}"
    arguments = ", ".join(f'%{name}: {kind} {{cnn.name = "{name}"}}'
                          for name, kind in types.items() if name != "y")
    return (f"  func.func @{case.name}({arguments}) -> ({types['y']} {{cnn.name = \"y\"}}) {{\n"
            f"    {call.format(**types)} loc(\"{case.name}\"(\"cases.py\":1:1))\n"
            f"    return %y : {types['y']}\n  }}\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("element")
    parser.add_argument("out")
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--case", action="append", default=[])
    options = parser.parse_args()
    goldens = safetensors_stdlib.read(os.path.join(HERE, "goldens.safetensors"))
    functions = []
    with tempfile.TemporaryDirectory() as folder:
        for case in select(options.case, options.rows):
            if is_mlir(case):
                functions.append(from_mlir(case, options.element, goldens))
                continue
            text, result = from_net(case, options.element, options.rows, folder)
            shape = goldens[f"{case.name}.y"][1]
            shape = (shape[0] * copies(case, options.rows), *shape[1:])
            expected = tensor_type(shape, options.element if case.gradient else "i32")
            if result != expected:
                sys.exit(f"{case.name}: the result is {result}, PyTorch's {expected}")
            functions.append(text)
    with open(options.out, "w", encoding="utf-8") as file:
        file.write("module @ops attributes {cnn.phase = \"grad\"} {\n" + "".join(functions) + "}\n")


if __name__ == "__main__":
    main()
