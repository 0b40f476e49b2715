#!/usr/bin/env python3
"""Merges reports of mutation (CNN_FAKECUDA_MUTATE) of one module and tells what survives all.

    mutants.py [--equivalent FILE] REPORT...

A mutant is caught when any of the runs catches it: they differ in data, in rows, in the seed.
FILE: lines "<kernel>: <mutation>  # why it changes nothing", for mutants that are equivalent; where that is not proven, the text says so.
Status 1 when another one survives, or one of FILE is caught.
"""
import argparse
import re
import sys

LINE = re.compile(r"([^:]+): (caught by a check|caught by the result|not exercised|survives|"
                  r"cannot be built): (.*)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--equivalent")
    parser.add_argument("report", nargs="+")
    options = parser.parse_args()
    fates = {}
    for path in options.report:
        with open(path, encoding="utf-8") as file:
            for match in filter(None, map(LINE.fullmatch, file.read().splitlines())):
                mutant = f"{match[1]}: {match[3].split(' -- ')[0]}"
                fates.setdefault(mutant, set()).add(match[2])
    equivalent = set()
    if options.equivalent:
        with open(options.equivalent, encoding="utf-8") as file:
            equivalent = {line.split("  # ")[0].strip() for line in file} - {""}
    order = ["caught by a check", "caught by the result", "survives", "cannot be built",
             "not exercised"]
    counts = dict.fromkeys(order, 0)
    wrong = []
    for mutant, seen in fates.items():
        fate = next(f for f in order if f in seen)
        counts[fate] += 1
        if fate in order[2:4] and mutant not in equivalent:
            wrong.append(f"survives: {mutant}")
        if fate in order[:2] and mutant in equivalent:
            wrong.append(f"not equivalent, {fate}: {mutant}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(fates)} mutants:", ", ".join(f"{n} {fate}" for fate, n in counts.items() if n))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
