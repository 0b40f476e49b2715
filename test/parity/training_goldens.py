"""Goldens of nets with state: several training steps in PyTorch, then evaluation.

`make_goldens.py` writes what `make_training` gives as training.json and training.safetensors.
"""
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from network_modules import Dropout


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


def plain_bn(**options):
    def make():
        return nn.Sequential(OrderedDict(
            bn1=nn.BatchNorm2d(2, **options), relu1=nn.ReLU(), flatten1=nn.Flatten(),
            linear1=nn.Linear(24, 3)))
    return make


def perceptron():
    return nn.Sequential(OrderedDict(flatten1=nn.Flatten(), linear1=nn.Linear(15, 9),
                                     tanh1=nn.Tanh(), linear2=nn.Linear(9, 4)))


def pair(first, second, features, norm=None):
    """Two convolutions with nothing, or a batch norm of `norm` channels, between them."""
    def make():
        between = {"bn1": nn.BatchNorm2d(norm)} if norm else {}
        return nn.Sequential(OrderedDict(
            conv1=nn.Conv2d(*first), **between, conv2=nn.Conv2d(*second), flatten1=nn.Flatten(),
            linear1=nn.Linear(features, 5)))
    return make


PERCEPTRON = "image -> flatten -> linear(9) -> tanh -> linear(4)"
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
SGD = dict(kind="sgd", lr=0.25)
# The same for cases with another optimizer.
OTHERS = [
    ("dropout", (1, 3, 5), 16, (16, 11, 16), SGD,
     "image -> flatten -> linear(12) -> relu -> dropout(0.5) -> linear(9) -> dropout(p = 0.25) "
     "-> linear(5)",
     lambda: nn.Sequential(OrderedDict(
         flatten1=nn.Flatten(), linear1=nn.Linear(15, 12), relu1=nn.ReLU(),
         dropout1=Dropout(0.5, 0), linear2=nn.Linear(12, 9), dropout2=Dropout(0.25, 1),
         linear3=nn.Linear(9, 5)))),
    ("dropout_image", (2, 6, 7), 32, (32, 19), SGD,
     "image -> conv(4, kernel = 3, padding = 1) -> dropout(0.3) -> batch_norm -> relu "
     "-> flatten -> linear(5)",
     lambda: nn.Sequential(OrderedDict(
         conv1=nn.Conv2d(2, 4, 3, padding=1), dropout1=Dropout(0.3, 0), bn1=nn.BatchNorm2d(4),
         relu1=nn.ReLU(), flatten1=nn.Flatten(), linear1=nn.Linear(4 * 6 * 7, 5)))),
    ("sgd_momentum", (1, 3, 5), 6, (6, 5, 6, 2), dict(kind="sgd", lr=0.2, momentum=0.8),
     PERCEPTRON, perceptron),
    ("sgd_nesterov", (1, 3, 5), 6, (6, 5, 6, 2),
     dict(kind="sgd", lr=0.2, momentum=0.8, weight_decay=0.05, nesterov=True), PERCEPTRON,
     perceptron),
    ("adam", (1, 3, 5), 6, (6, 5, 6, 2), dict(kind="adam", lr=0.02), PERCEPTRON, perceptron),
    ("adam_decay", (1, 3, 5), 6, (6, 5, 6, 2),
     dict(kind="adam", lr=0.05, beta1=0.7, beta2=0.95, eps=1e-3, weight_decay=0.1), PERCEPTRON,
     perceptron),
    ("adamw", (1, 3, 5), 6, (6, 5, 6, 2), dict(kind="adamw", lr=0.02, weight_decay=0.3),
     PERCEPTRON, perceptron),
    ("sgd_dampening", (1, 3, 5), 6, (6, 5, 6, 2),
     dict(kind="sgd", lr=0.2, momentum=0.8, weight_decay=0.05, dampening=0.3), PERCEPTRON,
     perceptron),
    ("adam_amsgrad", (1, 3, 5), 6, (6, 5, 6, 2),
     dict(kind="adam", lr=0.05, beta2=0.6, weight_decay=0.1, amsgrad=True), PERCEPTRON, perceptron),
    ("adamw_amsgrad", (1, 3, 5), 6, (6, 5, 6, 2),
     dict(kind="adamw", lr=0.05, beta2=0.6, weight_decay=0.0, amsgrad=True), PERCEPTRON, perceptron),
    # Pairs of convolutions that are one in evaluation (cnn-merge-convolutions).
    ("merged", (2, 9, 8), 16, (16, 9), SGD,
     "image -> conv(24, kernel = 3) -> conv(3, kernel = 3) -> flatten -> linear(5)",
     pair((2, 24, 3), (24, 3, 3), 60)),
    ("merged_border", (2, 6, 6), 16, (16,), SGD,
     "image -> conv(24, kernel = 1, bias = false) -> conv(3, kernel = 3, padding = 1) -> flatten "
     "-> linear(5)",
     pair((2, 24, 1, 1, 0, 1, 1, False), (24, 3, 3, 1, 1), 108)),
    ("merged_groups", (4, 7, 7), 16, (16,), SGD,
     "image -> conv(32, kernel = 3, padding = 1, groups = 4) -> conv(4, kernel = 3, groups = 2) "
     "-> flatten -> linear(5)",
     pair((4, 32, 3, 1, 1, 1, 4), (32, 4, 3, 1, 0, 1, 2), 100)),
    ("merged_norm", (3, 11, 10), 8, (8, 5), SGD,
     "image -> conv(32, kernel = (3, 2), stride = (2, 1), dilation = (1, 2), bias = false) "
     "-> batch_norm -> conv(4, kernel = (2, 3), stride = (1, 2)) -> flatten -> linear(5)",
     pair((3, 32, (3, 2), (2, 1), 0, (1, 2), 1, False), (32, 4, (2, 3), (1, 2)), 48,
          norm=32)),
]
CASES = [(*case[:4], SGD, case[4], *case[5:], "cross_entropy") for case in CASES]
CASES += [(*case[:4], case[4], 0, *case[5:], "cross_entropy") for case in OTHERS]
# And by another loss.
CASES += [(loss.split("(")[0] + "_" + kind, (2, 5, 4), batch, rows, dict(kind="sgd", lr=rate, momentum=0.8),
           0, body, make, loss)
          for loss, rate in (("mse", 0.5), ("sse", 0.05), ("cross_entropy(label_smoothing = 0.2)", 0.2))
          for kind, batch, rows, body, make in (
              ("few", 5, (5, 3, 4), "image -> flatten -> linear(6) -> tanh -> linear(4)",
               lambda: nn.Sequential(OrderedDict(
                   flatten1=nn.Flatten(), linear1=nn.Linear(40, 6), tanh1=nn.Tanh(),
                   linear2=nn.Linear(6, 4)))),
              ("blocks", 32, (32, 19), "image -> conv(3, kernel = 3) -> relu -> flatten -> linear(4)",
               lambda: nn.Sequential(OrderedDict(
                   conv1=nn.Conv2d(2, 3, 3), relu1=nn.ReLU(), flatten1=nn.Flatten(),
                   linear1=nn.Linear(18, 4)))))]
CASES += [
    ("adamw_options", (1, 3, 5), 6, (6, 5, 6, 2),
     dict(kind="adamw", lr=0.05, beta1=0.6, beta2=0.9, eps=1e-2, weight_decay=0.1), 0, PERCEPTRON,
     perceptron, "cross_entropy"),
]
# Without running statistics, evaluation is by those of its batch, too.
CASES += [
    (name, (2, 3, 4), 5, (5, 3, 4), SGD, 0,
     f"image -> batch_norm({call}) -> relu -> flatten -> linear(3)", plain_bn(**options),
     "cross_entropy")
    for name, call, options in (
        ("bn_not_affine", "affine = false", dict(affine=False)),
        ("bn_untracked", "track_running_stats = false", dict(track_running_stats=False)),
        ("bn_plain", "affine = false, track_running_stats = false, eps = 0.1",
         dict(affine=False, track_running_stats=False, eps=0.1)))]


def loss_of(loss, logits, labels):
    """`mse` and `sse` are errors against 1 for the class and 0 elsewhere; sums are means over rows."""
    if loss.startswith("cross_entropy"):
        return F.cross_entropy(logits, labels, label_smoothing=0.2 if "smoothing" in loss else 0.0)
    target = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return F.mse_loss(logits, target, reduction="mean" if loss == "mse" else "sum")


def make_optimizer(net, optimizer):
    options = {key: value for key, value in optimizer.items() if key != "kind"}
    if "beta2" in options:
        options["betas"] = (options.pop("beta1", 0.9), options.pop("beta2"))
    kind = dict(sgd=torch.optim.SGD, adam=torch.optim.Adam, adamw=torch.optim.AdamW)
    return kind[optimizer["kind"]](net.parameters(), **options)


def make_training():
    """Per case, in double from float operands: the initial state, images and labels of one batch, the
    losses of the steps, the state after them, and the logits by that state in evaluation."""
    tensors, listing = {}, []
    Dropout.seed = 0x123456789AB
    for seed, (name, image, batch, rows, opt, offset, body, make, loss_text) in enumerate(CASES):
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
        optimizer = make_optimizer(net, opt)
        losses = []
        for number, count in enumerate(rows):
            Dropout.step = number
            optimizer.zero_grad()
            loss = loss_of(loss_text, net(images[:count].double()), labels[:count])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        one |= {f"after.{key}": value for key, value in net.state_dict().items()
                if not key.endswith("num_batches_tracked")}
        one |= {"image": images, "labels": labels.to(torch.int32), "losses": torch.tensor(losses, dtype=torch.double),
                "logits": net.eval()(images.double())}
        tensors |= {f"{name}.{key}": np.ascontiguousarray(value.detach().numpy())
                    for key, value in one.items()}
        listing.append(dict(name=name, image=image, batch=batch, rows=rows, body=body,
                            optimizer=opt, loss=loss_text, seed=Dropout.seed))
    return tensors, listing


# schedule, its scheduler for an optimizer (of a rate of 0.4), epochs, steps per epoch
LR = torch.optim.lr_scheduler


def after_warmup(count, make):
    """SequentialLR: the linear warm-up over `count` units, then the scheduler."""
    return lambda o: LR.SequentialLR(
        o, [LR.LinearLR(o, start_factor=1 / (count + 1), total_iters=count), make(o)], [count])


SCHEDULES = [
    ("constant", lambda o: LR.ConstantLR(o, factor=1), 3, 2, False),
    ("constant(warmup = 2)", after_warmup(2, lambda o: LR.ConstantLR(o, factor=1)), 4, 2, False),
    ("step(size = 2, gamma = 0.5)", lambda o: LR.StepLR(o, 2, 0.5), 7, 3, False),
    ("step(2, per_step = true)", lambda o: LR.StepLR(o, 2), 2, 4, True),
    ("step(2, warmup = 3)", after_warmup(3, lambda o: LR.StepLR(o, 2)), 8, 2, False),
    ("constant(warmup = 5, per_step = true)",
     after_warmup(5, lambda o: LR.ConstantLR(o, factor=1)), 2, 4, True),
    ("milestones([3, 5], per_step = true)", lambda o: LR.MultiStepLR(o, [3, 5]), 2, 4, True),
    ("milestones(at = [2, 5, 5])", lambda o: LR.MultiStepLR(o, [2, 5, 5]), 7, 2, False),
    ("milestones([1, 3], gamma = 0.3, warmup = 1)",
     after_warmup(1, lambda o: LR.MultiStepLR(o, [1, 3], 0.3)), 7, 2, False),
    ("cosine", lambda o: LR.CosineAnnealingLR(o, 9), 9, 2, False),
    ("cosine(min = 0.01, warmup = 3)",
     after_warmup(3, lambda o: LR.CosineAnnealingLR(o, 7, 0.01)), 10, 2, False),
    ("cosine(per_step = true, warmup = 4)",
     after_warmup(4, lambda o: LR.CosineAnnealingLR(o, 8)), 3, 4, True),
    ("cosine(length = 4)", lambda o: LR.CosineAnnealingLR(o, 4), 7, 1, False),
    ("one_cycle", lambda o: LR.OneCycleLR(o, 0.4, total_steps=20, cycle_momentum=False), 5, 4,
     True),
    ("one_cycle(max = 2, pct_start = 0.5, div = 10, final_div = 100, linear = true)",
     lambda o: LR.OneCycleLR(o, 2, total_steps=12, pct_start=0.5, anneal_strategy="linear",
                             cycle_momentum=False, div_factor=10, final_div_factor=100), 3, 4,
     True),
]


def make_schedules():
    """The rate of every step of each schedule."""
    listing = []
    for text, make, epochs, steps, per_step in SCHEDULES:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
        scheduler, rates = make(optimizer), []
        for _ in range(epochs):
            for _ in range(steps):
                rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                if per_step and len(rates) < epochs * steps:
                    scheduler.step()
            if not per_step:
                scheduler.step()
        listing.append(dict(schedule=text, epochs=epochs, steps_per_epoch=steps, rates=rates))
    return listing


INIT = nn.init
INITIALISERS = [
    ("pytorch_default", None),
    ("xavier_uniform", INIT.xavier_uniform_),
    ("xavier_uniform(gain = 2)", lambda w: INIT.xavier_uniform_(w, 2)),
    ("xavier_normal", INIT.xavier_normal_),
    ("xavier_normal(gain = 0.5)", lambda w: INIT.xavier_normal_(w, 0.5)),
    ("kaiming_uniform", lambda w: INIT.kaiming_uniform_(w, nonlinearity="relu")),
    ('kaiming_uniform(mode = "fan_out", nonlinearity = "leaky_relu", slope = 0.2)',
     lambda w: INIT.kaiming_uniform_(w, 0.2, "fan_out")),
    ("kaiming_normal", lambda w: INIT.kaiming_normal_(w, nonlinearity="relu")),
    ('kaiming_normal(mode = "fan_out", nonlinearity = "tanh")',
     lambda w: INIT.kaiming_normal_(w, mode="fan_out", nonlinearity="tanh")),
    ('kaiming_normal(nonlinearity = "leaky_relu", slope = 0.2)',
     lambda w: INIT.kaiming_normal_(w, 0.2)),
    ("constant(0.25)", lambda w: INIT.constant_(w, 0.25)),
]


def make_initialisers():
    """Per initialisation and parameter what PyTorch draws it from: ["uniform_", low, high],
    ["normal_", mean, deviation] or ["fill_", value]."""
    drawn, kept = {}, {name: getattr(torch.Tensor, name) for name in ("uniform_", "normal_", "fill_")}

    def record(name):
        def replaced(tensor, *numbers, **_):
            drawn[id(tensor)] = [name, *map(float, numbers)]
            return tensor
        return replaced

    listing = []
    try:
        for name in kept:
            setattr(torch.Tensor, name, record(name))
        for text, function in INITIALISERS:
            net = nn.Sequential(OrderedDict(
                conv1=nn.Conv2d(3, 64, 3), conv2=nn.Conv2d(64, 32, 3, groups=2),
                linear1=nn.Linear(512, 100)))
            for layer in net if function else ():
                function(layer.weight)
            listing.append(dict(init=text, parameters={
                name: drawn[id(value)] for name, value in net.named_parameters()}))
    finally:
        for name, function in kept.items():
            setattr(torch.Tensor, name, function)
    return listing
