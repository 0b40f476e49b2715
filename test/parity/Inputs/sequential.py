"""Loads a weight file strictly into the nn.Sequential that PyTorch has for LeNet, and writes its state:
sequential.py IN OUT.
"""
import os
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import safetensors_stdlib as st  # noqa: E402

net = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid(),
    nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(),
    nn.Linear(84, 10))
state = {name: torch.from_numpy(np.frombuffer(data, dtype).reshape(shape).copy())
         for name, (dtype, shape, data) in st.read(sys.argv[1]).items()}
net.load_state_dict(state, strict=True)
st.write(sys.argv[2], {name: ("float32", tuple(tensor.shape), tensor.numpy().tobytes())
                       for name, tensor in net.state_dict().items()})
