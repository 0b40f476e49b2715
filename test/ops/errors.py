#!/usr/bin/env python3
"""What calls with mistakes report, in full: errors.py, or errors.py --update after a change.

A row of errors.json is [name, inputs of the net, body, text]; the text is what cnn-frontend (found
on PATH) prints for a net with that body, where it stands in line 2 of `in.cnn`. --update writes the
texts anew: read the difference before committing.
"""
import json
import os
import subprocess
import sys
import tempfile

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "errors.json")


def report(inputs, body):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "in.cnn"), "w", encoding="utf-8") as file:
            file.write(f"net n({inputs}) {{\n  {body}\n}}\n")
        result = subprocess.run(["cnn-frontend", "check", "in.cnn"], cwd=folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode != 1:
        sys.exit(f"{body}: status {result.returncode}, expected an error")
    return result.stdout


def main():
    with open(TABLE, encoding="utf-8") as file:
        rows = json.load(file)
    bad = 0
    for row in rows:
        name, inputs, body, text = row
        row[3] = report(inputs, body).splitlines()
        if row[3] != text:
            bad += 1
            print(f"{name}: reports\n" + "\n".join(row[3]) + "\nexpected\n" + "\n".join(text))
    if sys.argv[1:] == ["--update"]:
        with open(TABLE, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
        return 0
    print(f"{len(rows)} messages compared, {bad} differ")
    return bad > 0


sys.exit(main())
