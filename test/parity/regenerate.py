#!/usr/bin/env python3
"""Makes every golden of the repository that comes from PyTorch, or compares them with it.

    regenerate.py [--check] [--fashion DIR]

Needs torch and numpy (Pillow for data.safetensors), and some minutes: VGG-11 has 128.8 million parameters.
"""
import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--fashion", default="/usr/share/datasets/fashion-mnist")
    options = parser.parse_args()
    check = ["--check"] if options.check else []
    bad = 0
    for script in (["make_goldens.py", "--fashion", options.fashion], ["index.py", "make"],
                   ["make_data_goldens.py"], ["../ops/make_goldens.py"], ["network_goldens.py"]):
        print(" ".join(script + check), flush=True)
        path = os.path.join(HERE, script[0])
        bad += subprocess.run([sys.executable, path, *script[1:], *check], cwd=HERE).returncode != 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
