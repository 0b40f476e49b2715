#!/usr/bin/env python3
"""Judges what model mode (CNN_FAKECUDA_MODEL) counted for the kernels of a network.

    traffic.py [--exceptions FILE] MODEL NET.json

Global memory: at most 1.1 of the sectors that the accessed bytes need. Shared memory: no access that takes
more than one pass through the banks. FILE has a line for each kind of kernel that may do worse,

    <algorithm> <instruction> <global|shared> <load|store> <ratio>  # why

Prints the kernels that are over their limit, lines of FILE that nothing needs, and the worst of each kind;
status 1 when a kernel is over.
"""
import argparse
import json
import re
import sys

MOST = {"global": 1.1, "shared": 1.0}
LINE = re.compile(r"(\w+) (global|shared) (load|store) requests \d+ units (\d+) ideal (\d+) ratio [\d.]+")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exceptions")
    parser.add_argument("model")
    parser.add_argument("manifest")
    options = parser.parse_args()
    with open(options.manifest, encoding="utf-8") as file:
        kinds = {launch["kernel"]: (launch["work"]["algorithm"], launch["work"]["instruction"])
                 for entry in json.load(file)["entries"] for launch in entry["launches"]}
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
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
