"""One function per peer: from a PyTorch module and a batch to a function that runs one step.

Each takes a Case and returns (step, version of the system). `step` gives the outputs where it infers,
as something that numpy reads; a training step is forward, mean cross-entropy, backward and a plain SGD
update. Imports stand inside the functions: a peer needs its own package only.
"""
import os
import subprocess
import sys
import tempfile
from collections import namedtuple

# `x` and `y` are tensors of PyTorch: images and labels.
Case = namedtuple("Case", "model x y train threads")
RATE = 1e-3


def run_torch(case, compiled=False, nhwc=False):
    import torch
    import torch.nn.functional as F
    model, x = case.model, case.x
    if nhwc:
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    if not case.train:
        if compiled:
            torch._inductor.config.freezing = True  # weights are constants, so that they are packed
            model = torch.compile(model)

        def infer():
            with torch.inference_mode() if not compiled else torch.no_grad():
                return model(x)
        return infer, torch.__version__

    def loss(images, labels):
        return F.cross_entropy(model(images), labels)
    if compiled:
        loss = torch.compile(loss)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss(x, case.y).backward()
        optimizer.step()
    return train, torch.__version__


def export_onnx(case):
    """The path of the network as ONNX, with the batch of the case."""
    import torch
    path = os.path.join(tempfile.mkdtemp(), "net.onnx")
    torch.onnx.export(case.model, (case.x,), path, input_names=["x"], output_names=["y"],
                      opset_version=17, dynamo=False)
    return path


def run_onnxruntime(case):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case.threads
    session = onnxruntime.InferenceSession(export_onnx(case), options,
                                           providers=["CPUExecutionProvider"])
    feed = {"x": case.x.numpy()}
    return lambda: session.run(None, feed)[0], onnxruntime.__version__


def run_openvino(case):
    import openvino
    core = openvino.Core()
    net = core.compile_model(core.read_model(export_onnx(case)), "CPU",
                             {"INFERENCE_NUM_THREADS": case.threads, "PERFORMANCE_HINT": "LATENCY",
                              "INFERENCE_PRECISION_HINT": "f32"})
    request, x = net.create_infer_request(), case.x.numpy()
    return lambda: request.infer({0: x})[0], openvino.__version__


def run_mnn(case):
    path = export_onnx(case)
    convert = os.path.join(os.path.dirname(sys.executable), "mnnconvert")
    subprocess.run([convert, "-f", "ONNX", "--modelFile", path, "--MNNModel", path + ".mnn",
                    "--bizCode", "net"], check=True, stdout=subprocess.DEVNULL)
    import MNN
    config = {"precision": "high", "backend": "CPU", "numThread": case.threads}
    manager = MNN.nn.create_runtime_manager((config,))
    net = MNN.nn.load_module_from_file(path + ".mnn", ["x"], ["y"], runtime_manager=manager)
    x = MNN.expr.const(case.x.numpy(), list(case.x.shape), MNN.expr.NCHW)
    return lambda: net.forward([x])[0].read(), MNN.version()


def run_ncnn(case):
    """It takes one image at a time: a batch is a loop."""
    import torch
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "net.pt")
    torch.jit.trace(case.model, case.x[:1]).save(path)
    shape = ",".join(str(extent) for extent in case.x[:1].shape)
    convert = os.path.join(os.path.dirname(sys.executable), "pnnx")
    subprocess.run([convert, path, f"inputshape=[{shape}]", "fp16=0"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    import ncnn
    import numpy
    net = ncnn.Net()
    net.opt.num_threads = case.threads
    for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, "use_" + option, False)
    net.load_param(os.path.join(folder, "net.ncnn.param"))
    net.load_model(os.path.join(folder, "net.ncnn.bin"))
    images = [ncnn.Mat(image.numpy()).clone() for image in case.x]

    def infer():
        outputs = []
        for image in images:
            extractor = net.create_extractor()
            extractor.input("in0", image)
            outputs.append(numpy.array(extractor.extract("out0")[1]))
        return numpy.stack(outputs)
    return infer, ncnn.__version__


def run_jax(case):
    from jax_step import make_step
    return make_step(case.model, case.x.numpy(), case.y.numpy(), case.train, RATE)


SYSTEMS = {
    "torch": run_torch,
    "torch-nhwc": lambda case: run_torch(case, nhwc=True),
    "torch-compile": lambda case: run_torch(case, compiled=True),
    "torch-compile-nhwc": lambda case: run_torch(case, compiled=True, nhwc=True),
    "onnxruntime": run_onnxruntime,
    "openvino": run_openvino,
    "mnn": run_mnn,
    "ncnn": run_ncnn,
    "jax": run_jax,
}
