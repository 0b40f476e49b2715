#!/usr/bin/env python3
"""What calls with mistakes report, in full: errors.py, or errors.py --update after a change.

errors.json has rows [name, inputs of the net, body, text] for each layer or function, by its name; the
text is what cnn-frontend (found on PATH) prints for a net with that body, where it stands in line 2 of
`in.cnn`. For what a recipe names (`loss mse`, `optimizer sgd`, ...) the inputs are null, and the body
is a line of the recipe, line 3. --update writes the texts anew: read the difference before
committing. coverage.py says what has no row.
"""
import json
import os
import subprocess
import sys
import tempfile

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "errors.json")
RECIPE = """net n(image: [1, 28, 28]) {{ image -> flatten -> linear(10) }}
train t = n {{
  {body}
  data = mnist
  batch = 1
  epochs = 9{optimizer}
}}
"""


def load():
    with open(TABLE, encoding="utf-8") as file:
        return json.load(file)


def report(inputs, body):
    """The lines that are printed for a file with the mistake."""
    optimizer = "" if body.startswith("optimizer") else "\n  optimizer = sgd(lr = 1)"
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "in.cnn"), "w", encoding="utf-8") as file:
            file.write(RECIPE.format(body=body, optimizer=optimizer) if inputs is None
                       else f"net n({inputs}) {{\n  {body}\n}}\n")
        result = subprocess.run(["cnn-frontend", "check", "in.cnn"], cwd=folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode != 1:
        sys.exit(f"{body}: status {result.returncode}, expected an error")
    return result.stdout.splitlines()


def main():
    table = load()
    rows = [(entry, row) for entry, of_entry in table.items() for row in of_entry]
    bad = 0
    for entry, row in rows:
        name, inputs, body, text = row
        row[3] = report(inputs, body)
        if row[3] != text:
            bad += 1
            print(f"{entry}, {name}: reports\n" + "\n".join(row[3]) + "\nexpected\n" + "\n".join(text))
    if sys.argv[1:] == ["--update"]:
        with open(TABLE, "w", encoding="utf-8") as file:
            json.dump(table, file, indent=1)
            file.write("\n")
        return 0
    print(f"all {len(rows)} messages compared, {bad} differ")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
