"""Starts a training, kills it with SIGKILL at random moments, and resumes it, N times; then lets it end.

    kill.py N CNN train FILE ... -o W.safetensors
"""

import os
import random
import signal
import subprocess
import sys
import time

kills, command = int(sys.argv[1]), sys.argv[2:]
checkpoint = command[command.index("-o") + 1].replace(".safetensors", ".ckpt")
rng = random.Random(1)
while True:
    resume = ["--resume", checkpoint] if os.path.exists(checkpoint) else []
    process = subprocess.Popen(command + resume, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if kills:
        kills -= 1
        process.stderr.readline()  # an epoch's end: the checkpoint was just written, or will be again
        time.sleep(rng.random() * 0.05)
        process.send_signal(signal.SIGKILL)
    errors = process.stderr.read()
    code = process.wait()
    if code == 0:
        break
    if code != -signal.SIGKILL:
        sys.exit(f"exit code {code}\n{errors}")
