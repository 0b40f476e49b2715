"""Usage: state_dict.py write|read DIR: writes the net of state_dict.cnn as PyTorch keeps it, with
num_batches_tracked, to DIR/torch.safetensors; reads DIR/ours.safetensors back, strictly."""
import os
import sys
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import safetensors_stdlib as st  # noqa: E402

torch.manual_seed(5)
net = nn.Sequential(OrderedDict(
    conv1=nn.Conv2d(1, 3, 5, stride=2, bias=False), bn1=nn.BatchNorm2d(3), relu1=nn.ReLU(),
    flatten1=nn.Flatten(), linear1=nn.Linear(432, 8), bn2=nn.BatchNorm1d(8),
    linear2=nn.Linear(8, 10)))
net(torch.randn(16, 1, 28, 28))  # moves the running statistics
state = {key: value.clone() for key, value in net.state_dict().items()}
assert state["bn1.num_batches_tracked"] == 1
if sys.argv[1] == "write":
    st.write(os.path.join(sys.argv[2], "torch.safetensors"),
             {key: (str(value.dtype).removeprefix("torch."), tuple(value.shape),
                    value.numpy().tobytes()) for key, value in state.items()})
else:
    ours = st.read(os.path.join(sys.argv[2], "ours.safetensors"))
    net.load_state_dict({key: torch.from_numpy(np.frombuffer(data, dtype).reshape(shape).copy())
                         for key, (dtype, shape, data) in ours.items()}, strict=True)
    for key, value in net.state_dict().items():
        assert key.endswith("num_batches_tracked") or torch.equal(value, state[key]), key
    print(f"{len(ours)} tensors")
