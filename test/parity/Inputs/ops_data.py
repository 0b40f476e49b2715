#!/usr/bin/env python3
"""Golden operands for cnn-run, and its results against the goldens.

    ops_data.py inputs PARITY_DIR OUT.safetensors
    ops_data.py compare PARITY_DIR RESULTS.safetensors TOLERANCE [rms]

`compare` holds every result `y` and every gradient `d_x`, `d_weight`, ... of each case: the largest
difference, relative to the largest golden value of the tensor or to 1, is at most TOLERANCE; with `rms`, the root mean square of the
differences, relative to that of the golden values.
Prints the worst of each kind; status 1 when one is above, or when nothing was compared.
"""
import array
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import safetensors_stdlib as st  # noqa: E402


def write_inputs(goldens, out):
    tensors = {}
    for name, tensor in goldens.items():
        case, part = name.rsplit(".", 1)
        if part in ("x", "weight", "bias", "other", "labels"):
            tensors[name] = tensors[f"{case}_grad.{part}"] = tensor
        if part == "dy":
            tensors[f"{case}_grad.d_y"] = tensor
        if part == "labels":
            rows = ("int32", (), array.array("i", [tensor[1][0]]).tobytes())
            tensors[f"{case}.rows"] = tensors[f"{case}_grad.rows"] = rows
            tensors[f"{case}_grad.d_y"] = ("float32", (), array.array("f", [1]).tobytes())
    st.write(out, tensors)


def rms(values):
    return math.sqrt(math.fsum(value * value for value in values) / max(1, len(values)))


def compare(goldens, results, tolerance, by_rms):
    worst, compared, bad = {}, 0, False
    for name, tensor in results.items():
        entry, part = name.rsplit(".", 1)
        key = f"{entry}.y" if part == "y" else f"{entry.removesuffix('_grad')}.{part.replace('_', '')}"
        if key not in goldens:
            continue
        ours, golden = st.values(tensor), st.values(goldens[key])
        differences = [abs(a - b) if a == a else float("inf") for a, b in zip(ours, golden)]
        if by_rms:
            error = rms(differences) / (rms(golden) or 1.0)
        else:
            error = max(differences, default=0.0) / max([1.0] + [abs(value) for value in golden])
        compared += 1
        worst[part] = max(worst.get(part, (0.0, "")), (error, entry))
        if len(ours) != len(golden) or error > tolerance:
            bad = True
            print(f"{name}: differs by {error:.2e}, more than {tolerance:.0e}")
    for part, (error, entry) in sorted(worst.items()):
        print(f"{part}: largest error {error:.1e} ({entry})")
    print(f"{compared} tensors compared")
    return bad or not compared


def main():
    goldens = st.read(os.path.join(sys.argv[2], "ops.safetensors"))
    if sys.argv[1] == "inputs":
        write_inputs(goldens, sys.argv[3])
        return 0
    return compare(goldens, st.read(sys.argv[3]), float(sys.argv[4]),
                   sys.argv[5:] == ["rms"])


sys.exit(main())
