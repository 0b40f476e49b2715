#!/usr/bin/env python3
"""coverage.py: what the registries of the language (cnn-frontend registry, on PATH) have that is not
tested against PyTorch, or not with a mistake; status 1 when there is something.

Each layer and loss needs rows in cases.py that call it, with a value and a gradient in the goldens, and
each of its arguments that may be left out in one of them; ops.test and cpus.test run every row in f32
and f64, and for every target. Optimizers, schedules and initialisations need the same of
training.json, schedules.json and initialisers.json. Everything needs an error text in errors.json.
"""
import json
import os
import re
import subprocess
import sys

from cases import CASES
from errors import load as load_errors

HERE = os.path.dirname(os.path.abspath(__file__))
PARITY = os.path.join(HERE, "..", "parity")
sys.path.insert(0, PARITY)
import safetensors_stdlib  # noqa: E402

problems = []


def need(condition, text):
    if not condition:
        problems.append(text)


def read_registry():
    """{kind: {name: its arguments, with "=" behind those that may be left out}}."""
    registry = {}
    lines = subprocess.run(["cnn-frontend", "registry"], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.splitlines()
    for kind, name, *arguments in map(str.split, lines):
        registry.setdefault(kind, {})[name] = arguments
    return registry


def read_calls(file, key):
    with open(os.path.join(PARITY, file), encoding="utf-8") as opened:
        return [case[key] for case in json.load(opened)]


def owner_of(row, names):
    """The longest name that the row's name begins with."""
    found = [name for name in names if f"{row}_".startswith(f"{name}_")]
    return max(found, key=len, default=None)


def check_rows(names):
    """Layers and losses: {name: arguments}."""
    goldens = safetensors_stdlib.read(os.path.join(HERE, "goldens.safetensors"))
    rows = {name: [] for name in names}
    for case in CASES:
        owner = owner_of(case.name, names)
        need(owner, f"cases.py: row {case.name} is called like no layer and no loss")
        if owner:
            rows[owner].append(case)
        need(f"{case.name}.y" in goldens, f"{case.name}: no golden value")
        need(f"{case.name}.dx" in goldens or not case.gradient, f"{case.name}: no golden gradient")
    for name, arguments in names.items():
        calls = [case.call for case in rows[name]
                 if re.search(rf"\b{name}\b", case.call) or "cnn." in case.call]
        need(calls, f"{name}: no row of cases.py calls it")
        check_arguments(name, arguments, calls)


def check_arguments(name, arguments, calls):
    for argument in arguments:
        if argument.endswith("="):
            need(any(re.search(rf"\b{argument[:-1]} = ", call) for call in calls),
                 f"{name}: no call sets {argument[:-1]}")


def main():
    registry = read_registry()
    check_rows(registry["layer"] | registry["loss"])
    optimizers = [dict(call) for call in read_calls("training.json", "optimizer")]
    for name, arguments in registry["optimizer"].items():
        check_arguments(name, arguments, [" ".join(f"{key} = {value}" for key, value in call.items())
                                          for call in optimizers if call["kind"] == name])
    for kind, file in (("schedule", "schedules.json"), ("init", "initialisers.json")):
        calls = read_calls(file, kind)
        for name, arguments in registry[kind].items():
            own = [call for call in calls if re.match(rf"{name}\b", call)]
            need(own, f"{name}: no call in {file}")
            check_arguments(name, arguments, own)
    errors = load_errors()
    for kind, names in registry.items():
        for name in names:
            key = name if kind == "layer" else f"{kind} {name}"
            need(errors.get(key), f"{key}: no error in errors.json")
            for what, _, body, text in errors.pop(key, ()):
                need(re.search(rf"\b{name}\b", body), f"{key}, {what}: the body does not call it")
                need(re.match(r"in\.cnn:\d+:\d+: error: ", "\n".join(text)),
                     f"{key}, {what}: the text does not begin with a place and an error")
    need(not errors, f"errors.json: of nothing in a registry: {' '.join(errors)}")
    print("\n".join(problems + [", ".join(f"{len(names)} of kind {kind}"
                                          for kind, names in registry.items())]))
    print(f"without a test: {len(problems) or 'none'}")
    return bool(problems)


sys.exit(main())
