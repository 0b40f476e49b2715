#!/usr/bin/env python3
"""Judges what model mode (CNN_FAKECUDA_MODEL) counted for the kernels of a network.

    traffic.py [--exceptions FILE] [--entry train_step] [--off 0.05] MODEL NET.json

Global memory: at most 1.1 of the sectors that the accessed bytes need. Shared memory: no access that takes
more than one pass through the banks. FILE has a line for each kind of kernel that may do worse,

    <algorithm> <instruction> <global|shared> <load|store> <ratio>  # why

Prints the kernels that are over their limit, lines of FILE that nothing needs, and the worst of each kind; and how far
what the compiler says of sectors and passes (compiler/nvptx/WarpRunner.h) is from what was counted, of all products and
of the threads for a result each, and of the worst. Status 1 when a kernel is over, or further off than --off.
"""
import argparse
import json
import math
import re
import sys

MOST = {"global": 1.1, "shared": 1.0}
LINE = re.compile(r"(\w+) (global|shared) (load|store) requests \d+ units (\d+) ideal (\d+) ratio [\d.]+")


def compare(entry, counts, most):
    """What the compiler says of an entry's launches, beside the counts of one run of it; whether all are near."""
    found, said = {}, {}
    for (_, _, space, _), kernels in counts.items():
        for _, kernel, units, _ in kernels:
            found[kernel, space] = found.get((kernel, space), 0) + units
    for launch in entry["launches"]:
        work = launch["work"]
        # Accesses to several neighbours are one in the PTX, and several in the IR that was counted; what threads of a
        # block add up is read by all in the IR of the compiler, by one of them in what is made of it; what a group has
        # stored, the next one of a launch has in registers.
        if "vector" in work["schedule"] or "; " in work["schedule"] or work["algorithm"] == "reduce":
            continue
        for space, key in (("global", "sectors"), ("shared", "passes")):
            said[launch["kernel"], space] = said.get((launch["kernel"], space), 0) + work[key]
    near = True
    for space in MOST:
        keys = [key for key in found if key[1] == space and key in said]
        ratios = [(said[key] / found[key], key[0]) for key in keys]
        if not ratios:
            continue
        ratio, kernel = max(ratios, key=lambda each: abs(math.log(each[0])) if each[0] else math.inf)
        both = [sum(each[key] for key in keys) for each in (said, found)]
        print(f"{space}: the compiler says {both[0] / both[1]:.3f} of what was counted, {ratio:.2f} of the worst, {kernel}")
        near &= all(abs(each - 1) <= most for each, _ in ratios)
        near &= all(said[key] == 0 for key in said if key[1] == space and key not in found)
    return near


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exceptions")
    parser.add_argument("--entry", default="train_step")
    parser.add_argument("--off", type=float, default=0.05)
    parser.add_argument("model")
    parser.add_argument("manifest")
    options = parser.parse_args()
    with open(options.manifest, encoding="utf-8") as file:
        entries = json.load(file)["entries"]
    kinds = {launch["kernel"]: (launch["work"]["algorithm"], launch["work"]["instruction"])
             for entry in entries for launch in entry["launches"]}
    counts = {}  # by kind, space, access: (ratio, kernel, units, ideal)
    with open(options.model, encoding="utf-8") as file:
        for match in filter(None, map(LINE.fullmatch, file.read().splitlines())):
            key, units, ideal = (*kinds[match[1]], match[2], match[3]), int(match[4]), int(match[5])
            counts.setdefault(key, []).append((units / ideal, match[1], units, ideal))
    allowed = {}
    if options.exceptions:
        with open(options.exceptions, encoding="utf-8") as file:
            for line in file:
                if words := line.split("#")[0].split():
                    allowed[tuple(words[:4])] = float(words[4])
    over = 0
    for key, kernels in sorted(counts.items()):
        most = allowed.get(key, MOST[key[2]])
        for ratio, kernel, units, ideal in sorted(kernels):
            if ratio > most + 0.005:
                print(f"{kernel} ({' '.join(key)}): {units} of at least {ideal}: {ratio:.2f}, at most {most}")
                over += 1
        ratio, kernel, _, _ = max(kernels)
        if key in allowed and ratio <= MOST[key[2]]:
            print(f"not needed: {' '.join(key)}")
        units, ideal = (sum(k[i] for k in kernels) for i in (2, 3))
        print(f"{' '.join(key)}: {units / ideal:.2f} of {len(kernels)} kernels, {ratio:.2f} of the worst, {kernel}")
    for key in allowed:
        if key not in counts:
            print(f"not needed: {' '.join(key)}")
    near = compare(next(entry for entry in entries if entry["name"] == options.entry), counts, options.off)
    return 1 if over or not near else 0


if __name__ == "__main__":
    sys.exit(main())
