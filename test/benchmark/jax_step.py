"""A PyTorch module as a function of JAX: its layers, found by walking the modules, as XLA operations."""
import jax
import jax.numpy as jnp
from jax import lax
from torch import nn

from network_modules import Block


def pool(x, window, stride, padding, start, combine):
    def pair(value):
        return tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    edges = ((0, 0), (0, 0)) + tuple((p, p) for p in pair(padding))
    return lax.reduce_window(x, start, combine, (1, 1) + pair(window), (1, 1) + pair(stride), edges)


class Net:
    """`apply(params, x, train, key)`: the outputs; `params` has the names of the module's state."""

    def __init__(self, module):
        self.module = module
        self.names = {layer: name for name, layer in module.named_modules()}
        self.params = {name: jnp.asarray(value.detach().numpy())
                       for name, value in module.state_dict().items()
                       if value.dtype.is_floating_point}

    def apply(self, params, x, train, key):
        self.train, self.key = train, key
        return self.layer(self.module, params, x)

    def layer(self, module, params, x):
        def weight(name):
            return params[f"{self.names[module]}.{name}".lstrip(".")]

        def along_channels(values):
            return values[None, :, None, None]
        if isinstance(module, nn.Sequential):
            for child in module:
                x = self.layer(child, params, x)
            return x
        if isinstance(module, Block):
            y = x
            for number in range(1, module.depth + 1):
                y = jax.nn.relu(y) if number > 1 else y
                for kind in ("conv", "bn"):
                    y = self.layer(getattr(module, f"{kind}{number}"), params, y)
            for name in module.skip:
                x = self.layer(getattr(module, name), params, x)
            return jax.nn.relu(x + y)
        if isinstance(module, nn.Conv2d):
            x = lax.conv_general_dilated(x, weight("weight"), module.stride,
                                         [(p, p) for p in module.padding],
                                         dimension_numbers=("NCHW", "OIHW", "NCHW"),
                                         feature_group_count=module.groups)
            return x if module.bias is None else x + along_channels(weight("bias"))
        if isinstance(module, nn.Linear):
            return x @ weight("weight").T + weight("bias")
        if isinstance(module, nn.BatchNorm2d):
            mean, variance = ((x.mean((0, 2, 3)), x.var((0, 2, 3))) if self.train else
                              (weight("running_mean"), weight("running_var")))
            scale = weight("weight") * lax.rsqrt(variance + module.eps)
            return (x - along_channels(mean)) * along_channels(scale) + along_channels(weight("bias"))
        if isinstance(module, nn.MaxPool2d):
            return pool(x, module.kernel_size, module.stride, module.padding, -jnp.inf, lax.max)
        if isinstance(module, nn.AvgPool2d):
            area = module.kernel_size ** 2
            return pool(x, module.kernel_size, module.stride, module.padding, 0.0, lax.add) / area
        if isinstance(module, nn.AdaptiveAvgPool2d):
            return x.mean((2, 3), keepdims=True)
        if isinstance(module, nn.Dropout):
            if not self.train:
                return x
            return jnp.where(jax.random.bernoulli(self.key, 1 - module.p, x.shape),
                             x / (1 - module.p), 0)
        if isinstance(module, nn.Flatten):
            return x.reshape(x.shape[0], -1)
        if isinstance(module, nn.ReLU):
            return jax.nn.relu(x)
        if isinstance(module, nn.Sigmoid):
            return jax.nn.sigmoid(x)
        raise TypeError(f"no JAX for {type(module).__name__}")


def make_step(module, images, labels, train, rate):
    net, key = Net(module), jax.random.PRNGKey(0)
    x, y = jnp.asarray(images), jnp.asarray(labels)
    if not train:
        infer = jax.jit(lambda params, x: net.apply(params, x, False, key))
        return lambda: infer(net.params, x).block_until_ready(), jax.__version__

    def loss(params, x, y):
        scores = jax.nn.log_softmax(net.apply(params, x, True, key))
        return -jnp.take_along_axis(scores, y[:, None], 1).mean()

    def update(params, x, y):
        gradients = jax.grad(loss)(params, x, y)
        return {name: value - rate * gradients[name] for name, value in params.items()}
    step, state = jax.jit(update, donate_argnums=0), [net.params]

    def run():
        state[0] = step(state[0], x, y)
        jax.block_until_ready(state[0])
    return run, jax.__version__
