#!/usr/bin/env python3
"""Compares the rate of every step with those of schedules.json.

    schedules.py CNN_FRONTEND SCRATCH
"""
import json
import os
import subprocess
import sys

SOURCE = """net n(image: [1, 4, 4]) {{ image -> flatten -> linear(10) }}
train t = n {{
  data = mnist
  batch = 1
  optimizer = sgd(lr = 0.4)
  schedule = {schedule}
  epochs = {epochs}
}}
"""
tool, scratch = sys.argv[1:]
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
bad = 0
with open(os.path.join(folder, "schedules.json"), encoding="utf-8") as file:
    cases = json.load(file)
for case in cases:
    path = os.path.join(scratch, "schedule.cnn")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SOURCE.format(**case))
    out = subprocess.run([tool, "rates", path, f"--steps-per-epoch={case['steps_per_epoch']}"],
                         check=True, capture_output=True, text=True).stdout
    ours = [float(line) for line in out.split()]
    # PyTorch computes most rates from the one before: its roundings add up.
    same = len(ours) == len(case["rates"]) and all(
        abs(a - b) <= 1e-12 * abs(b) + 1e-15 for a, b in zip(ours, case["rates"]))
    if not same:
        bad += 1
        print(f"{case['schedule']}: {ours}, PyTorch has {case['rates']}")
print(f"{len(cases)} schedules, {bad} differ")
sys.exit(bool(bad))
