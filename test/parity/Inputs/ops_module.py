#!/usr/bin/env python3
"""The golden cases of ops.json as one module of phase `grad`, one function a case.

    ops_module.py PARITY_DIR f32|f64 OUT.mlir [CASE...]

Standard library only. Functions take `x`, `weight`, `bias`, `other`, `labels` and return `y`.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import safetensors_stdlib  # noqa: E402


def tensor_type(shape, element):
    return "tensor<" + "".join(f"{extent}x" for extent in shape) + element + ">"


def array(values):
    return "array<i64: " + ", ".join(str(value) for value in values) + ">"


def window(attributes, kernel):
    """stride and padding (top, bottom, left, right) as the dialect writes them."""
    stride = attributes.get("stride", kernel)
    padding = attributes.get("padding", [0, 0])
    return [f"stride = {array(stride)}",
            f"padding = {array([padding[0], padding[0], padding[1], padding[1]])}"]


def conv(case, types):
    attributes = case["attributes"]
    named = window({"stride": [1, 1], **attributes}, None)
    named += [f"dilation = {array(attributes.get('dilation', [1, 1]))}", "groups = 1 : i64"]
    operands = [name for name in ("x", "weight", "bias") if name in types]
    return (f"cnn.conv {', '.join('%' + name for name in operands)} {{{', '.join(named)}}} : "
            f"{', '.join(types[name] for name in operands)} -> {types['y']}")


def pool(case, types):
    attributes = case["attributes"]
    named = [f"kernel = {array(attributes['kernel'])}"] + window(attributes, attributes["kernel"])
    for key in ("ceil_mode", "count_include_pad"):
        if key in attributes:
            named.append(f"{key} = {str(attributes[key]).lower()}")
    return f"cnn.{case['op']} %x {{{', '.join(named)}}} : {types['x']} -> {types['y']}"


def body(case, types):
    op = case["op"]
    if op == "conv":
        return conv(case, types)
    if op in ("avg_pool", "max_pool"):
        return pool(case, types)
    if op == "linear":
        operands = [name for name in ("x", "weight", "bias") if name in types]
        return (f"cnn.linear {', '.join('%' + name for name in operands)} : "
                f"{', '.join(types[name] for name in operands)} -> {types['y']}")
    if op == "flatten":
        return f"cnn.reshape %x : {types['x']} -> {types['y']}"
    if op == "cross_entropy":
        return (f"cnn.cross_entropy %x, %labels, %rows : {types['x']}, {types['labels']}, "
                f"tensor<i32> -> {types['y']}")
    if op in ("add", "sub", "mul", "div"):
        return f"cnn.{op} %x, %other : {types['x']}, {types['other']} -> {types['y']}"
    return f"cnn.{op} %x : {types['x']} -> {types['y']}"


def function(case, goldens, element):
    types = {}
    for name in ("x", "weight", "bias", "other", "labels", "y"):
        golden = goldens.get(f"{case['name']}.{name}")
        if golden:
            types[name] = tensor_type(golden[1], "i32" if name == "labels" else element)
    # Weights have no batch, so that images whose number fills vectors get the layout for that.
    arguments = [f"%{name}: {kind} {{cnn.name = \"{name}\""
                 f"{', cnn.unbatched' if name in ('weight', 'bias') else ''}}}"
                 for name, kind in types.items() if name != "y"]
    if case["op"] == "cross_entropy":
        arguments.append("%rows: tensor<i32> {cnn.name = \"rows\"}")
    return (f"  func.func @{case['name']}({', '.join(arguments)}) -> "
            f"({types['y']} {{cnn.name = \"y\"}}) {{\n"
            f"    %y = {body(case, types)} loc(\"{case['name']}\"(\"ops.json\":1:1))\n"
            f"    return %y : {types['y']}\n  }}\n")


def main():
    folder, element, out, *names = sys.argv[1:]
    with open(os.path.join(folder, "ops.json"), encoding="utf-8") as file:
        cases = json.load(file)
    goldens = safetensors_stdlib.read(os.path.join(folder, "ops.safetensors"))
    if names:
        cases = [case for case in cases if case["name"] in names]
    with open(out, "w", encoding="utf-8") as file:
        file.write("module @ops attributes {cnn.phase = \"grad\"} {\n")
        for case in cases:
            file.write(function(case, goldens, element))
        file.write("}\n")


main()
