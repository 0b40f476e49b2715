#!/usr/bin/env python3
"""coverage.py: prints every layer of the registry (cnn-frontend, on PATH) that no row of cases.py
calls; status 1 when there is one."""
import re
import subprocess
import sys

from cases import CASES, ELSEWHERE

layers = subprocess.run(["cnn-frontend", "layers"], check=True, stdout=subprocess.PIPE,
                        text=True).stdout.split()
called = set(re.findall(r"\w+", " ".join(case.call for case in CASES)))
missing = [layer for layer in layers if layer not in called and layer not in ELSEWHERE]
print(f"{len(layers)} layers, without a case: {' '.join(missing) or 'none'}")
sys.exit(bool(missing or not layers))
