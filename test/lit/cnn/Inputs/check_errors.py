"""check_errors.py FILE LEAST MOST: the errors of the convolutions in a line of `cnn time --layers --errors --json`."""
import json
import sys

path, least, most = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    layers = json.load(file)["layers"]
errors = {layer["name"]: layer["error"] for layer in layers if "error" in layer}
assert {"conv1.forward", "conv1.weight_grad", "conv2.data_grad", "conv2.weight_grad"} <= set(errors), errors
assert not any("part" in layer for layer in layers if "error" in layer), layers
assert all(float(least) < error < float(most) for error in errors.values()), errors
