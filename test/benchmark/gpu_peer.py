"""A training step of a network in PyTorch on a GPU; prints a line of JSON.

    gpu_peer.py NET eager|compiled|graph f32|tf32|bf16 BATCH SECONDS

Forward, mean cross-entropy, backward, plain SGD, as the steps of ours; images and labels lie on the GPU.
`graph` is the eager step, captured once and replayed. bf16 is automatic mixed precision; channels last
where tensor cores are used. Times are of events, after three steps to warm up; `ms` is the least."""
import json
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "..", "parity")]
RATE = 1e-3


def make_step(torch, net, kind, precision, batch):
    import torch.nn.functional as F
    import network_modules
    from rows import NETS
    name, _, channels, side = NETS[net]
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "f32"
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    model = network_modules.MODULES[name]()
    for parent in list(model.modules()):
        for child, layer in parent.named_children():
            if isinstance(layer, network_modules.Dropout):
                setattr(parent, child, torch.nn.Dropout(layer.p))
    model = model.cuda().train()
    x, y = torch.rand(batch, channels, side, side).cuda(), torch.randint(0, 10, (batch,)).cuda()
    if precision != "f32":
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)

    def loss():
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=precision == "bf16"):
            return F.cross_entropy(model(x), y)
    forward = torch.compile(loss) if kind == "compiled" else loss

    def step():
        optimizer.zero_grad(set_to_none=True)
        forward().backward()
        optimizer.step()
    return step


def capture(torch, step):
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def main():
    net, kind, precision, batch, seconds = sys.argv[1:]
    try:
        import torch
        if not torch.cuda.is_available():
            raise RuntimeError("this PyTorch has no GPU")
        step = make_step(torch, net, kind, precision, int(batch))
        if kind == "graph":
            step = capture(torch, step)
        for _ in range(3):
            step()
        torch.cuda.synchronize()
        times, end = [], time.perf_counter() + float(seconds)
        while len(times) < 5 or time.perf_counter() < end:
            first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            first.record()
            step()
            last.record()
            last.synchronize()
            times.append(first.elapsed_time(last))
        print(json.dumps({"ms": min(times), "ms_median": statistics.median(times), "runs": len(times),
                          "version": torch.__version__, "cuda": torch.version.cuda,
                          "cudnn": torch.backends.cudnn.version()}))
    except Exception as error:  # the reason belongs into the record, whatever is raised
        sys.exit(f"{type(error).__name__}: {error}".split("\n")[0])


if __name__ == "__main__":
    main()
