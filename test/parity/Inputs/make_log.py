"""A log as `cnn train --log` writes it, of PyTorch's own losses; the last is off by a factor."""
import json
import sys

path, variant, factor = sys.argv[1:]
losses = json.load(open(path, encoding="utf-8"))[variant]["losses"]
losses[-1] *= 1 + float(factor)
for step, loss in enumerate(losses, 1):
    print(json.dumps({"kind": "step", "step": step, "loss": loss}))
