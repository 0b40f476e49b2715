#!/usr/bin/env python3
"""Goldens of the data stages, by PyTorch (and torchvision where it is there), and JPEG files by Pillow.

    make_data_goldens.py            writes data.safetensors beside this script
    make_data_goldens.py --check    compares it with what is computed here, within 1e-5

Per case `<stage>.<what>`: the result, or every `step`-th value of a large one. Inputs are not stored:
input value i of a case is uniform(i) of our stream (seed 1, purpose Test, step 0), which the C++ tests
draw again. Shapes are in the name: resize.3x5x7.8x6 resizes [3, 5, 7] to 8x6. `jpeg.<kind>.file` holds the
bytes of a file, `.pixels` what Pillow decodes of it, / 255.
"""
import io
import os
import sys

import numpy as np
import torch

import safetensors_stdlib
import stream

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data.safetensors")
RESIZES = [((1, 28, 28), (224, 224)), ((1, 28, 28), (96, 96)), ((1, 28, 28), (7, 13)),
           ((3, 32, 32), (96, 64)), ((3, 61, 47), (32, 32)), ((3, 32, 48), (33, 17)),
           ((1, 1, 1), (4, 5)), ((2, 5, 3), (1, 1)), ((1, 300, 2), (7, 9)), ((1, 16, 16), (16, 16))]
MOST = 4000  # values of a case


def image(shape):
    values = stream.fractions(stream.bits(1, 0, 0, int(np.prod(shape)))).astype(np.float32)
    return torch.from_numpy(values.reshape(shape))


def resize(x, size):
    y = torch.nn.functional.interpolate(x[None], size, mode="bilinear", align_corners=False,
                                        antialias=True)[0]
    try:
        from torchvision.transforms.v2 import functional
    except ImportError:
        return y
    assert torch.equal(functional.resize(x, list(size), antialias=True), y)
    return y


def jpegs(files):
    """`files`: the bytes by kind, made here when there are none."""
    try:
        from PIL import Image
    except ImportError:
        return {}
    y, x = np.mgrid[0:21, 0:34]
    waves = [np.sin(x / 5 + c) * np.cos(y / 4 - c) for c in range(4)]
    pixels = np.stack([128 + 110 * w for w in waves], 2).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = {"grey": (pixels[:, :, 0], "L", {}), "colour": (pixels[:, :, :3], "RGB", {}),
             "progressive": (pixels[:, :, :3], "RGB", {"progressive": True}),
             "cmyk": (pixels, "CMYK", {}), "turned": (pixels[:, :, :3], "RGB", {"exif": exif})}
    tensors = {}
    for kind, (values, mode, options) in kinds.items():
        content = files.get(kind)
        if content is None:
            buffer = io.BytesIO()
            Image.fromarray(values, mode).save(buffer, "JPEG", quality=80, **options)
            content = buffer.getvalue()
        decoded = Image.open(io.BytesIO(content))
        shown = np.asarray(decoded if mode == "L" else decoded.convert("RGB"))
        chw = shown[None] if shown.ndim == 2 else shown.transpose(2, 0, 1)
        chw = np.ascontiguousarray(chw.astype(np.float32) / np.float32(255))
        tensors[f"jpeg.{kind}.file"] = ("uint8", (len(content),), content)
        tensors[f"jpeg.{kind}.pixels"] = ("float32", chw.shape, chw.tobytes())
    return tensors


def goldens():
    cases = {}
    for shape, size in RESIZES:
        name = f"resize.{'x'.join(map(str, shape))}.{'x'.join(map(str, size))}"
        cases[name] = resize(image(shape), size)
    x = image((3, 4, 5))
    mean, std = (0.4915, 0.4823, 0.4468), (0.2470, 0.2435, 0.2616)
    cases["normalize.3x4x5"] = ((x - torch.tensor(mean)[:, None, None]) /
                                torch.tensor(std)[:, None, None])
    cases["normalize1.3x4x5"] = (x - 0.5) / 0.25
    cases["flip.3x4x5"] = torch.flip(x, [2])
    # The window of 4x4 that starts at row 1 and column 5 of the image padded by 2 on every side.
    cases["crop.3x4x5"] = torch.nn.functional.pad(x, (2, 2, 2, 2))[:, 1:5, 5:9]
    cases["centre.3x4x5"] = x[:, 1:3, 1:4]
    cases["grayscale.3x4x5"] = (0.2989 * x[0] + 0.587 * x[1] + 0.114 * x[2])[None]
    tensors = {}
    for name, tensor in cases.items():
        values = tensor.contiguous().flatten().numpy()
        values = np.ascontiguousarray(values[::max(1, -(-len(values) // MOST))])
        tensors[name] = ("float32", values.shape, values.tobytes())
    return tensors


def main():
    torch.set_num_threads(1)
    new = goldens()
    if "--check" not in sys.argv:
        new.update(jpegs({}))
        safetensors_stdlib.write(FILE, new)
        return 0
    old, worst = safetensors_stdlib.read(FILE), 0.0
    if {name for name in old if not name.startswith("jpeg.")} != new.keys():
        print("the cases differ")
        return 1
    files = {name.split(".")[1]: old[name][2] for name in old if name.endswith(".file")}
    for name, tensor in jpegs(files).items():
        a, b = (np.array(safetensors_stdlib.values(t)) for t in (tensor, old[name]))
        if np.abs(a - b).max() > 2.01 / 255:
            print(f"{name} differs")
            return 1
    for name, tensor in new.items():
        a, b = (np.array(safetensors_stdlib.values(t)) for t in (tensor, old[name]))
        worst = max(worst, float(np.abs(a - b).max()))
    print(f"largest difference {worst:g}")
    return worst > 1e-5


if __name__ == "__main__":
    sys.exit(main())
