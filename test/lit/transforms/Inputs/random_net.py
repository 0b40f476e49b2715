"""Usage: random_net.py SEED: prints a random network in phase `cnn`, with a recipe.

Chains of convolutions, activations and poolings over images, with branches that are added again, then
linear layers; batch, channels, kernels, strides, padding, image sizes and element type vary."""

import random
import sys

rng = random.Random(int(sys.argv[1]))
element = rng.choice(["f32", "f64"])
batch = rng.randint(1, 9)
shape = [rng.randint(1, 4), rng.randint(6, 20), rng.randint(6, 20)]
params, body = [], []
count = 0


def tensor(dims):
    return "tensor<" + "".join(f"{d}x" for d in dims) + element + ">"


def emit(text, dims, layer):
    global count
    count += 1
    location = f'loc("{layer}{count}"("net.cnn":{count}:5))'
    body.append(f"    %v{count} = {text} -> {tensor(dims)} {location}")
    return f"%v{count}", dims


def param(layer, name, dims):
    symbol = f"{layer}{count + 1}.{name}"
    params.append(f'  cnn.param @{symbol} : {tensor(dims)} parameter <"constant">')
    value = f"%p{len(params)}"
    body.append(f"    {value} = cnn.read @{symbol} : {tensor(dims)}")
    return value


def conv(value, dims, same=False):
    n, c, h, w = dims
    kernel = [rng.randint(1, min(5, e)) for e in (h, w)]
    stride, padding, dilation = [1, 1], [0, 0, 0, 0], [1, 1]
    k = c if same else rng.randint(1, 6)
    if same:
        kernel, padding = [3, 3], [1, 1, 1, 1]
    elif rng.random() < 0.5:
        stride = [rng.randint(1, 2), rng.randint(1, 2)]
        padding = [rng.randint(0, e // 2) for e in kernel for _ in (0, 1)]
    groups = c if k == c and rng.random() < 0.3 else 1
    span = [d * (e - 1) + 1 for d, e in zip(dilation, kernel)]
    out = [(e + padding[2 * i] + padding[2 * i + 1] - span[i]) // stride[i] + 1 for i, e in enumerate((h, w))]
    weight = [k, c // groups] + kernel
    operands, types = [value, param("conv", "weight", weight)], [tensor(dims), tensor(weight)]
    if rng.random() < 0.7:
        operands.append(param("conv", "bias", [k]))
        types.append(tensor([k]))
    array = lambda values: f"array<i64: {', '.join(map(str, values))}>"
    attributes = (f"stride = {array(stride)}, padding = {array(padding)}, dilation = {array(dilation)}, "
                  f"groups = {groups} : i64")
    return emit(f"cnn.conv {', '.join(operands)} {{{attributes}}} : {', '.join(types)}", [n, k] + out, "conv")


def activation(value, dims):
    name = rng.choice(["sigmoid", "tanh", "relu"])
    return emit(f"cnn.{name} {value} : {tensor(dims)}", dims, name)


def pool(value, dims):
    n, c, h, w = dims
    kernel = [min(rng.randint(1, 3), h), min(rng.randint(2, 3), w)]
    stride = kernel if rng.random() < 0.7 else [1, 1]
    out = [(e - k) // s + 1 for e, k, s in zip((h, w), kernel, stride)]
    name = rng.choice(["max_pool", "avg_pool"])
    text = (f"kernel = array<i64: {kernel[0]}, {kernel[1]}>, stride = array<i64: {stride[0]}, {stride[1]}>, "
            "padding = array<i64: 0, 0, 0, 0>")
    return emit(f"cnn.{name} {value} {{{text}}} : {tensor(dims)}", [n, c] + out, "pool")


def reshape(value, dims):
    flat = [dims[0], dims[1] * dims[2] * dims[3]]
    return emit(f"cnn.reshape {value} : {tensor(dims)}", flat, "flatten")


def linear(value, dims, features):
    weight = [features, dims[1]]
    operands, types = [value, param("linear", "weight", weight)], [tensor(dims), tensor(weight)]
    if rng.random() < 0.7:
        operands.append(param("linear", "bias", [features]))
        types.append(tensor([features]))
    return emit(f"cnn.linear {', '.join(operands)} : {', '.join(types)}", [dims[0], features], "linear")


now = ("%image", [batch] + shape)
for _ in range(rng.randint(1, 8)):
    kind = rng.random()
    if kind < 0.35:
        now = conv(*now)
    elif kind < 0.6:
        now = activation(*now)
    elif kind < 0.75:
        now = pool(*now)
    else:  # a branch that is combined with what it left
        side = conv(*now, same=True)
        if rng.random() < 0.5:
            side = activation(*side)
        sign = rng.choice(["add", "sub", "mul"])
        now = emit(f"cnn.{sign} {side[0]}, {now[0]} : {tensor(side[1])}, {tensor(now[1])}", now[1], sign)
now = reshape(*now)
for _ in range(rng.randint(0, 2)):
    now = linear(*now, rng.randint(1, 12))
    now = activation(*now)
value, dims = linear(*now, rng.randint(2, 10))

momentum = rng.choice(["", " {momentum = true}", " {momentum = true, nesterov = true, weight_decay = true}"])
print('module @net attributes {cnn.phase = "cnn"} {')
print("\n".join(params))
print(f'  cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"{momentum} loc("net.cnn":90:1)')
print(f"  func.func @net(%image: {tensor([batch] + shape)} {{cnn.name = \"image\"}}) -> "
      f"({tensor(dims)} {{cnn.name = \"logits\"}}) {{")
print("\n".join(body))
print(f"    return {value} : {tensor(dims)}\n  }}\n}}")
