"""What is measured: the networks, modes and batches, and the systems that run them."""
from collections import namedtuple

# `most`: the ratio of our time to the best peer's that is aimed at. `module`: its name in
# test/parity/network_modules.py.
Row = namedtuple("Row", "net module file channels side mode batch most")
Peer = namedtuple("Peer", "packages modes")

NETS = {  # net: module, file, channels, side
    "lenet": ("lenet", "lenet/lenet.cnn", 1, 28),
    "resnet18": ("resnet18", "resnet/resnet.cnn", 1, 96),
    "resnet18_cifar": ("resnet18_cifar", "resnet/resnet.cnn", 3, 32),
    "resnet18_224": ("resnet18", "resnet/resnet.cnn", 1, 224),
    "vgg_small": ("vgg_small", "vgg/vgg.cnn", 1, 224),
    "vgg11": ("vgg11", "vgg/vgg.cnn", 1, 224),
}

ROWS = [Row(net, *NETS[net], mode, batch, most) for net, mode, batch, most in (
    ("lenet", "train", 128, 0.30),
    ("lenet", "infer", 128, 0.30),
    ("lenet", "infer", 1, 0.60),
    ("resnet18", "train", 128, 0.45),
    ("resnet18", "train", 16, 0.50),
    ("resnet18_cifar", "train", 128, 0.45),
    ("vgg_small", "train", 32, 0.45),
    ("vgg11", "train", 16, 0.45),
    ("resnet18_224", "train", 16, 0.50),
    ("resnet18", "infer", 16, 0.45),
    ("resnet18", "infer", 1, 0.80),
    ("resnet18_224", "infer", 16, 0.50),
    ("resnet18_224", "infer", 1, 0.65),
    ("vgg11", "infer", 16, 0.45),
    ("vgg11", "infer", 1, 0.65),
)]

BOTH, TRAIN, INFER = ("train", "infer"), ("train",), ("infer",)
TORCH = ("torch", "numpy", "setuptools")  # torch.compile wants setuptools
PEERS = {
    "torch": Peer(TORCH, BOTH),
    "torch-nhwc": Peer(TORCH, TRAIN),
    "torch-compile": Peer(TORCH, BOTH),
    "torch-compile-nhwc": Peer(TORCH, TRAIN),
    "onnxruntime": Peer((*TORCH, "onnx", "onnxruntime"), INFER),
    "openvino": Peer((*TORCH, "onnx", "openvino"), INFER),
    "mnn": Peer((*TORCH, "onnx", "MNN"), INFER),
    "ncnn": Peer((*TORCH, "ncnn", "pnnx"), INFER),
    "jax": Peer((*TORCH, "jax"), BOTH),
}


def key(row):
    """`lenet-train-128`: what --row selects by."""
    return f"{row.net}-{row.mode}-{row.batch}"
