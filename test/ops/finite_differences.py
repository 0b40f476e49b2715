#!/usr/bin/env python3
"""Gradients against central differences, for every row of cases.py.

    finite_differences.py inputs DIR
    finite_differences.py compare DIR TOLERANCE [FACTOR]

`inputs` writes the operands in double, DIR/at, and the same displaced in a random direction v,
DIR/plus = at + h v and DIR/minus = at - h v. cnn-run makes DIR/gradients, DIR/y_plus and
DIR/y_minus of them. `compare` holds <gradient, plus - minus> to <dy, y_plus - y_minus>: their
difference, relative to the sum of the |gradient * (plus - minus)| and to the largest operand or 1,
is at most TOLERANCE. Gradients are multiplied by FACTOR first, to see the comparison fail. Every
case and every float operand must be there. Status 1 when one is not, or differs. Standard library
only.
"""
import array
import math
import os
import random
import sys

from cases import CASES
from module import HERE, OPERANDS, select
import safetensors_stdlib as st

STEP = 4e-6


def doubles(shape, values):
    return ("float64", shape, array.array("d", values).tobytes())


def point_of(case, part, golden):
    """The golden operand; where the derivative jumps, values at least 1/16 apart and 1/64 from every
    integer (and other operands between those), so that no displacement crosses a jump."""
    if not case.kinks:
        return st.values(golden)
    count = len(st.values(golden))
    shift = 0.5 if part == "x" else 0.25
    values = [(rank + shift - count // 2) / 16 for rank in range(count)]
    random.Random(f"{case.name}.{part}.at").shuffle(values)
    return values


def write_inputs(cases, goldens, folder):
    at, plus, minus = {}, {}, {}
    for case in cases:
        name = case.name
        for part in OPERANDS:
            golden = goldens.get(f"{name}.{part}")
            if not golden:
                continue
            if f"{name}.d{part}" not in goldens:
                for tensors, key in ((at, name), (at, f"{name}_grad"), (plus, name), (minus, name)):
                    tensors[f"{key}.{part}"] = golden
                continue
            point = point_of(case, part, golden)
            # No element of v is small: each element of the gradient counts.
            numbers = random.Random(f"{name}.{part}.direction")
            step = [STEP * numbers.choice((-1, 1)) * numbers.uniform(0.5, 1) for _ in point]
            at[f"{name}.{part}"] = at[f"{name}_grad.{part}"] = doubles(golden[1], point)
            plus[f"{name}.{part}"] = doubles(golden[1], [x + d for x, d in zip(point, step)])
            minus[f"{name}.{part}"] = doubles(golden[1], [x - d for x, d in zip(point, step)])
        if case.gradient:
            at[f"{name}_grad.d_y"] = goldens[f"{name}.dy"]
        words = {word: ("int32", (), array.array("i", [value]).tobytes())
                 for word, value in case.words.items()}
        if f"{name}.labels" in goldens:
            words["labels"] = goldens[f"{name}.labels"]
        for tensors in (at, plus, minus):
            for word, tensor in words.items():
                tensors[f"{name}.{word}"] = tensors[f"{name}_grad.{word}"] = tensor
    for name, tensors in (("at", at), ("plus", plus), ("minus", minus)):
        st.write(os.path.join(folder, name), tensors)


def products(factors, high, low):
    """factor * (high - low), element by element."""
    if not len(factors) == len(high) == len(low):
        raise ValueError(f"{len(factors)}, {len(high)} and {len(low)} elements")
    return [factor * (b - a) for factor, b, a in zip(factors, high, low)]


def compare(cases, goldens, folder, tolerance, factor):
    plus, minus, y_plus, y_minus, gradients = (
        st.read(os.path.join(folder, name))
        for name in ("plus", "minus", "y_plus", "y_minus", "gradients"))
    errors, tensors, alike = [], 0, []
    for case in cases:
        if not case.gradient:
            continue
        name, terms, largest = case.name, [], 1.0
        for part in OPERANDS:
            key = f"{name}.{part}"
            if f"{name}.d{part}" not in goldens:
                continue
            gradient = [factor * g for g in st.values(gradients[f"{name}_grad.d_{part}"])]
            high = st.values(plus[key])
            terms += products(gradient, high, st.values(minus[key]))
            largest = max([largest] + [abs(value) for value in high])
            tensors += 1
        y = f"{name}.y"
        expected = math.fsum(products(st.values(goldens[f"{name}.dy"]), st.values(y_plus[y]),
                                      st.values(y_minus[y])))
        scale = largest * math.fsum(abs(term) for term in terms)
        error = abs(math.fsum(terms) - expected)
        error = error / scale if scale else math.inf if error else 0.0
        # Not `error > tolerance`: NaN differs.
        if error <= tolerance:
            alike.append(name)
        else:
            print(f"{name}: differs by {error:.2e}, more than {tolerance:.0e}")
        errors.append((error, name))
    error, name = max(errors)
    print(f"largest error {error:.1e} ({name})")
    different = len(errors) - len(alike)
    every = "all " if cases == CASES else ""
    print(f"{tensors} gradients of {every}{len(errors)} cases compared, {different} cases differ")
    if factor != 1:
        print(f"do not differ: {' '.join(alike)}")
    return different > 0 or not tensors


def main():
    mode, folder, *numbers = sys.argv[1:]
    goldens = st.read(os.path.join(HERE, "goldens.safetensors"))
    if mode == "inputs":
        write_inputs(select(), goldens, folder)
        return 0
    tolerance, factor = (*map(float, numbers), 1.0)[:2]
    return compare(select(), goldens, folder, tolerance, factor)


sys.exit(main())
