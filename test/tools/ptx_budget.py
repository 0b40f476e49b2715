#!/usr/bin/env python3
"""Holds kernels to what their kind may take of a multiprocessor.

    ptx_budget.py ARCH NET.ptx...     NET.json, and NET.txt with what `ptxas -v` said, lie beside each

The kinds are the algorithms of schedules; of products, by instruction. Prints a line per kind: the most
registers and shared memory of its kernels, the fewest blocks and threads of them that a multiprocessor holds
at a time. Status 1 when a kernel is over its budget.
"""
import json
import os
import re
import sys
from collections import namedtuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ptx import Module  # noqa: E402

# Per kind: most registers of a thread, most bytes of shared memory, fewest blocks and threads at a time.
# Kernels that are bound by memory need many threads to hide its latency: half of what a multiprocessor of
# compute capability 7.5 holds. A launch of several groups is of the kind of the first. Products have their sums
# in registers: two blocks, which take turns.
Budget = namedtuple("Budget", "registers shared blocks threads")
BUDGETS = {
    "point": Budget(128, 8 << 10, 1, 512),
    "reduce": Budget(128, 8 << 10, 1, 512),
    "contraction fma": Budget(224, 48 << 10, 2, 128),
    "contraction tf32": Budget(255, 48 << 10, 1, 256),
    "contraction bf16": Budget(255, 48 << 10, 1, 256),
}
# Threads, blocks, registers and bytes of shared memory of a multiprocessor, from the programming guide.
PROCESSORS = {"sm_75": (1024, 16, 65536, 64 << 10), "sm_80": (2048, 32, 65536, 164 << 10),
              "sm_86": (1536, 16, 65536, 100 << 10), "sm_89": (1536, 24, 65536, 100 << 10),
              "sm_90": (2048, 32, 65536, 228 << 10), "sm_90a": (2048, 32, 65536, 228 << 10),
              "sm_100": (2048, 32, 65536, 228 << 10), "sm_120": (1536, 24, 65536, 100 << 10)}
RESERVED = 1024  # bytes of shared memory of each block


def read_report(path):
    """(registers, bytes of shared memory, bytes of stack and spills) by kernel."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    uses = {}
    for part in text.split("Compiling entry function '")[1:]:
        def number(pattern, part=part):
            return sum(int(n) for n in re.findall(pattern, part))
        uses[part.split("'")[0]] = (
            number(r"Used (\d+) registers"), number(r"(\d+) bytes smem"),
            number(r"(\d+) bytes (?:stack frame|spill stores|spill loads)"))
    return uses


def count_blocks(arch, threads, registers, shared):
    most_threads, blocks, all_registers, all_shared = PROCESSORS[arch]
    warps = (threads + 31) // 32
    of_warp = (registers * 32 + 255) // 256 * 256
    limits = [blocks, most_threads // (warps * 32), all_registers // of_warp // warps if of_warp else blocks]
    if shared:
        limits.append(all_shared // (shared + RESERVED))
    return min(limits)


def main():
    arch, paths = sys.argv[1], sys.argv[2:]
    kinds, wrong = {}, []
    for path in paths:
        stem = os.path.splitext(path)[0]
        with open(path, encoding="utf-8") as file:
            threads = {kernel.name: kernel.threads for kernel in Module(file.read()).kernels}
        with open(stem + ".json", encoding="utf-8") as file:
            entries = json.load(file)["entries"]
        uses = read_report(stem + ".txt")
        for launch in {launch["kernel"]: launch for entry in entries for launch in entry["launches"]}.values():
            name, work = launch["kernel"], launch["work"]
            kind = work["algorithm"] + (" " + work["instruction"] if work["algorithm"] == "contraction" else "")
            registers, shared, local = uses[name]
            blocks = count_blocks(arch, threads[name], registers, shared)
            use = (registers, shared, blocks, blocks * threads[name])
            budget = BUDGETS.get(kind)
            where = f"{os.path.basename(stem)}: {name} ({kind})"
            if not budget:
                wrong.append(f"{where}: there is no budget for this kind")
            elif registers > budget.registers or shared > budget.shared or local:
                wrong.append(f"{where}: {registers} registers, {shared} bytes of shared memory, {local} of local memory")
            elif blocks < budget.blocks or use[3] < min(budget.threads, PROCESSORS[arch][1] * threads[name]):
                wrong.append(f"{where}: only {blocks} blocks, {use[3]} threads at a time")
            old = kinds.get(kind, (0, 0, 1 << 30, 1 << 30, 0))
            kinds[kind] = (max(old[0], registers), max(old[1], shared), min(old[2], blocks),
                           min(old[3], use[3]), old[4] + 1)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    for kind, (registers, shared, blocks, at_a_time, count) in sorted(kinds.items()):
        print(f"{arch} {kind}: {count} kernels, at most {registers} registers and {shared} bytes of shared memory, "
              f"at least {blocks} blocks and {at_a_time} threads at a time")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
