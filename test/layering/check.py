#!/usr/bin/env python3
"""Holds the layers of the project; standard library only.

    check.py ROOT          includes: dialect -> MLIR; compiler -> dialect, runtime/abi, runtime/schema; runtime -> nothing
                           of ours but runtime, nothing of LLVM; only compiler/tools links the runtime;
                           no pass, emitter or runtime file names a network, a layer or a shape of the books
    check.py --text ROOT   no tab, trailing blank, CRLF in source text; no heading whose ruler is broken off

Prints file:line: what is wrong, one a line; status 1 when there is any.
"""
import os
import re
import sys

SOURCE = (".c", ".cpp", ".h", ".td", ".inc")
INCLUDE = re.compile(r'^\s*(?:#\s*)?include\s*[<"]([^>"]+)[>"]')

# folder -> what an include line in it may not start with, first match by the longest folder
FORBIDDEN = {
    "runtime": ("llvm/", "llvm-c/", "mlir/", "mlir-c/", "clang/", "compiler/", "dialect/"),
    "runtime/abi": ("llvm/", "llvm-c/", "mlir/", "mlir-c/", "compiler/", "dialect/", "runtime/core",
                    "runtime/data", "runtime/task", "runtime/train", "runtime/device",
                    "runtime/reference"),
    "runtime/schema": ("llvm/", "llvm-c/", "mlir/", "mlir-c/", "compiler/", "dialect/", "runtime/core",
                       "runtime/data", "runtime/task", "runtime/train", "runtime/device",
                       "runtime/reference"),
    "dialect": ("compiler/", "runtime/"),
    "compiler": ("runtime/core", "runtime/data", "runtime/task", "runtime/train", "runtime/device",
                 "runtime/reference"),
    # The tools link the runtime: `cnn` trains in one process with the compiler.
    "compiler/tools": (),
}

# One definition of the random stream: tensors that a .cnn file draws are drawn by the front end.
ALLOWED = {"compiler": ("runtime/core/Random.h",)}

# Words that belong to examples and tests only. Layer names are those that an unlabelled layer gets:
# an operation and an ordinal, in quotes, so that a comment may say "conv1.forward".
NAMES = re.compile(
    r'\b(lenet|alexnet|vgg|resnet|resnext|fashion_lenet)\b|"(?:conv|linear|pool|bn)\d(?:[."])', re.I)
SHAPES = re.compile(r"\b(28\s*x\s*28|224\s*x\s*224|96\s*x\s*96|61706|11178378)\b")
# Headings of files and of sections end with a ruler, which clang-format breaks off where it is too long.
RULED = re.compile(r"\s*//===-+ .*[^/]$")
RULER = re.compile(r"\s*//-+===//$")
COMMENT = re.compile(r"^\s*(//|/\*|\*)")
NAMED_IN = ("compiler", "runtime")
# The known data sets: the extents of their images are facts of their files.
SHAPES_IN = "runtime/schema/DataSchema"
# The tools: --help shows commands on the examples.
HELP_IN = "compiler/tools/"


def sources(root, folders, endings):
    for folder in folders:
        for parent, inner, files in os.walk(os.path.join(root, folder)):
            inner[:] = sorted(d for d in inner if not d.startswith("build"))
            for name in sorted(files):
                if name.endswith(endings):
                    path = os.path.join(parent, name)
                    with open(path, encoding="utf-8", newline="") as file:
                        yield os.path.relpath(path, root), file.read().split("\n")


def layer_of(path):
    fitting = [folder for folder in FORBIDDEN if path.startswith(folder + "/")]
    return max(fitting, key=len, default=None)


def check_layers(root):
    for path, lines in sources(root, ("dialect", "compiler", "runtime"), SOURCE):
        prose = False  # within the text of a .td file: [{ ... }]
        for number, line in enumerate(lines, 1):
            prose = path.endswith(".td") and ("[{" in line or prose and "}]" not in line)
            match = INCLUDE.match(line)
            if (match and match[1].startswith(FORBIDDEN[layer_of(path)])
                    and match[1] not in ALLOWED.get(layer_of(path), ())):
                yield f"{path}:{number}: {layer_of(path)}/ may not include {match[1]}"
            general = path.startswith(NAMED_IN) and not path.startswith(HELP_IN)
            if general and not prose and not COMMENT.match(line):
                code = line.split("//")[0]
                shapes = None if path.startswith(SHAPES_IN) else SHAPES.search(code)
                for found in (NAMES.search(code), shapes):
                    if found:
                        yield f"{path}:{number}: names '{found[0]}', which only examples and tests may"


def check_text(root):
    endings = SOURCE + (".txt", ".cmake", ".py", ".md", ".mlir", ".cnn", ".test", ".sh")
    for path, lines in sources(root, ("dialect", "compiler", "runtime", "examples", "test"), endings):
        if "/Inputs/" in path or path.startswith("test/errors/"):
            continue  # bad text is what these are about
        for number, line in enumerate(lines, 1):
            if line != line.rstrip() or "\t" in line:
                yield f"{path}:{number}: a tab, a trailing blank or CRLF"
            if RULED.match(line) and number < len(lines) and RULER.match(lines[number]):
                yield f"{path}:{number}: the ruler behind a heading is on a line of its own"


def main():
    arguments = sys.argv[1:]
    check = check_text if arguments[:1] == ["--text"] else check_layers
    problems = list(check(arguments[-1]))
    print("\n".join(problems) or "no problem found")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
