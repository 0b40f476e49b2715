#!/usr/bin/env python3
"""Golden operands for cnn-run, and its results against the goldens.

    data.py inputs OUT.safetensors [ROWS] [--case PREFIX]...
    data.py compare RESULTS.safetensors TOLERANCE [ROWS] [--rms] [--case PREFIX]...

`compare` holds every result `y` and every gradient `d_x`, `d_weight`, ... of each case: the largest
difference, relative to the largest golden value of the tensor or to 1, is at most TOLERANCE; with --rms
the root mean square of the differences, relative to that of the golden values. Prints the worst of
each kind, and whether these were all cases of the table; status 1 when one is above, or one is
missing. With ROWS, batches are repeated as module.py --rows does; then the gradients of parameters
are as many times larger.
"""
import argparse
import array
import math
import os
import sys

from module import HERE, OPERANDS, copies, select
import safetensors_stdlib as st


def repeat(tensor, times):
    dtype, shape, data = tensor
    return dtype, (shape[0] * times, *shape[1:]), bytes(data) * times


def write_inputs(cases, goldens, out, rows):
    tensors = {}
    for case in cases:
        times = copies(case, rows)
        for part in (*OPERANDS, "labels", "dy"):
            tensor = goldens.get(f"{case.name}.{part}")
            if not tensor:
                continue
            if times > 1 and part not in case.params:
                tensor = repeat(tensor, times)
            tensors[f"{case.name}_grad.{'d_y' if part == 'dy' else part}"] = tensor
            if part != "dy":
                tensors[f"{case.name}.{part}"] = tensor
        for word, value in case.words.items():
            scalar = ("int32", (), array.array("i", [value]).tobytes())
            tensors[f"{case.name}.{word}"] = tensors[f"{case.name}_grad.{word}"] = scalar
    st.write(out, tensors)


def rms(values):
    return math.sqrt(math.fsum(value * value for value in values) / max(1, len(values)))


def error_of(got, golden, by_rms):
    differences = [abs(a - b) if a == a else float("inf") for a, b in zip(got, golden)]
    if by_rms:
        return rms(differences) / (rms(golden) or 1.0)
    return max(differences, default=0.0) / max([1.0] + [abs(value) for value in golden])


def compare(cases, goldens, results, tolerance, rows, by_rms):
    worst, compared, bad = {}, 0, False
    for case in cases:
        times = copies(case, rows)
        parts = [part for part in OPERANDS if f"{case.name}.d{part}" in goldens]
        for part in ("y", *parts):
            ours = f"{case.name}.y" if part == "y" else f"{case.name}_grad.d_{part}"
            golden = goldens[f"{case.name}.{part if part == 'y' else 'd' + part}"]
            if part in case.params:
                golden = [times * value for value in st.values(golden)]
            else:
                golden = st.values(repeat(golden, times) if times > 1 else golden)
            compared += 1
            if ours not in results:
                print(f"{ours}: missing")
                bad = True
                continue
            got = st.values(results[ours])
            error = error_of(got, golden, by_rms)
            worst[part] = max(worst.get(part, (0.0, "")), (error, case.name))
            if len(got) != len(golden) or error > tolerance:
                bad = True
                print(f"{ours}: differs by {error:.2e}, more than {tolerance:.0e}")
    for part, (error, entry) in sorted(worst.items()):
        print(f"{part}: largest error {error:.1e} ({entry})")
    every = "all " if cases == select((), rows) else ""
    print(f"{compared} tensors of {every}{len(cases)} cases compared")
    return bad or not compared


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("inputs", "compare"))
    parser.add_argument("path")
    parser.add_argument("numbers", nargs="*")
    parser.add_argument("--rms", action="store_true")
    parser.add_argument("--case", action="append", default=[])
    options = parser.parse_args()
    tolerance = float(options.numbers.pop(0)) if options.mode == "compare" else 0.0
    rows = int(options.numbers[0]) if options.numbers else 0
    goldens = st.read(os.path.join(HERE, "goldens.safetensors"))
    cases = select(options.case, rows)
    if options.mode == "inputs":
        write_inputs(cases, goldens, options.path, rows)
        return 0
    return compare(cases, goldens, st.read(options.path), tolerance, rows, options.rms)


sys.exit(main())
