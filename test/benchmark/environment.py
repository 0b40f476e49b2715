"""The virtual environment that peers run in."""
import os
import re
import subprocess
import sys
from collections import namedtuple

from rows import PEERS

HERE = os.path.dirname(os.path.abspath(__file__))
# `problems`: for each peer that cannot run, why.
Venv = namedtuple("Venv", "python problems")


def pins():
    """The line of requirements.txt of each package, without its version."""
    with open(os.path.join(HERE, "requirements.txt"), encoding="utf-8") as file:
        lines = [line.split("#")[0].strip() for line in file]
    return {re.split("[=<>~]", line)[0].lower(): line for line in lines if line}


def has(python, package):
    """Whether `python` finds the package, whatever its version."""
    code = ("import importlib.metadata as m, sys\n"
            "try: m.version(sys.argv[1])\nexcept m.PackageNotFoundError: sys.exit(1)")
    return subprocess.run([python, "-c", code, package], check=False).returncode == 0


def prepare(folder, packages_of, peers, say):
    """Makes the environment where it is missing, and installs what the peers need and it lacks."""
    python = os.path.join(folder, "bin", "python")
    if not peers:
        return Venv(python, {})
    if not os.path.exists(python):
        say(f"makes {folder}")
        done = subprocess.run([sys.executable, "-m", "venv", folder], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            why = "no virtual environment: " + done.stdout.strip().split("\n")[0]
            say(why + "\n  hint: on Debian, apt-get install python3-venv")
            return Venv(python, {peer: why for peer in peers})
    if packages_of:
        code = "import site; print('\\n'.join(site.getsitepackages()))"
        paths = subprocess.run([packages_of, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
        own = subprocess.run([python, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
        with open(os.path.join(own.stdout.split("\n")[0], "others.pth"), "w",
                  encoding="utf-8") as file:
            file.write(paths.stdout)
    lines, failed, problems = pins(), {}, {}
    for peer in peers:
        for package in PEERS[peer].packages:
            if package not in failed and not has(python, package):
                say(f"installs {lines[package.lower()]}")
                done = subprocess.run([python, "-m", "pip", "install", "--quiet",
                                       lines[package.lower()]], check=False, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                failed[package] = done.returncode and (
                    f"{package} cannot be installed: {done.stdout.strip().split(chr(10))[-1]}")
            if failed.get(package):
                problems[peer] = failed[package]
    return Venv(python, problems)
