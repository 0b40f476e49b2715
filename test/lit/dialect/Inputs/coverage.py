"""Usage: coverage.py DIALECT.md FOLDER: compares the dialect's documentation with the tests of FOLDER.

Prints every operation that no round trip prints, every numbered constraint without a case `// <op> C<n>`
in an invalid-*.mlir, and every such case whose constraint no longer exists."""

import pathlib
import re
import sys

text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
folder = pathlib.Path(sys.argv[2])
sections = re.split(r"^### `(cnn\.\w+)` \(cnn::\w+Op\)$", text, flags=re.M)
ops = {}
for op, body in zip(sections[1::2], sections[2::2]):
    body = re.split(r"^## ", body, flags=re.M)[0]
    numbers = {int(n) for n in re.findall(r"^ *- C(\d+):", body, re.M)}
    for first, last in re.findall(r"C(\d+) (?:to|and) C?(\d+) of `", body):
        numbers |= set(range(int(first), int(last) + 1))
    ops[op] = numbers

printed = set()
for name in ("structure.mlir", "compute.mlir"):
    checks = re.findall(r"^ *// CHECK\S*: (.*)", (folder / name).read_text(encoding="utf-8"), re.M)
    printed |= set(re.findall(r"cnn\.[a-z_0-9]+", "\n".join(checks)))
cases = set()
for path in folder.glob("invalid-*.mlir"):
    found = re.findall(r"^// (cnn\.\w+) C(\d+)$", path.read_text(encoding="utf-8"), re.M)
    cases |= {(op, int(number)) for op, number in found}

constraints = {(op, number) for op, numbers in ops.items() for number in numbers}
problems = [f"{op}: no round trip" for op in sorted(set(ops) - printed)]
problems += [f"{op}: no invalid case for C{number}" for op, number in sorted(constraints - cases)]
problems += [f"{op}: case for C{number}, which does not exist" for op, number in sorted(cases - constraints)]
print("\n".join(problems) or f"{len(ops)} operations, {len(constraints)} constraints: all tested")
sys.exit(bool(problems or not ops))
