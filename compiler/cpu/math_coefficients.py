#!/usr/bin/env python3
"""Prints the tables of MathCoefficients.h: near-minimax (Chebyshev) fits with mpmath, rounded to f64.

Run it after changing a degree or an interval; the tests of cnn-expand-math measure what comes of it.
Polynomials are listed from the constant term on.
"""
import struct

from mpmath import mp, chebyfit, cos, erf, erfc, exp, expm1, log, mpf, sin, sqrt

mp.dps = 60
LN2 = log(2)


def expTail(r):  # exp(r) = 1 + r + r^2 * expTail(r)
    if abs(r) < mpf(10) ** -12:
        return mpf(1) / 2 + r / 6
    return (exp(r) - 1 - r) / r**2


def logTail(z):  # log((1+s)/(1-s)) = 2s + s*z * logTail(z), z = s^2
    if z < mpf(10) ** -12:
        return mpf(2) / 3 + z * 2 / 5
    s = sqrt(z)
    return ((log(1 + s) - log(1 - s)) / s - 2) / z


def erfNear(z):  # erf(x) = x + x * erfNear(x^2)
    if z < mpf(10) ** -24:
        return 2 / sqrt(mp.pi) - 1
    x = sqrt(z)
    return erf(x) / x - 1


def erfFar(x):  # erfc(x) = exp(-x * erfFar(x))
    return -log(erfc(x)) / x


def sinTail(z):  # sin(x) = x + x * x^2 * sinTail(x^2)
    if z < mpf(10) ** -12:
        return -mpf(1) / 6 + z / 120
    x = sqrt(z)
    return (sin(x) / x - 1) / z


def cosTail(z):  # cos(x) = 1 - x^2/2 + x^4 * cosTail(x^2)
    if z < mpf(10) ** -12:
        return mpf(1) / 24 - z / 720
    return (cos(sqrt(z)) - 1 + z / 2) / z**2


Z = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2
for name, f, interval, degrees in (
    ("expTail", expTail, (-LN2 / 2, LN2 / 2), (4, 10)),
    ("logTail", logTail, (mpf(0), Z), (2, 6)),
    ("erfNear", erfNear, (mpf(0), mpf(1)), (6, 12)),
    ("erfFar", erfFar, None, (8, 22)),
    ("sinTail", sinTail, (mpf(0), (mp.pi / 4) ** 2), (3, 6)),
    ("cosTail", cosTail, (mpf(0), (mp.pi / 4) ** 2), (3, 6)),
):
    for bits, degree in zip((32, 64), degrees):
        where = interval or (mpf(1), mpf(4) if bits == 32 else mpf(6))
        terms, error = chebyfit(f, where, degree + 1, error=True)
        print(f"// Absolute error {mp.nstr(error, 2)} on [{mp.nstr(where[0], 6)}, {mp.nstr(where[1], 6)}].")
        print(f"inline constexpr double {name}{bits}[] = {{")
        for term in reversed(terms):
            print(f"    {float(term):.17g},")
        print("};")

for bits, code in ((32, "f"), (64, "d")):
    rest, parts = mp.pi / 2, []
    while len(parts) < 3:
        parts.append(struct.unpack(code, struct.pack(code, float(rest)))[0])
        rest -= mpf(parts[-1])
    print(f"// pi/2 as the sum of three numbers of {bits} bits.")
    print(f"inline constexpr double halfPi{bits}[] = {{")
    for part in parts:
        print(f"    {part:.17g},")
    print("};")
