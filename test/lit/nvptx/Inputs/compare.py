"""Runs every entry point of a net on the device (CNN_LIBCUDA) and on the CPU, and compares what they give.

    compare.py OBJECT.so NET.ptx [--tolerance R] [--entries NAME,...]

OBJECT.so holds the functions and the manifest that cnnc makes for a CPU, NET.json the manifest of NET.ptx. State
and inputs are random, the same for both. Prints one line per buffer; the largest difference is taken relative to
the largest number of the buffer. Status 1 when one is above R (default 1e-5), or not finite.
"""
import argparse
import array
import ctypes
import json
import math
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "emulator"))
from driver import Driver  # noqa: E402

SIZES = {"f32": 4, "i32": 4, "f64": 8}
CODES = {"f32": "f", "i32": "i", "f64": "d"}


def product(shape):
    return math.prod(shape)


def find_net(library, names):
    """The manifest of the CPU's object: the symbol is the net's."""
    for name in names:
        try:
            return ctypes.cast(getattr(library, name + "_manifest"), ctypes.c_char_p).value.decode()
        except AttributeError:
            pass
    sys.exit("no manifest in the object")


def make_input(buffer, batch, draw):
    count, name = product(buffer["shape"]), buffer["name"]
    if buffer["element"] == "i32":
        value = batch - 1 if name == "rows" else None  # the last row is masked
        return array.array("i", [draw.randrange(2) if value is None else value for _ in range(count)])
    if not buffer["shape"]:
        return array.array(CODES[buffer["element"]], [{"momentum": 0.9, "step": 1.0}.get(name, 0.05)])
    return array.array(CODES[buffer["element"]], [draw.uniform(-1, 1) for _ in range(count)])


def make_state(manifest, draw):
    state = bytearray(manifest["state_bytes"])
    for tensor in manifest["state"]:
        count = product(tensor["shape"])
        fan = max(1, count // tensor["shape"][0]) if tensor["shape"] else 1
        low, high = -1 / math.sqrt(fan), 1 / math.sqrt(fan)
        if tensor["kind"] != "parameter":
            low, high = 0.5, 1.5  # of some, roots are taken
        data = array.array(CODES[tensor["element"]], [draw.uniform(low, high) for _ in range(count)])
        at = tensor["offset"]
        state[at:at + len(data) * data.itemsize] = data.tobytes()
    return bytes(state)


def run_cpu(library, manifest, entry, given, prepared):
    """Calls an entry point; gives the bytes of every buffer after it."""
    buffers = []
    for buffer in entry["buffers"]:
        size = buffer.get("bytes") or product(buffer["shape"]) * SIZES[buffer["element"]]
        memory = ctypes.create_string_buffer(size + 64)
        address = (ctypes.addressof(memory) + 63) // 64 * 64
        data = given.get((buffer["role"], buffer.get("name")))
        if buffer["role"] == "prepared":
            data = prepared
        if data:
            ctypes.memmove(address, data, len(data))
        buffers.append((memory, address, size))
    pointers = (ctypes.c_void_p * len(buffers))(*(b[1] for b in buffers))
    getattr(library, entry["symbol"])(pointers, None)
    return [ctypes.string_at(address, size) for _, address, size in buffers]


def run_device(driver, module, entry, given, prepared):
    addresses = []
    for buffer in entry["buffers"]:
        size = buffer.get("bytes") or product(buffer["shape"]) * SIZES[buffer["element"]]
        address = driver.allocate(size)
        data = prepared if buffer["role"] == "prepared" else given.get((buffer["role"], buffer.get("name")))
        if data:
            driver.upload(address, data)
        addresses.append((address, size))
    functions = {}
    for launch in entry["launches"]:
        name = launch["kernel"]
        if name not in functions:
            functions[name] = driver.function(module, name)
        arguments = [ctypes.c_uint64(addresses[a["buffer"]][0].value + a["offset"])
                     for a in launch["arguments"]]
        driver.launch(functions[name], launch["grid"], launch["block"], arguments, launch["shared"])
        driver.synchronize()
    return [driver.download(address, size) for address, size in addresses]


def prepare(run, entries, state):
    """What `prepare` makes of the state, where there is one."""
    entry = next((entry for entry in entries if entry["name"] == "prepare"), None)
    if not entry:
        return None
    after = run(entry, {("state_in", None): state}, None)
    return next(data for data, buffer in zip(after, entry["buffers"]) if buffer["role"] == "prepared")


def difference(one, other, element):
    """The largest difference of two buffers of numbers, and their largest number."""
    a, b = array.array(CODES[element]), array.array(CODES[element])
    a.frombytes(one)
    b.frombytes(other)
    worst = largest = 0.0
    for x, y in zip(a, b):
        if not (math.isfinite(x) and math.isfinite(y)):
            return math.inf, largest
        worst = max(worst, abs(x - y))
        largest = max(largest, abs(x), abs(y))
    return worst, largest


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("object")
    parser.add_argument("ptx")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--entries", default="")
    options = parser.parse_args()
    with open(options.ptx, encoding="utf-8") as file:
        ptx = file.read()
    with open(os.path.splitext(options.ptx)[0] + ".json", encoding="utf-8") as file:
        device_manifest = json.load(file)
    library = ctypes.CDLL(os.path.abspath(options.object))
    cpu_manifest = json.loads(find_net(library, [device_manifest["net"]]))
    driver = Driver()
    module = driver.load(ptx)
    cpu_entries = {entry["name"]: entry for entry in cpu_manifest["entries"]}
    chosen = options.entries.split(",") if options.entries else [
        entry["name"] for entry in device_manifest["entries"] if entry["name"] != "prepare"]
    draw = random.Random(7)
    state = make_state(device_manifest, draw)
    of_cpu = prepare(lambda *a: run_cpu(library, cpu_manifest, *a), cpu_manifest["entries"], state)
    of_device = prepare(lambda *a: run_device(driver, module, *a), device_manifest["entries"], state)
    failed = False
    for name in chosen:
        entry = next(entry for entry in device_manifest["entries"] if entry["name"] == name)
        given = {("state_in", None): state, ("state_out", None): state}
        for buffer in entry["buffers"]:
            if buffer["role"] == "input":
                given["input", buffer["name"]] = make_input(buffer, device_manifest["batch"], draw).tobytes()
        cpu = run_cpu(library, cpu_manifest, cpu_entries[name], given, of_cpu)
        device = run_device(driver, module, entry, given, of_device)
        on_cpu = {(b["role"], b.get("name")): data for b, data in zip(cpu_entries[name]["buffers"], cpu)}
        parts = []
        for buffer, data in zip(entry["buffers"], device):
            other = on_cpu.get((buffer["role"], buffer.get("name")))
            if buffer["role"] == "output":
                parts.append((buffer["name"], buffer["element"], data, other))
            elif buffer["role"] == "state_out":
                for tensor in device_manifest["state"]:
                    at, size = tensor["offset"], product(tensor["shape"]) * SIZES[tensor["element"]]
                    parts.append((tensor["name"], tensor["element"], data[at:at + size], other[at:at + size]))
        for label, element, data, other in parts:
            worst, largest = difference(data, other, element)
            bad = not worst <= options.tolerance * max(largest, 1e-3)
            failed |= bad
            print(f"{name} {label}: {worst:.2g} of {largest:.2g}{'  DIFFERS' if bad else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
