#!/usr/bin/env python3
"""Runs one kernel, given as NVVM-level LLVM IR, through the PTX backend and a CUDA driver.

    emulate.py FILE.ll [--kernel NAME] [--grid X,Y,Z] [--block X,Y,Z] [--shared BYTES] [--mcpu sm_80]
               [--expect EXPRESSION] [BUFFER...]

BUFFER: TYPE:COUNT[=FILL], an argument: TYPE f32, f16, bf16, i32, u8; FILL zero, iota, small (eighths
        between -1 and 1, exact in every type), a number, or nothing (never written). Or @N[+BYTES]:
        the memory of argument N once more, from an offset on.
--expect: a Python expression that must hold; b[i] is the list of argument i's elements at the end,
        a[i] at the start, matmul(x, y, m, n, k) a product of row-major matrices.

The driver is the library CNN_LIBCUDA; for the stand-in, the IR goes to a folder of its own
(CNN_FAKECUDA_IR). Without --expect the last buffer is printed. Status 1 when a call fails (the
driver's error is printed) or the expectation does not hold.
"""
import argparse
import ctypes
import hashlib
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver import CudaError, Driver  # noqa: E402

FORMATS = {"f32": "f", "f16": "e", "i32": "i", "u8": "B"}


def pack(kind, values):
    if kind == "bf16":  # the values are exact in bf16
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    convert = float if kind.startswith("f") else int
    return struct.pack(f"<{len(values)}{FORMATS[kind]}", *map(convert, values))


def unpack(kind, data):
    if kind == "bf16":
        return [struct.unpack("<f", b"\0\0" + data[i:i + 2])[0] for i in range(0, len(data), 2)]
    return list(struct.unpack(f"<{len(data) // struct.calcsize(FORMATS[kind])}{FORMATS[kind]}", data))


def fill(name, count, seed):
    if name == "iota":
        return list(range(count))
    if name == "small":
        return [((i * 7 + seed * 5 + i // 17) % 17 - 8) / 8 for i in range(count)]
    return [0 if name == "zero" else float(name)] * count


def matmul(x, y, m, n, k):
    return [sum(x[i * k + l] * y[l * n + j] for l in range(k)) for i in range(m) for j in range(n)]


def compile_ptx(path, cpu, folder):
    """The PTX of an IR file; the IR itself is put into `folder` under its hash."""
    with open(path, "rb") as file:
        text = file.read()
    name = hashlib.sha256(text).hexdigest()[:16]
    with open(os.path.join(folder, name + ".bc"), "wb") as file:
        file.write(text)
    ptx = subprocess.run(["llc", "-mtriple=nvptx64-nvidia-cuda", "-mcpu=" + cpu, "-o", "-", path],
                         check=True, capture_output=True, text=True).stdout
    return f"// cnnc-ir {name}\n" + ptx


def save_ptx(path, cpu, folder):
    """Writes <name>.ptx and the IR into `folder`, for programs that use the driver themselves."""
    name = os.path.splitext(os.path.basename(path))[0] + ".ptx"
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(compile_ptx(path, cpu, folder))
    return 0


def triple(text):
    values = [int(value) for value in text.split(",")]
    return tuple(values + [1] * (3 - len(values)))


class Buffer:
    def __init__(self, text, number):
        shape, _, filling = text.partition("=")
        self.kind, count = shape.split(":")
        self.size = int(count) * (2 if self.kind == "bf16" else struct.calcsize(FORMATS[self.kind]))
        self.start = fill(filling, int(count), number) if filling else None

    def allocate(self, driver):
        self.address = driver.allocate(self.size)
        if self.start is not None:
            driver.upload(self.address, pack(self.kind, self.start))
        return self.address


def run(options, folder):
    os.environ["CNN_FAKECUDA_IR"] = folder
    ptx = compile_ptx(options.file, options.mcpu, folder)
    kernel = options.kernel or ptx.split(".entry ")[1].split("(")[0]
    driver = Driver()
    buffers, addresses = [], []
    for number, text in enumerate(options.buffer):
        if text.startswith("@"):
            other, _, offset = text[1:].partition("+")
            addresses.append(ctypes.c_uint64(addresses[int(other)].value + int(offset or 0)))
            continue
        buffers.append(Buffer(text, number))
        addresses.append(buffers[-1].allocate(driver))
    function = driver.function(driver.load(ptx), kernel)
    if options.shared > 48 << 10:
        driver.call("cuFuncSetAttribute", function, 8, options.shared)
    driver.launch(function, triple(options.grid), triple(options.block),
                  addresses, options.shared)
    driver.synchronize()
    before = [buffer.start for buffer in buffers]
    after = [unpack(buffer.kind, driver.download(buffer.address, buffer.size)) for buffer in buffers]
    if not options.expect:
        print(*(f"{value:g}" for value in after[-1]))
    elif not eval(options.expect, {"a": before, "b": after, "matmul": matmul}):
        print("emulate: not as expected:", options.expect)
        for i, values in enumerate(after):
            print(f"  b[{i}] =", values[:256])
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--kernel")
    parser.add_argument("--grid", default="1")
    parser.add_argument("--block", default="32")
    parser.add_argument("--shared", type=int, default=0)
    parser.add_argument("--mcpu", default="sm_80")
    parser.add_argument("--expect")
    parser.add_argument("buffer", nargs="*")
    parser.add_argument("--ptx", metavar="FOLDER", help="only write PTX and IR into FOLDER")
    options = parser.parse_intermixed_args()
    if options.ptx:
        return save_ptx(options.file, options.mcpu, options.ptx)
    with tempfile.TemporaryDirectory() as folder:
        try:
            return run(options, folder)
        except CudaError as error:
            print("emulate:", error)
            return 1


if __name__ == "__main__":
    sys.exit(main())
