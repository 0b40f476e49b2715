"""Counts the events of a trace of the stand-in driver:  check_events.py TRACE OUTPUT-OF-cnn-time."""
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    calls = file.read().splitlines()
with open(sys.argv[2], encoding="utf-8") as file:
    kernels = int(re.search(r"^(\d+) kernels", file.read(), re.M)[1])
# Between the first and the last event of a step there is one launch after each event but the last.
names = [call.split()[0] for call in calls]
elapsed = names.count("cuEventElapsedTime")
assert elapsed == 9 * kernels, (elapsed, kernels)
step = ["cuEventRecord"] + ["cuLaunchKernel", "cuEventRecord"] * kernels
only = [name for name in names if name in ("cuEventRecord", "cuLaunchKernel")]
found = sum(only[i:i + len(step)] == step for i in range(len(only)))
assert found == 9, (found, only[-len(step):])
