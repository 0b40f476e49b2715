"""Compares exp, log, tanh or gelu on an emulated GPU with the C library's in f64.

    functions.py NET.json FUNCTION LIMIT

NET has one entry, from x to y, each 65,536 elements of f32; every 65,521st bit pattern is tried, and zeros,
infinities and NaN. Prints the largest error in units in the last place (of gelu: of x); status 1 when it is over LIMIT, or
when an infinity, a NaN or a zero is wrong.
"""
import math
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../../emulator"))
from net import Net  # noqa: E402

COUNT = 1 << 16
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0]


def reference(function, x):
    if math.isnan(x) or function == "log" and x < 0:
        return math.nan
    if function == "log":
        return math.log(x) if x else -math.inf
    if function == "exp":
        return math.exp(x) if x < 709 else math.inf
    if function == "gelu":
        return 0.5 * x * (1 + math.erf(x / math.sqrt(2))) if x > -40 else -0.0 if x > -math.inf else math.nan
    return math.tanh(x)


def to_f32(value):
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def main():
    path, function, limit = sys.argv[1], sys.argv[2], float(sys.argv[3])
    data = struct.pack(f"<{COUNT}I", *(i * 65521 for i in range(COUNT)))
    data = struct.pack(f"<{len(SPECIAL)}f", *SPECIAL) + data[4 * len(SPECIAL):]
    entry = next(Net(path).entries())
    entry.write("x", data)
    entry.run()
    xs = struct.unpack(f"<{COUNT}f", data)
    worst, at, wrong = 0.0, 0.0, 0
    for x, got in zip(xs, struct.unpack(f"<{COUNT}f", entry.read("y"))):
        want = reference(function, x)
        rounded = to_f32(want)
        if math.isnan(want) or math.isinf(rounded) or want == 0 and function != "gelu":
            same = math.isnan(got) if math.isnan(want) else got == rounded
            wrong += not (same and (math.isnan(want) or math.copysign(1, got) == math.copysign(1, rounded)))
            continue
        size = x if function == "gelu" else want
        error = abs(got - want) / math.ldexp(1, max(math.frexp(size)[1], -125) - 24)
        if not error <= worst:
            worst, at = error, x
    print(f"{function}: largest error {worst:.4f} at {at:.9g}, {wrong} wrong")
    return 1 if wrong or not worst <= limit else 0


if __name__ == "__main__":
    sys.exit(main())
