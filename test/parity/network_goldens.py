#!/usr/bin/env python3
"""What cnn-steps prints of each network, by PyTorch: for networks.json, which this script writes, and for
`networks.py --torch`. Needs torch and numpy.

The modules are those of network_modules.py, or those that a file has instead (`make(name)` returns
the module first, for each name in `MODELS`): tensors then belong to ours in the order in which they stand.
"""
import argparse
import importlib.util
import json
import re
import sys

import torch
import torch.nn.functional as F
from torch import nn

import stream
from network_modules import MODULES, Dropout
from networks import GOLDEN, NETWORKS, STEPS, compare

IMAGES = {"lenet": (1, 28, 28), "lenet_relu": (1, 28, 28), "two_class": (3, 32, 32),
          "vgg11": (1, 224, 224), "vgg_small": (1, 224, 224), "residual_same": (3, 6, 6),
          "residual_halved": (3, 6, 6), "resnext_same": (32, 96, 96),
          "resnext_halved": (32, 12, 12), "resnet18": (1, 96, 96), "resnet18_224": (1, 224, 224),
          "resnet18_cifar": (3, 32, 32), "resnet20": (3, 32, 32), "resnext_small": (3, 32, 32)}
# The optimizers of the recipes; SGD with a rate of 0.01 otherwise.
OPTIMIZERS = {"lenet": dict(lr=0.1), "lenet_relu": dict(lr=0.1),
              "resnet18_cifar": dict(momentum=0.9, weight_decay=5e-4),
              "resnet20": dict(momentum=0.9, weight_decay=1e-4),
              "resnext_small": dict(momentum=0.9, weight_decay=5e-4),
              "resnext_same": dict(momentum=0.9), "resnext_halved": dict(weight_decay=0.1)}


def digest(tensor):
    flat = tensor.detach().double().reshape(-1)
    samples = [flat[(4 * k + 1) * len(flat) // 16].item() for k in range(4)]
    return [flat.sum().item(), flat.norm().item(), flat.abs().max().item(), *samples]


def tensors_of(net):
    return {name: value for name, value in net.state_dict().items()
            if not name.endswith("num_batches_tracked")}


def replace_dropout(net):
    """Dropout by our masks in place of PyTorch's."""
    number = 0
    for parent in list(net.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Dropout):
                setattr(parent, name, Dropout(child.p, number))
                number += 1


def module(name, models):
    """The module, and our names of its tensors by its own."""
    ours, file = MODULES[name](), None
    if models:
        spec = importlib.util.spec_from_file_location("models", models)
        file = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(file)
    if name not in getattr(file, "MODELS", ()):
        return ours, {key: key for key in tensors_of(ours)}
    net = file.make(name)[0]
    replace_dropout(net)
    return net, dict(zip(tensors_of(net), tensors_of(ours), strict=True))


def run(name, models=None, seed=0, dtype=torch.double):
    net, names = module(name, models)
    net = net.to(dtype)
    for key, value in tensors_of(net).items():
        value.copy_(torch.from_numpy(stream.state(seed, names[key], tuple(value.shape))))
    network = NETWORKS[name]
    Dropout.seed, classes = seed, 2 if name == "two_class" else 10

    def images(step):
        shape = (network.batch, *IMAGES[name])
        return torch.from_numpy(stream.uniform(seed, f"image.{step}", shape, -1, 1)).to(dtype)

    with torch.no_grad():
        logits = net.eval()(images(0))
    result = dict(batch=network.batch, logits=logits.reshape(-1).tolist(), losses=[])
    net.train()
    options = dict(lr=0.01) | OPTIMIZERS.get(name, {})
    if network.rate:
        options["lr"] = network.rate
    optimizer = torch.optim.SGD(net.parameters(), **options)
    for step in range(STEPS):
        Dropout.step = step
        optimizer.zero_grad()
        labels = stream.below(seed, f"labels.{step}", network.batch, classes)
        loss = F.cross_entropy(net(images(step)), torch.from_numpy(labels))
        loss.backward()
        if step == 0:
            result["gradients"] = {names[key]: digest(parameter.grad)
                                   for key, parameter in net.named_parameters()}
        optimizer.step()
        result["losses"].append(loss.item())
    result["state"] = {names[key]: digest(value) for key, value in tensors_of(net).items()}
    for key, parameter in net.named_parameters():
        velocity = optimizer.state[parameter].get("momentum_buffer")
        if velocity is not None:
            result["state"][names[key] + ".velocity"] = digest(velocity)
    return result


def short(value, digits=11):
    if isinstance(value, dict):
        return {key: short(inner, 10 if key in ("gradients", "state") else digits)
                for key, inner in value.items()}
    if isinstance(value, list):
        return [short(inner, digits) for inner in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description="Makes networks.json, all of it or some networks.")
    parser.add_argument("--net", action="append", choices=NETWORKS)
    parser.add_argument("--check", action="store_true", help="compare with it instead")
    parser.add_argument("--models", help="a file with the modules to use")
    options = parser.parse_args()
    names, golden, bad = options.net or list(NETWORKS), {}, 0
    if options.check or options.net:
        with open(GOLDEN, encoding="utf-8") as file:
            golden = json.load(file)
    for name in names:
        made = short(run(name, options.models))
        if not options.check:
            golden[name] = made
            continue
        # As exact as double is after five steps (DEEP of networks.py says what depth does).
        result = compare(made, golden[name], NETWORKS[name].tolerances["f64"])
        print(f"{name}: {'differs' if result.problems else 'as PyTorch gives it'}")
        print("".join(f"  {problem}\n" for problem in result.problems), end="", flush=True)
        bad += bool(result.problems)
    if not options.check:
        text = json.dumps({name: golden[name] for name in NETWORKS if name in golden})
        with open(GOLDEN, "w", encoding="utf-8") as file:
            file.write(re.sub(r'(\{|\], )(?=")', "\\1\n", text) + "\n")  # a line for each tensor
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
