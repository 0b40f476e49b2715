#!/usr/bin/env python3
"""Golden operands for cnn-run, and its results against the goldens.

    data.py inputs OUT.safetensors [ROWS]
    data.py compare RESULTS.safetensors TOLERANCE [ROWS]

`compare` holds every result `y` and every gradient `d_x`, `d_weight`, ... of each case: the largest
difference, relative to the largest golden value of the tensor or to 1, is at most TOLERANCE.
Prints the worst of each kind; status 1 when one is above, or one is missing. With ROWS, batches are
repeated as module.py --rows does; then the gradients of parameters are as many times larger.
"""
import array
import os
import sys

from module import HERE, OPERANDS, copies, is_mlir, select
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
        if "%rows" in case.call:
            count = ("int32", (), array.array("i", [case.x[0]]).tobytes())
            tensors[f"{case.name}.rows"] = tensors[f"{case.name}_grad.rows"] = count
    st.write(out, tensors)


def compare(cases, goldens, results, tolerance, rows):
    worst, compared, bad = {}, 0, False
    for case in cases:
        times = copies(case, rows)
        parts = [part for part in OPERANDS if f"{case.name}.{part}" in goldens]
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
            scale = max([1.0] + [abs(value) for value in golden])
            error = max((abs(a - b) if a == a else float("inf") for a, b in zip(got, golden)),
                        default=0.0) / scale
            worst[part] = max(worst.get(part, (0.0, "")), (error, case.name))
            if len(got) != len(golden) or error > tolerance:
                bad = True
                print(f"{ours}: differs by {error:.2e}, more than {tolerance:.0e}")
    for part, (error, entry) in sorted(worst.items()):
        print(f"{part}: largest error {error:.1e} ({entry})")
    print(f"{compared} tensors of {len(cases)} cases compared")
    return bad or not compared


def main():
    mode, path, *numbers = sys.argv[1:]
    rows = int(numbers[-1]) if len(numbers) == (1 if mode == "inputs" else 2) else 0
    goldens = st.read(os.path.join(HERE, "goldens.safetensors"))
    cases = select(rows=rows)
    if mode == "inputs":
        write_inputs(cases, goldens, path, rows)
        return 0
    return compare(cases, goldens, st.read(path), float(numbers[0]), rows)


sys.exit(main())
