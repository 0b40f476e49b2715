#!/usr/bin/env python3
"""Checks what cnnc writes for a GPU against rules that ptxas and the emulator do not know.

    ptx_lint.py NET.ptx...            NET.json beside each says what its launches are

Nowhere: local memory, generic addresses, calls and declarations of functions of others, atomics, shared
memory that is not aligned for vector accesses. In innermost loops: no division of integers. Where a group's
schedule says that a thread has several neighbours: accesses of so many elements to global memory. In the main
loop of a product: as many mma, barriers and waits for copies as its tile needs. Prints what is wrong, and a
line of counts; status 1 when something is.
"""
import json
import math
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ptx import Module  # noqa: E402


def check_module(module):
    for number, line in enumerate(module.text.splitlines(), 1):
        line = line.split("//")[0]
        if re.search(r"\.extern\b", line):
            yield f"line {number}: declared elsewhere: {line.strip()}"
        if re.search(r"^\s*\.local\b", line):
            yield f"line {number}: local memory: {line.strip()}"
        if match := re.search(r"\.shared\s+(?:\.align\s+(\d+))?", line.split(";")[0]) if ".b8" in line else None:
            if int(match[1] or 1) < 16:
                yield f"line {number}: aligned to {match[1] or 1} bytes: {line.strip()}"


def check_kernel(kernel):
    def say(what, instruction):
        return f"{kernel.name}, line {instruction.line}: {what}: {instruction.opcode} {instruction.operands}"
    for instruction in kernel.code:
        head = instruction.parts[0]
        if instruction.is_memory() and instruction.space() == "local":
            yield say("local memory", instruction)
        if instruction.is_memory() and instruction.space() == "":
            yield say("a generic address", instruction)
        if head in ("atom", "red"):
            yield say("an atomic", instruction)
        if head == "call":
            yield say("a call", instruction)
    for first, last in kernel.inner:
        for instruction in kernel.code[first:last + 1]:
            if instruction.parts[0] in ("div", "rem") and instruction.parts[-1][0] in "us":
                yield say("a division in an innermost loop", instruction)


def parse_schedule(text):
    """`"contraction", block = 128, tile = [64, 64, 16, 32, 32], instruction = "tf32"` as a dictionary."""
    found = {"algorithm": text.split(",")[0].strip(' "'), "instruction": "fma", "stages": 1, "vector": 1}
    for key, numbers, word, number in re.findall(r'(\w+) = (?:\[([\d, ]*)\]|"(\w+)"|(\d+))', text):
        found[key] = [int(n) for n in numbers.split(",")] if numbers else word or int(number)
    return found


def check_product(kernel, schedule, launch):
    """The main loop of a product: one step of the depth at a time."""
    rows, columns, depth, own_rows, own_columns = schedule["tile"]
    work, staged = launch["work"], schedule["stages"] > 1
    if schedule["instruction"] == "fma":
        unit, expected = "fma.rn", depth * own_rows * own_columns
    else:
        unit, deep = "mma.sync", {"tf32": 8, "bf16": 16}[schedule["instruction"]]
        expected = own_rows // 16 * (own_columns // 8) * (depth // deep)
    all_steps = work["operations"] // (2 * math.prod(launch["grid"]) * rows * columns * depth)
    loops = [(a, b) for a, b in kernel.loops if kernel.count(unit, a, b)]
    first, last = max(loops or [(0, len(kernel.code) - 1)], key=lambda loop: kernel.count(unit, *loop))
    found, barriers = kernel.count(unit, first, last), kernel.count("bar", first, last)
    # With stages a step has one barrier. Without, it has two, but for a single step. A loop may hold several steps;
    # where there is none, all of them follow each other.
    of_step = 1 if staged else 2
    steps = max(barriers // of_step, 1) if loops else all_steps
    if barriers != (1 if all_steps == 1 else of_step * steps):
        yield f"{kernel.name}: {barriers} barriers in the main loop; {of_step} for each of {steps} steps"
    # Of rows and columns that no tile has, nothing is left; but what is wanted of the tiles is there. Of fma, where
    # there is no loop, the epilogue has some, too.
    least = expected * steps * work["flops"] / work["operations"]
    most = expected * steps if loops or unit != "fma.rn" else found
    if not least <= found <= most or unit != "fma.rn" and found % steps:
        yield (f"{kernel.name}: {found} {unit} and {barriers} barriers in the main loop; "
               f"{expected} for each step of {schedule['tile']}")
    begun, waits = kernel.count("cp.async.commit", first, last), kernel.count("cp.async.wait", first, last)
    if loops and (begun != waits or begun not in (0, steps)):
        yield (f"{kernel.name}: {begun} groups of copies and {waits} waits in the main loop; "
               f"one of each for {steps} steps")


def count_bits(instruction):
    """Of an access: `v2.b64` has 128."""
    sizes = [re.fullmatch(r"(v|[a-z]+)(\d+)", part) for part in instruction.parts[1:]]
    return math.prod(int(match[2]) for match in sizes if match)


def check_vectors(kernel, schedules, bits):
    """Of groups whose threads have several neighbours of `bits` each: accesses to that many at a time, in whatever
    pieces the backend takes them."""
    for width in {schedule["vector"] for schedule in schedules} - {1}:
        # Groups of one launch may have their accesses in common.
        if not any(i.space() == "global" and count_bits(i) >= width * bits for i in kernel.code if i.is_memory()):
            yield f"{kernel.name}: no accesses of {width} elements, as its schedule says"


def lint(path):
    with open(path, encoding="utf-8") as file:
        module = Module(file.read())
    yield from check_module(module)
    kernels = {kernel.name: kernel for kernel in module.kernels}
    for kernel in module.kernels:
        yield from check_kernel(kernel)
    with open(os.path.splitext(path)[0] + ".json", encoding="utf-8") as file:
        manifest = json.load(file)
    buffers = (buffer for entry in manifest["entries"] for buffer in entry.get("buffers", []))
    bits = 64 if any(buffer.get("element") == "f64" for buffer in buffers) else 32
    seen = set()
    for launch in (launch for entry in manifest["entries"] for launch in entry["launches"]):
        kernel = kernels.get(launch["kernel"])
        if not kernel:
            yield f"{launch['kernel']}: launched, and not there"
        if not kernel or kernel.name in seen or "schedule" not in launch.get("work", {}):
            continue
        seen.add(kernel.name)
        schedules = [parse_schedule(text) for text in launch["work"]["schedule"].split("; ")]
        if schedules[0]["algorithm"] == "contraction":
            yield from check_product(kernel, schedules[0], launch)
        else:
            yield from check_vectors(kernel, schedules, bits)


def main():
    wrong = counted = 0
    for path in sys.argv[1:]:
        for line in lint(path):
            print(f"{path}: {line}")
            wrong += 1
        with open(path, encoding="utf-8") as file:
            counted += file.read().count(".entry ")
    print(f"{len(sys.argv) - 1} files, {counted} kernels, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
