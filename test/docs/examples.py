#!/usr/bin/env python3
"""Runs the examples of a Markdown file; standard library only.

    examples.py FILE.md --root REPOSITORY --scratch FOLDER

A block marked `console` holds commands ("$ ...", continued while a line ends in a backslash) and what
they print; commands run in a folder where the repository's top-level entries are links, in order, so
one may use the files of another. Output must match line by line, where any number matches any other
(machines differ) and a line "..." stands for any lines. A block marked `cnn` must pass `cnn check`, and
`cnn test` where it holds tests. A
comment `<!-- not run: REASON -->` right before a block leaves it out.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

FENCE = re.compile(r"^```(\w*)\s*$")
NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?")


def blocks(text):
    """(line number, language, lines, why not run or None) of each fenced block."""
    lines, index, reason = text.split("\n"), 0, None
    while index < len(lines):
        comment = re.match(r"<!-- not run: (.*) -->", lines[index])
        fence = FENCE.match(lines[index])
        if fence:
            end = lines.index("```", index + 1)
            yield index + 1, fence[1], lines[index + 1:end], reason
            index, reason = end, None
        elif comment:
            reason = comment[1]
        elif lines[index].strip():
            reason = None
        index += 1


def commands(lines):
    """(command, expected lines) of each command of a console block."""
    found, open_command = [], False
    for line in lines:
        if open_command:
            found[-1][0] += "\n" + line
        elif line.startswith("$ "):
            found.append([line[2:], []])
        elif found:
            found[-1][1].append(line)
        open_command = found and not found[-1][1] and line.endswith("\\")
    return found


def shape(line):
    """The line without what differs between machines: numbers and runs of blanks."""
    return " ".join(NUMBER.sub("#", line).split())


def matches(expected, actual):
    """Does `actual` match `expected`, in which "..." stands for any lines?"""
    if not expected:
        return not actual
    if expected[0] == "...":
        return any(matches(expected[1:], actual[i:]) for i in range(len(actual) + 1))
    return bool(actual) and expected[0] == actual[0] and matches(expected[1:], actual[1:])


def run(command, folder, environment):
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.rstrip("\n").split("\n") if done.stdout.strip() else []


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--root", required=True)
    parser.add_argument("--scratch", required=True)
    options = parser.parse_args()
    shutil.rmtree(options.scratch, ignore_errors=True)
    os.makedirs(options.scratch)
    for entry in os.listdir(options.root):
        if not entry.startswith("."):
            os.symlink(os.path.join(options.root, entry), os.path.join(options.scratch, entry))
    with open(options.file, encoding="utf-8") as file:
        text = file.read()
    problems, count = [], 0
    for number, language, lines, reason in blocks(text):
        where = f"{options.file}:{number}"
        if reason or language not in ("console", "cnn"):
            continue
        if language == "cnn":
            with open(os.path.join(options.scratch, f"block{number}.cnn"), "w") as file:
                file.write("\n".join(lines) + "\n")
            pairs = [[f"cnn check block{number}.cnn", []]]
            if any(line.startswith("test ") for line in lines):
                pairs.append([f"cnn test block{number}.cnn >/dev/null || echo failed", []])
        else:
            pairs = commands(lines)
        for command, expected in pairs:
            count += 1
            status, output = run(command, options.scratch, os.environ)
            if not matches(list(map(shape, expected)), list(map(shape, output))):
                problems.append(f"{where}: '{command}' (status {status}) prints\n" +
                                "\n".join("    " + line for line in output) +
                                "\n  but the text says\n" +
                                "\n".join("    " + line for line in expected))
    print("\n".join(problems) or f"{count} examples print what {options.file} says")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
