#!/usr/bin/env python3
"""Compiles the networks of the examples for GPUs, and holds what comes out to every static check.

    ptx_networks.py FOLDER [--arch sm_80]... [--precision none|1e-3|1e-2]... [--only REGEX]
                    [--cnnc FILE] [--examples FOLDER]

Without options: every recipe, for every target, in f32, with tf32 (--precision 1e-3) and with bf16 (1e-2), an hour
of a processor. FOLDER/<arch>/<file>-<recipe>-<precision>.ptx are linted (ptx_lint.py)
and, where CUDA's toolkit is installed, given to ptxas, which must spill nothing, and held to budgets
(ptx_budget.py). Prints a line per target and precision, and what is wrong; status 1 when something is.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
from ptx_budget import PROCESSORS  # noqa: E402
from ptx_lint import lint  # noqa: E402

RECIPE = re.compile(r"^train (\w+) = (\w+)", re.MULTILINE)


def find_ptxas():
    return shutil.which("ptxas") or shutil.which("ptxas", path="/usr/local/cuda/bin")


def find_recipes(examples):
    """(file, net, recipe) of all examples."""
    for path in sorted(glob.glob(os.path.join(examples, "*/*.cnn"))):
        with open(path, encoding="utf-8") as file:
            for recipe, net in RECIPE.findall(file.read()):
                yield path, net, recipe


def assemble(ptxas, arch, path):
    """What is wrong, if something is; what ptxas says is kept beside the PTX."""
    done = subprocess.run([ptxas, "-arch", arch, "-v", "-warn-spills", "-warn-lmem-usage", "-Werror",
                           "-o", os.devnull, path], capture_output=True, text=True, check=False)
    report = done.stdout + done.stderr
    with open(os.path.splitext(path)[0] + ".txt", "w", encoding="utf-8") as file:
        file.write(report)
    if done.returncode:
        said = [line for line in report.splitlines() if "error" in line or "warning" in line]
        yield f"{path}: ptxas failed: {'; '.join(said) or report}"


def check(options, arch, precision, ptxas):
    """(number of networks, what is wrong) of one target and precision."""
    paths, wrong = [], []
    os.makedirs(os.path.join(options.folder, arch), exist_ok=True)
    setting = [] if precision == "none" else ["--set", f"schedule.precision={precision}"]
    for source, net, recipe in find_recipes(options.examples):
        name = f"{os.path.splitext(os.path.basename(source))[0]}-{recipe}-{precision}"
        if not re.search(options.only, name):
            continue
        path = os.path.join(options.folder, arch, name + ".ptx")
        done = subprocess.run([options.cnnc, source, "--target=nvptx", "-mcpu=" + arch, "--mode", "train", "--net", net,
                               "--recipe", recipe, *setting, "-o", path], capture_output=True, text=True, check=False)
        if done.returncode:
            wrong.append(f"{path}: {done.stderr.strip()}")
            continue
        paths.append(path)
        wrong += (f"{path}: {line}" for line in lint(path))
        if ptxas:
            wrong += assemble(ptxas, arch, path)
    if ptxas and paths:
        budget = subprocess.run([sys.executable, os.path.join(HERE, "ptx_budget.py"), arch, *paths],
                                capture_output=True, text=True, check=False)
        print(budget.stdout, end="")
        wrong += [budget.stderr or "over a budget, see above"] if budget.returncode else []
    return len(paths), wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--arch", action="append", choices=PROCESSORS)
    parser.add_argument("--precision", action="append")
    parser.add_argument("--only", default="", metavar="REGEX", help="names are <file>-<recipe>-<precision>")
    parser.add_argument("--cnnc", default=os.path.join(ROOT, "build/bin/cnnc"))
    parser.add_argument("--examples", default=os.path.join(ROOT, "examples"))
    options = parser.parse_args()
    ptxas, bad = find_ptxas(), False
    for arch in options.arch or PROCESSORS:
        for precision in options.precision or ("none", "1e-3", "1e-2"):
            if arch == "sm_75" and precision != "none":
                continue  # it has no such instructions
            count, wrong = check(options, arch, precision, ptxas)
            print(*wrong, sep="\n", end="\n" if wrong else "")
            assembled = "assembled without spills" if ptxas else "not assembled: there is no ptxas"
            print(f"{arch}, precision {precision}: {count} networks, {assembled if not wrong else 'wrong'}", flush=True)
            bad |= bool(wrong) or count == 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
