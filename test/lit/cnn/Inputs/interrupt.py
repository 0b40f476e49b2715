"""Runs a command, sends it SIGINT once its first epoch is done, and wants the exit code 130."""

import signal
import subprocess
import sys

process = subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE, text=True)
process.stderr.readline()
process.send_signal(signal.SIGINT)
process.stderr.read()
code = process.wait()
if code != 130:
    sys.exit(f"exit code {code}, not 130")
