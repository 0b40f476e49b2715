#!/usr/bin/env python3
"""Merges reports of mutation (CNN_FAKECUDA_MUTATE) of one module and tells what survives all.

    mutants.py [--equivalent FILE] REPORT...

A mutant is caught when any of the runs catches it: they differ in data, in rows, in the seed.
FILE: lines "<kernel>: <mutation>  # why it changes nothing", for mutants that are equivalent.
Status 1 when another one survives, or one of FILE is caught.
"""
import argparse
import re
import sys

# What becomes of a mutant, what counts most over several runs first; README.md, Mutation.
FATES = ("caught by a check", "caught by the result", "survives", "cannot be built", "spares accesses",
         "decided by others", "not exercised")
UNEXPLAINED = FATES[2:4]
LINE = re.compile(rf"([^:]+): ({'|'.join(FATES)}): (.*)")


def read_equivalent(path):
    """{mutant: why it changes nothing}"""
    with open(path, encoding="utf-8") as file:
        parts = (line.partition("  # ") for line in file if line.strip())
        return {mutant.strip(): why.strip() for mutant, _, why in parts}


def judge(seen):
    """A mutant's fate over all runs."""
    return next(fate for fate in FATES if fate in seen)


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
    equivalent = read_equivalent(options.equivalent) if options.equivalent else {}
    counts = dict.fromkeys(FATES, 0)
    wrong = []
    for mutant, seen in fates.items():
        fate = judge(seen)
        counts[fate] += 1
        if fate in UNEXPLAINED and mutant not in equivalent:
            wrong.append(f"survives: {mutant}")
        if fate in FATES[:2] and mutant in equivalent:
            wrong.append(f"not equivalent, {fate}: {mutant}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(fates)} mutants:", ", ".join(f"{n} {fate}" for fate, n in counts.items() if n))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
