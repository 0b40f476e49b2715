#!/usr/bin/env python3
"""Rewrites the expected text of error tests after a deliberate change: update.py BIN FILE...

BIN is the folder with cnn-frontend. A test holds its files behind lines `//--- NAME` and the expected
text behind `//--- out.txt`, the last; its RUN line says the command. Read the difference before committing.
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
    before, _ = text.split("//--- out.txt\n", 1)
    files = re.findall(r"^//--- (\S+)\n(.*?)(?=^//--- |\Z)", before, re.M | re.S)
    with tempfile.TemporaryDirectory() as folder:
        for name, source in files:
            at = os.path.join(folder, name)
            os.makedirs(os.path.dirname(at), exist_ok=True)
            with open(at, "w", encoding="utf-8") as file:
                file.write(source)
        environment = dict(os.environ, PATH=os.path.abspath(sys.argv[1]) + ":" + os.environ["PATH"])
        result = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if "error: " not in result.stdout:
        sys.exit(f"{path}: no error was reported")
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + "//--- out.txt\n" + result.stdout)
