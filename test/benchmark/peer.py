"""One peer on one row, in a process of its own, driven by `run` over a pipe.

    peer.py SYSTEM NET MODE BATCH THREADS

Writes a line of JSON when the first step has run (version, seconds to compile, memory), then, for each
line of a number of seconds that it reads, one with what it measured. A line with the key `error` is the
last."""
import json
import os
import resource
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "..", "parity")]
LARGEST_DIFFERENCE = 1e-2  # of outputs, relative to the largest: reduced precision shows as more


def make_case(net, mode, batch, threads):
    import torch
    from torch import nn
    import network_modules
    from rows import NETS
    from systems import Case
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    name, _, channels, side = NETS[net]
    model = network_modules.MODULES[name]()
    for parent in list(model.modules()):
        for child, layer in parent.named_children():
            if isinstance(layer, network_modules.Dropout):
                setattr(parent, child, nn.Dropout(layer.p))
    model.train(mode == "train")
    return Case(model, torch.rand(batch, channels, side, side), torch.randint(0, 10, (batch,)),
                mode == "train", threads)


def check(case, outputs):
    import numpy
    import torch
    with torch.no_grad():
        expected = case.model(case.x).numpy()
    outputs = numpy.asarray(outputs).reshape(expected.shape)
    difference = float(abs(outputs - expected).max() / abs(expected).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise ValueError(f"outputs differ from PyTorch's by {difference:.2g} of the largest")


def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(step, seconds):
    times, end = [], time.perf_counter() + seconds
    while len(times) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return {"ms": min(times), "ms_median": statistics.median(times), "runs": len(times),
            "rss_mb": memory()}


def main():
    system, net, mode, batch, threads = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(result):
        answers.write(json.dumps(result) + "\n")
        answers.flush()
    try:
        from systems import SYSTEMS
        case = make_case(net, mode, int(batch), int(threads))
        start = time.perf_counter()
        step, version = SYSTEMS[system](case)
        outputs = step()
        result = {"version": version, "compile_s": time.perf_counter() - start, "rss_mb": memory()}
        if mode == "infer":
            check(case, outputs)
        answer(result)
        for line in sys.stdin:
            answer(measure(step, float(line)))
    except Exception as error:  # the reason belongs into the table, whatever a library raises
        answer({"error": f"{type(error).__name__}: {error}".split("\n")[0]})


if __name__ == "__main__":
    main()
