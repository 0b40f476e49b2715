"""Goldens of nets with state: several training steps in PyTorch, then evaluation.

`make_goldens.py` writes what `make_training` gives as training.json and training.safetensors.
"""
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Residual(nn.Module):
    """conv1 -> bn1 -> relu -> conv2 -> bn2, added to the input of 3 channels."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.conv2, self.bn2 = nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.linear1 = nn.Linear(3 * 6 * 5, 4)

    def forward(self, x):
        a = F.relu(self.bn1(self.conv1(x)))
        b = F.relu(self.bn2(self.conv2(a)) + a)
        return self.linear1(b.flatten(1))


class Shared(nn.Module):
    """One batch norm that is used twice."""

    def __init__(self):
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(6, 7), nn.Linear(7, 4)
        self.norm = nn.BatchNorm1d(7)

    def forward(self, x):
        a = self.norm(self.linear1(x.flatten(1)))
        return self.linear2(self.norm(torch.tanh(a)))



def conv_bn(**options):
    def make():
        return nn.Sequential(OrderedDict(
            conv1=nn.Conv2d(2, 4, 3, padding=1, bias=False), bn1=nn.BatchNorm2d(4, **options),
            relu1=nn.ReLU(), flatten1=nn.Flatten(), linear1=nn.Linear(4 * 6 * 7, 5)))
    return make


CONV_BN = ("image -> conv(4, kernel = 3, padding = 1, bias = false) -> batch_norm{} -> relu -> "
           "flatten -> linear(5)")

# name, image, batch, rows of each step, offset of the images, body, module
CASES = [
    ("bn_image", (2, 6, 7), 5, (5, 3, 4), 0, CONV_BN.format(""), conv_bn()),
    ("bn_options", (2, 6, 7), 4, (4, 4), 0, CONV_BN.format("(eps = 0.01, momentum = 0.3)"),
     conv_bn(eps=0.01, momentum=0.3)),
    ("bn_blocks", (2, 6, 7), 32, (32, 19), 0, CONV_BN.format(""), conv_bn()),
    ("bn_one_row", (2, 6, 7), 3, (1, 3), 0, CONV_BN.format(""), conv_bn()),
    ("bn_far_mean", (2, 5, 5), 16, (16, 9), 1000,
     "image -> batch_norm -> relu -> flatten -> linear(5)",
     lambda: nn.Sequential(OrderedDict(
         bn1=nn.BatchNorm2d(2), relu1=nn.ReLU(), flatten1=nn.Flatten(),
         linear1=nn.Linear(50, 5)))),
    ("bn_features", (1, 3, 5), 7, (7, 6, 2), 0,
     "image -> flatten -> linear(6) -> batch_norm -> sigmoid -> linear(4) -> batch_norm",
     lambda: nn.Sequential(OrderedDict(
         flatten1=nn.Flatten(), linear1=nn.Linear(15, 6), bn1=nn.BatchNorm1d(6),
         sigmoid1=nn.Sigmoid(), linear2=nn.Linear(6, 4), bn2=nn.BatchNorm1d(4)))),
    ("bn_residual", (2, 6, 5), 16, (16, 11), 0,
     "a = image -> conv(3, kernel = 3, padding = 1, bias = false) -> batch_norm -> relu\n"
     "  b = a -> conv(3, kernel = 3, padding = 1, bias = false) -> batch_norm\n"
     "  relu(b + a) -> flatten -> linear(4)", Residual),
    ("bn_shared", (1, 2, 3), 8, (8, 5), 0,
     "layer norm = batch_norm\n"
     "  image -> flatten -> linear(7) -> norm -> tanh -> norm -> linear(4)", Shared),
]
RATE = 0.25


def make_training():
    """Per case, in double from float operands: the initial state, images and labels of one batch, the
    losses of the steps, the state after them, and the logits by that state in evaluation."""
    tensors, listing = {}, []
    for seed, (name, image, batch, rows, offset, body, make) in enumerate(CASES):
        torch.manual_seed(3000 + seed)
        net = make()
        with torch.no_grad():
            for key, value in net.state_dict().items():
                if key.endswith(("norm.weight", "bn1.weight", "bn2.weight", "running_var")):
                    value.uniform_(0.5, 1.5)
                elif key.endswith("running_mean"):
                    value.uniform_(-1, 1)
        images = torch.randn(batch, *image) + offset
        labels = torch.randint(0, net(images).shape[1], (batch,))
        net.double()
        one = {f"before.{key}": value.clone().float() for key, value in net.state_dict().items()
               if not key.endswith("num_batches_tracked")}
        net.load_state_dict({key: one[f"before.{key}"].double() if f"before.{key}" in one else value
                             for key, value in net.state_dict().items()})
        optimizer = torch.optim.SGD(net.parameters(), lr=RATE)
        losses = []
        for count in rows:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(images[:count].double()), labels[:count])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        one |= {f"after.{key}": value for key, value in net.state_dict().items()
                if not key.endswith("num_batches_tracked")}
        one |= {"image": images, "labels": labels.to(torch.int32), "losses": torch.tensor(losses, dtype=torch.double),
                "logits": net.eval()(images.double())}
        tensors |= {f"{name}.{key}": np.ascontiguousarray(value.detach().numpy())
                    for key, value in one.items()}
        listing.append(dict(name=name, image=image, batch=batch, rows=rows, body=body, lr=RATE))
    return tensors, listing
