#!/usr/bin/env python3
"""Rewrites the expected text of error tests after a deliberate change: update.py BIN FILE...

BIN is the folder with cnn-frontend. A test holds the input behind `//--- in.cnn` and the expected
text behind `//--- out.txt`; its RUN line says the command. Read the difference before committing.
"""
import os
import re
import subprocess
import sys
import tempfile

for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    command = re.search(r"^RUN: .*?not (cnn-frontend .*) \| diff", text, re.M).group(1)
    head, rest = text.split("//--- in.cnn\n", 1)
    source = rest.split("//--- out.txt\n", 1)[0]
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "in.cnn"), "w", encoding="utf-8") as file:
            file.write(source)
        environment = dict(os.environ, PATH=os.path.abspath(sys.argv[1]) + ":" + os.environ["PATH"])
        result = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if "error: " not in result.stdout:
        sys.exit(f"{path}: no error was reported")
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + "//--- in.cnn\n" + source + "//--- out.txt\n" + result.stdout)
