"""The networks of examples/ as PyTorch modules, with the names of our parameters. Needs torch."""
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

from stream import dropout_words


class Dropout(nn.Module):
    """nn.Dropout by the mask that dialect/CnnRandomOps.td documents, of the `number`-th dropout."""

    seed = step = 0

    def __init__(self, p, number):
        super().__init__()
        self.p, self.number = p, number

    def forward(self, x):
        if not self.training:
            return x
        words = dropout_words(x.numel(), self.number, Dropout.step, Dropout.seed)
        keep = torch.from_numpy(words >= int(self.p * 2**32)).reshape(x.shape)
        return x * keep / (1 - self.p)


def named(**layers):
    return nn.Sequential(OrderedDict(layers))


def lenet(activation, pool):
    return named(conv1=nn.Conv2d(1, 6, 5, padding=2), a1=activation(), p1=pool(2),
                 conv2=nn.Conv2d(6, 16, 5), a2=activation(), p2=pool(2), flatten=nn.Flatten(),
                 linear1=nn.Linear(400, 120), a3=activation(), linear2=nn.Linear(120, 84),
                 a4=activation(), linear3=nn.Linear(84, 10))


def two_class():
    return named(conv1=nn.Conv2d(3, 16, 3, padding=1), a1=nn.Tanh(), p1=nn.MaxPool2d(2),
                 conv2=nn.Conv2d(16, 8, 3, padding=1), a2=nn.Tanh(), p2=nn.MaxPool2d(2),
                 flatten=nn.Flatten(), linear1=nn.Linear(512, 32), a3=nn.Tanh(),
                 linear2=nn.Linear(32, 2))


def vgg(widths):
    """`widths`: the channels of the convolutions of each block; five blocks leave 7x7 of 224x224."""
    net, channels = nn.Sequential(), 1
    for block in widths:
        layers = []
        for width in block:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        net.append(nn.Sequential(*layers, nn.MaxPool2d(2)))
    for layer in (nn.Flatten(), nn.Linear(channels * 49, 4096), nn.ReLU(), Dropout(0.5, 0),
                  nn.Linear(4096, 4096), nn.ReLU(), Dropout(0.5, 1), nn.Linear(4096, 10)):
        net.append(layer)
    return net


class Block(nn.Module):
    """conv1 -> bn1 -> relu -> conv2 -> bn2 -> ..., each convolution with `(channels, options)`; added to
    the input, or to what `skip` (named layers) makes of it; relu."""

    def __init__(self, inputs, convolutions, shortcut=None, **skip):
        super().__init__()
        for number, (channels, options) in enumerate(convolutions, 1):
            self.add_module(f"conv{number}", nn.Conv2d(inputs, channels, **options))
            self.add_module(f"bn{number}", nn.BatchNorm2d(channels))
            inputs = channels
        self.depth, self.skip, self.shortcut = len(convolutions), list(skip), shortcut
        for name, layer in skip.items():
            self.add_module(name, layer)

    def forward(self, x):
        y = x
        for number in range(1, self.depth + 1):
            y = F.relu(y) if number > 1 else y
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
        for name in self.skip:
            x = getattr(self, name)(x)
        return F.relu(y + (self.shortcut(x) if self.shortcut else x))


def residual(inputs, channels, stride=1, project=False):
    skip = dict(conv3=nn.Conv2d(inputs, channels, 1, stride=stride)) if project else {}
    return Block(inputs, [(channels, dict(kernel_size=3, padding=1, stride=stride)),
                          (channels, dict(kernel_size=3, padding=1))], **skip)


def resnext_block(inputs, channels, groups, stride=1, project=False, bottleneck=1.0):
    middle = int(channels * bottleneck + 0.5)
    skip = dict(conv4=nn.Conv2d(inputs, channels, 1, stride=stride),
                bn4=nn.BatchNorm2d(channels)) if project else {}
    return Block(inputs, [(middle, dict(kernel_size=1)),
                          (middle, dict(kernel_size=3, padding=1, stride=stride, groups=groups)),
                          (channels, dict(kernel_size=1))], **skip)


def every_second(x):
    """Every second pixel, between as many channels of zeros."""
    half = x[:, :, ::2, ::2]
    return torch.cat([half[:, ::2] * 0, half, half[:, ::2] * 0], 1)


def cifar_block(inputs, channels):
    stride = channels // inputs
    options = dict(kernel_size=3, padding=1, bias=False)
    return Block(inputs, [(channels, dict(stride=stride, **options)), (channels, options)],
                 shortcut=every_second if stride == 2 else None)


def stages(inputs, widths, block):
    """b2, b3, ...: two blocks each; all but the first halve the image."""
    for stage, width in enumerate(widths):
        first = block(inputs, width, stride=2, project=True) if stage else block(inputs, width)
        yield f"b{stage + 2}", nn.Sequential(first, block(width, width))
        inputs = width


def with_head(stem, body, channels):
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
    return nn.Sequential(OrderedDict([("0", nn.Sequential(*stem)), *body, ("last", head)]))


def resnet18(channels):
    stem = (nn.Conv2d(channels, 64, 7, stride=2, padding=3), nn.BatchNorm2d(64), nn.ReLU(),
            nn.MaxPool2d(3, 2, padding=1))
    return with_head(stem, stages(64, (64, 128, 256, 512), residual), 512)


def resnext_small():
    def block(inputs, channels, **options):
        return resnext_block(inputs, channels, groups=8, **options)
    stem = (nn.Conv2d(3, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU())
    return with_head(stem, stages(64, (64, 128, 256), block), 256)


def resnet20():
    net = named(conv1=nn.Conv2d(3, 16, 3, padding=1, bias=False), bn1=nn.BatchNorm2d(16),
                relu=nn.ReLU())
    inputs = 16
    for stage, width in enumerate((16, 32, 64), 1):
        net.add_module(f"layer{stage}", nn.Sequential(
            cifar_block(inputs, width), cifar_block(width, width), cifar_block(width, width)))
        inputs = width
    net.add_module("pool", nn.AdaptiveAvgPool2d(1))
    net.add_module("flatten", nn.Flatten())
    net.add_module("linear", nn.Linear(64, 10))
    return net


def with_classes(block, channels):
    """A block by itself, and what gives it a loss."""
    return named(part=block, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),
                 classify=named(linear1=nn.Linear(channels, 10)))


MODULES = {
    "lenet": lambda: lenet(nn.Sigmoid, nn.AvgPool2d),
    "lenet_relu": lambda: lenet(nn.ReLU, nn.MaxPool2d),
    "two_class": two_class,
    "vgg11": lambda: vgg(((64,), (128,), (256, 256), (512, 512), (512, 512))),
    "vgg_small": lambda: vgg(((16,), (32,), (64, 64), (128, 128), (128, 128))),
    "residual_same": lambda: with_classes(residual(3, 3), 3),
    "residual_halved": lambda: with_classes(residual(3, 6, stride=2, project=True), 6),
    "resnext_same": lambda: with_classes(resnext_block(32, 32, groups=2), 32),
    "resnext_halved": lambda: with_classes(
        resnext_block(32, 64, groups=8, stride=2, project=True, bottleneck=0.5), 64),
    "resnet18": lambda: resnet18(1),
    "resnet18_224": lambda: resnet18(1),
    "resnet18_cifar": lambda: resnet18(3),
    "resnet20": resnet20,
    "resnext_small": resnext_small,
}
