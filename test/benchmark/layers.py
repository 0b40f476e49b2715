"""The convolutions and linear layers of a network by oneDNN, through PyTorch, each pass on its own.

    layers.py NET MODE BATCH THREADS SECONDS

Prints a line of JSON: for `layer.forward`, and when MODE is train also `layer.data_grad` and
`layer.weight_grad`, the least milliseconds over plain, channels-last and, at inference, prepacked
weights. Ours include what is fused with them."""
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "..", "parity")]


def least(step, seconds):
    step()
    best, end = float("inf"), time.perf_counter() + seconds
    for run in range(1 << 20):
        start = time.perf_counter()
        step()
        now = time.perf_counter()
        best = min(best, now - start)
        if run >= 2 and now > end:
            break
    return 1e3 * best


def find_layers(case):
    """(name, module, its input), in the order in which they run."""
    import torch
    from torch import nn
    found = []

    def note(name):
        return lambda module, inputs, output: found.append((name, module, inputs[0].detach().clone()))
    hooks = [module.register_forward_hook(note(name)) for name, module in case.model.named_modules()
             if isinstance(module, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        case.model(case.x)
    for hook in hooks:
        hook.remove()
    return found


def steps_of(module, x, train):
    """Pairs of a pass and a function that computes it."""
    import torch
    from torch import nn
    weight, bias = module.weight.detach(), module.bias
    bias = None if bias is None else bias.detach()
    if isinstance(module, nn.Linear):
        gradient = torch.rand(x.shape[0], weight.shape[0])
        yield "forward", lambda: nn.functional.linear(x, weight, bias)
        yield "data_grad", lambda: gradient @ weight
        yield "weight_grad", lambda: gradient.T @ x
        return
    shape = (module.stride, module.padding, module.dilation)
    for layout in (torch.contiguous_format, torch.channels_last):
        u, w = x.to(memory_format=layout), weight.to(memory_format=layout)
        yield "forward", lambda u=u, w=w: nn.functional.conv2d(u, w, bias, *shape, module.groups)
        gradient = torch.rand_like(nn.functional.conv2d(u, w, None, *shape, module.groups))

        def backward(u, w, gradient, mask):
            return torch.ops.aten.convolution_backward(gradient, u, w, [w.shape[0]], *shape, False,
                                                       [0, 0], module.groups, mask)
        for name, mask in (("data_grad", [True, False, False]), ("weight_grad", [False, True, False])):
            yield name, lambda u=u, w=w, g=gradient, mask=mask: backward(u, w, g, mask)
    if not train:
        packed = torch.ops.mkldnn._reorder_convolution_weight(
            weight, module.padding, module.stride, module.dilation, module.groups, list(x.shape))
        u = x.to(memory_format=torch.channels_last)
        yield "forward", lambda: torch.ops.mkldnn._convolution_pointwise(
            u, packed, bias, module.padding, module.stride, module.dilation, module.groups, "none",
            [], "")


def main():
    net, mode, batch, threads, seconds = sys.argv[1:]
    import torch
    from peer import make_case
    case = make_case(net, mode, int(batch), int(threads))
    times = {}
    for name, module, x in find_layers(case):
        for kind, step in steps_of(module, x, case.train):
            if kind != "forward" and not case.train:
                continue
            key = f"{name}.{kind}"
            with torch.no_grad():
                times[key] = min(times.get(key, float("inf")), least(step, float(seconds)))
    print(json.dumps({"torch": torch.__version__, "ms": times}))


if __name__ == "__main__":
    main()
