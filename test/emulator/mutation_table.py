#!/usr/bin/env python3
"""Runs the mutation of every kind of kernel, and writes MUTANTS.md from it.

    mutation_table.py SCRATCH [--cnnc FILE] [--fakecuda FILE] [--update] [--case NAME]...

Inputs/equivalent has a line for each survivor that is proven to change nothing,

    <case>: <kernel>: <mutation>  # why

A case is a network of Inputs/ or examples/ on odd shapes under one choice of algorithms and instructions. Each
kernel's mutants are run on its first launch of a training step (README.md, Mutation), in a case once per
seed. A case whose report is in SCRATCH, of the same PTX and the same emulator, is not run again: cases can be run one by one.
A mutant is caught when any run catches it. Status 1 when one survives that is not proven equivalent, when one that
is does not, or when MUTANTS.md lacks a kind of kernel that was run.
"""
import argparse
import json
import os
import subprocess
import sys

from mutants import FATES, LINE, UNEXPLAINED, judge, read_equivalent

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TABLE = os.path.join(HERE, "MUTANTS.md")
EQUIVALENT = os.path.join(HERE, "Inputs/equivalent")
PRODUCTS = [f"schedule.{op}={{}}" for op in ("conv", "conv_data_grad", "conv_weight_grad", "linear", "matmul")]
TINY = [os.path.join(HERE, "Inputs/tiny.cnn"), "--recipe"]
MOMENTS = [os.path.join(ROOT, "test/lit/nvptx/Inputs/moments.cnn"), "--recipe", "moments_step"]
THROUGH = ["schedule.relu=load:through", "schedule.mask_rows=load:through"]
MOST_THROUGH = [*THROUGH, "schedule.tanh=load:through"]
CHANNELS, PLAIN = ["schedule.layout=channels"], ["schedule.layout=plain"]
# name: arguments of cnnc, settings, seeds.
CASES = {
    "lenet": ([os.path.join(ROOT, "examples/lenet/lenet.cnn"), "--batch=3"], [], (0,)),
    "vgg": ([*TINY, "vgg_tiny"], [], (0,)),
    "resnet": ([*TINY, "resnet_tiny"], [], (0,)),
    "products": ([*TINY, "products_tiny"], [p.format("contraction") for p in PRODUCTS], (0,)),
    "reductions": ([*TINY, "products_tiny"], [p.format("reduce") for p in PRODUCTS[:3]], (0, 1)),
    "windows": ([os.path.join(ROOT, "test/lit/nvptx/Inputs/windows.cnn"), "--recipe", "windows_step"],
                ["schedule.conv=pool:with;algorithm:contraction"], (0,)),
    "tf32": ([*TINY, "products_tiny"], [p.format("instruction:tf32") for p in PRODUCTS], (0,)),
    "bf16": ([*TINY, "products_tiny"], [p.format("instruction:bf16") for p in PRODUCTS], (0,)),
    # Products that compute what is in front of them.
    "prologues": ([*TINY, "resnet_tiny"], [*THROUGH, *CHANNELS, *(p.format("contraction") for p in PRODUCTS)], (0,)),
    "prologues-tf32": ([*TINY, "resnet_tiny"], [*THROUGH, *CHANNELS, *(p.format("instruction:tf32") for p in PRODUCTS)], (0,)),
    "prologues-bf16": ([*TINY, "through_tiny"], [*THROUGH, *PLAIN, *(p.format("instruction:bf16") for p in PRODUCTS)], (0,)),
    # Statistics behind products, and what is normalised by them in front of others.
    "moments": (MOMENTS, [*MOST_THROUGH, *PLAIN, "schedule.conv=algorithm:contraction;windows:2x4"], (0,)),
    "moments-tf32": (MOMENTS, [*MOST_THROUGH, *CHANNELS, "schedule.conv=instruction:tf32;windows:2x4"], (0,)),
    "moments-bf16": (MOMENTS, [*MOST_THROUGH, *PLAIN, "schedule.conv=instruction:bf16;windows:2x4"], (0,)),
    "moments-channels": (MOMENTS, [*MOST_THROUGH, *CHANNELS, "schedule.conv=algorithm:contraction;windows:2x4"], (0,)),
}
FORMS = ("without the barrier", "without the wait", "always true", "always false", "without the bound")


def run(command, **environment):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env=dict(os.environ, **environment))
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}")


def read(path):
    """The text of a file, None where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def kind_of(work):
    return work["algorithm"] + (f" ({work['instruction']})" if work["algorithm"] == "contraction" else "")


def run_case(name, options):
    """{(kind, kernel, mutation): fates}"""
    arguments, settings, seeds = CASES[name]
    stem, ir = os.path.join(options.scratch, name), os.path.join(options.scratch, "ir")
    os.makedirs(ir, exist_ok=True)
    chosen = [word for setting in settings for word in ("--set", setting)]
    before = read(stem + ".ptx")
    run([options.cnnc, *arguments, "--target=nvptx", "--mode", "train", *chosen, "-o", stem + ".ptx"], CNNC_SAVE_NVVM=ir)
    kept = before == read(stem + ".ptx")
    with open(stem + ".json", encoding="utf-8") as file:
        kinds = {launch["kernel"]: kind_of(launch["work"])
                 for entry in json.load(file)["entries"] for launch in entry["launches"]}
    fates = {}
    for seed in seeds:
        report = f"{stem}.{seed}"
        if not (kept and os.path.exists(report) and os.path.getmtime(report) > os.path.getmtime(options.fakecuda)):
            unfinished = report + ".unfinished"
            if os.path.exists(unfinished):
                os.remove(unfinished)
            run([sys.executable, os.path.join(HERE, "step.py"), stem + ".json", "--steps", "1", "--seed", str(seed),
                 *(["--nan"] if seed else [])],
                CNN_LIBCUDA=options.fakecuda, CNN_FAKECUDA_IR=ir, CNN_FAKECUDA_MUTATE=unfinished,
                CNN_FAKECUDA_SEED=str(seed))
            os.rename(unfinished, report)
        for match in filter(None, map(LINE.fullmatch, read(report).splitlines())):
            key = kinds[match[1]], match[1], match[3].split(" -- ")[0]
            fates.setdefault(key, set()).add(match[2])
    return fates


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scratch")
    parser.add_argument("--cnnc", default=os.path.join(ROOT, "build/bin/cnnc"))
    parser.add_argument("--fakecuda", default=os.path.join(ROOT, "build/lib/libcnn-fakecuda.so"))
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--case", action="append", choices=CASES)
    options = parser.parse_args()
    rows, kernels, survivors, proven, equivalent = {}, {}, [], [], read_equivalent(EQUIVALENT)
    for name in options.case or CASES:
        for (kind, kernel, mutation), seen in run_case(name, options).items():
            fate = judge(seen)
            form = next(form for form in FORMS if mutation.startswith(form))
            rows.setdefault((kind, form), dict.fromkeys(FATES, 0))[fate] += 1
            kernels.setdefault(kind, set()).add((name, kernel))
            if why := equivalent.get(f"{name}: {kernel}: {mutation}"):
                (proven if fate in UNEXPLAINED else survivors).append(f"{name}: {kernel} ({kind}): {fate}: {mutation}: {why}")
            elif fate in UNEXPLAINED:
                survivors.append(f"{name}: {kernel} ({kind}): {fate}: {mutation}")
    lines = ["| kernels | mutants | " + " | ".join(FATES) + " |", "|---" * (len(FATES) + 2) + "|"]
    for kind in sorted(kernels):
        for form in FORMS:
            if counts := rows.get((kind, form)):
                lines.append(f"| {len(kernels[kind])} × {kind} | {sum(counts.values())} {form} | "
                             + " | ".join(str(counts[fate]) for fate in FATES) + " |")
    print(*lines, *proven, *survivors, sep="\n")
    if options.update:
        with open(TABLE, "w", encoding="utf-8") as file:
            file.write(HEADER.format(", ".join(options.case or CASES)) + "\n".join(lines) + "\n")
            if proven:
                file.write("\nProven to change nothing:\n\n" + "".join(f"- {line}\n" for line in proven))
            if survivors:
                file.write("\nTo be explained, or mended:\n\n" + "".join(f"- {line}\n" for line in survivors))
    with open(TABLE, encoding="utf-8") as file:
        text = file.read()
    missing = [kind for kind in kernels if f" × {kind} |" not in text]
    if missing:
        print(f"MUTANTS.md lacks {', '.join(missing)}: run mutation_table.py with --update")
    return 1 if survivors or missing else 0


HEADER = """# What becomes of mutants

Written by `mutation_table.py --update`; how mutants are made and judged stands in `README.md`. One training step of
each of these, on odd shapes: {}.
In each kernel every barrier and every wait for copies is taken away in turn, every comparison made always true and always
false, every minimum and maximum dropped. Explained without being caught: what spares accesses (the mutant does more of them,
with the same results), what others decide (the mutant makes the very same accesses), and what is not exercised (at these
shapes it always is what the mutant makes it). What survives is superfluous at these shapes, or a check is missing.

"""

if __name__ == "__main__":
    sys.exit(main())
