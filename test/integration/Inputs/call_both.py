"""call_both.py FOLDER CNNC CC "FILE OPTIONS..." ENTRY: one call of an entry point by code for this
machine and by code for AArch64, emulated, from the same numbers (call_entry.py). Says how many
tensors agree to 1e-4 of the largest number of each (of 1e-3 where all are smaller), or which does
not."""
import pathlib
import shlex
import subprocess
import sys

TOLERANCE = 1e-4
folder, cnnc, cc, options, entry = sys.argv[1:]
here = pathlib.Path(__file__).parent


def call(name, cpu, target, runner):
    def run(command, **more):
        return subprocess.run([*command], cwd=folder, check=True, **more)

    run([*shlex.split(cnnc), *shlex.split(options), *cpu, "-o", f"{name}.o"])
    with open(f"{folder}/{name}.c", "w", encoding="utf-8") as out:
        run([sys.executable, here / "call_entry.py", f"{name}.o", entry], stdout=out)
    run([*shlex.split(cc), *target, f"{name}.c", f"{name}.o", "-lm", "-o", name])
    text = run([*runner, f"./{name}"], stdout=subprocess.PIPE, text=True).stdout
    return [line.split() for line in text.splitlines()]


arm = call("arm", ["-mcpu=neoverse-n1"], ["--target=aarch64-linux-gnu", "-fuse-ld=lld"],
           ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"])
native = call("native", [], [], [])
for (name, *numbers), (other, *expected) in zip(arm, native, strict=True):
    assert name == other and len(numbers) == len(expected), (name, other)
    scale = max(1e-3, *(abs(float(number)) for number in expected))
    for a, b in zip(numbers, expected):
        if not abs(float(a) - float(b)) <= TOLERANCE * scale:
            sys.exit(f"{name}: {a} against {b}; the largest is {scale}")
print(f"{len(native)} tensors agree to {TOLERANCE:.0e}".replace("e-0", "e-"))
