"""Trains a net in one go, with a Ctrl-C, and with many kill -9 at random moments, and compares what
comes out. Standard library only.

    resume.py SCRATCH --cnn CNN --net FILE.cnn --data DIR [--recipe NAME] [--kills N] [--seed N]
"""
import argparse
import os
import random
import re
import signal
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("scratch")
parser.add_argument("--cnn", required=True)
parser.add_argument("--net", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--recipe", default="relu_on_fashion")
parser.add_argument("--kills", type=int, default=15)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
rng = random.Random(options.seed)
EPOCHS = 40


def start(name, *more):
    """Begins or continues the run whose files are called `name`."""
    stem = os.path.join(options.scratch, name)
    return subprocess.Popen(
        [options.cnn, "train", options.net, options.recipe, "--data", options.data, "--epochs",
         str(EPOCHS), "-o", stem + ".safetensors", "--log", stem + ".jsonl", *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def content(name):
    def read(ending):
        with open(os.path.join(options.scratch, name + ending), "rb") as file:
            return file.read()
    # The times in the log differ.
    log = re.sub(rb'"(seconds|images_per_second)":\s*[-+.e\d]+', b"", read(".jsonl"))
    return read(".safetensors"), log


def lines(name):
    """Epochs that the run called `name` has logged so far."""
    path = os.path.join(options.scratch, name + ".jsonl")
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as file:
        return file.read().count(b"\n")


def wait_for(process, name, count):
    """Until the run has logged `count` epochs, or is done: machines differ, so no time is given."""
    while process.poll() is None and lines(name) < count:
        time.sleep(0.001)


def finish(process, what):
    out, err = process.communicate()
    if process.returncode:
        sys.exit(f"{what}: status {process.returncode}\n{out}\n{err}")
    return out


def compare(name, what):
    weights, log = content(name)
    if weights != whole[0]:
        sys.exit(f"{what}: other weights than without")
    if log != whole[1]:
        sys.exit(f"{what}: another log than without")
    print(f"{what}: the same weights and log", flush=True)


for file in os.listdir(options.scratch):
    if file.split(".")[0] in ("whole", "interrupted", "killed"):
        os.remove(os.path.join(options.scratch, file))
begin = time.monotonic()
finish(start("whole"), "an uninterrupted run")
epoch_seconds = (time.monotonic() - begin) / EPOCHS
whole = content("whole")

process = start("interrupted")
wait_for(process, "interrupted", EPOCHS // 2)
process.send_signal(signal.SIGINT)
out, err = process.communicate()
if process.returncode != 130 or "continue with:" not in out:
    sys.exit(f"Ctrl-C: status {process.returncode}, not 130\n{out}\n{err}")
command = out.split("continue with:\n")[1].strip().split("\n")[0]
done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
if done.returncode:
    sys.exit(f"{command}\n{done.stdout}\n{done.stderr}")
compare("interrupted", "interrupted once by Ctrl-C")

checkpoint, kills = os.path.join(options.scratch, "killed.ckpt"), 0
while True:
    process = start("killed", *(["--resume", checkpoint] if os.path.exists(checkpoint) else []))
    # Far enough to get somewhere, and then anywhere: often within a write.
    wait_for(process, "killed", lines("killed") + rng.randint(1, 3))
    try:
        process.wait(timeout=rng.uniform(0, 2) * epoch_seconds)
    except subprocess.TimeoutExpired:
        if kills < options.kills:
            process.kill()
            process.communicate()
            kills += 1
            continue
    finish(process, f"after {kills} kills")
    break
compare("killed", f"killed {kills} times")
