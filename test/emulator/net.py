"""A network that was compiled for NVPTX, run entry by entry and kernel by kernel on a CUDA driver.

    net = Net("net.json")                    the manifest that cnnc writes, beside net.ptx
    entry = net.entry("train_step")
    entry.write("image", bytes); entry.run(); entry.read("loss")
"""
import ctypes
import json
import math
import os

from driver import CudaError, Driver

SIZES = {"f32": 4, "f64": 8, "i32": 4, "i64": 8, "u8": 1}


def size(buffer):
    return buffer["bytes"] if "bytes" in buffer else (
        SIZES[buffer["element"]] * math.prod(buffer["shape"]))


class Net:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.manifest = json.load(file)
        with open(os.path.splitext(path)[0] + ".ptx", encoding="utf-8") as file:
            text = file.read()
        self.driver = Driver()
        self.module = self.driver.load(text)
        self.functions = {}
        self.prepared = self.driver.allocate(max(self.manifest.get("prepared_bytes", 0), 1))

    def function(self, name):
        if name not in self.functions:
            self.functions[name] = self.driver.function(self.module, name)
        return self.functions[name]

    def entry(self, name):
        return Entry(self, next(e for e in self.manifest["entries"] if e["name"] == name))

    def entries(self):
        return (Entry(self, entry) for entry in self.manifest["entries"])


class Entry:
    """One entry point and its buffers; state_in, state_out and arena go by their roles."""

    def __init__(self, net, entry):
        self.net, self.driver, self.name = net, net.driver, entry["name"]
        self.buffers, self.launches = entry["buffers"], entry["launches"]
        self.addresses = [net.prepared if buffer["role"] == "prepared" else
                          self.driver.allocate(max(size(buffer), 1)) for buffer in self.buffers]

    def find(self, name):
        return next(i for i, b in enumerate(self.buffers) if b.get("name", b["role"]) == name)

    def write(self, name, data):
        index = self.find(name)
        assert len(data) == size(self.buffers[index]), (self.name, name)
        if data:
            self.driver.upload(self.addresses[index], bytes(data))

    def read(self, name, offset=0, count=None):
        """All bytes of a buffer, or `count` from `offset` on."""
        index = self.find(name)
        address = ctypes.c_uint64(self.addresses[index].value + offset)
        return self.driver.download(address, size(self.buffers[index]) if count is None else count)

    def inputs(self):
        return [buffer for buffer in self.buffers if buffer["role"] == "input"]

    def outputs(self):
        return [buffer for buffer in self.buffers if buffer["role"] == "output"]

    def run(self):
        """Launches all kernels, and waits after each, so that an error has its kernel. Before it, those of
        `prepare` where this entry reads what that makes."""
        if self.name != "prepare" and any(buffer["role"] == "prepared" for buffer in self.buffers):
            first = self.net.entry("prepare")
            first.addresses[first.find("state_in")] = self.addresses[self.find("state_in")]
            first.run()
        for launch in self.launches:
            arguments = [ctypes.c_uint64(self.addresses[a["buffer"]].value + a["offset"])
                         for a in launch["arguments"]]
            try:
                self.driver.launch(self.net.function(launch["kernel"]), launch["grid"],
                                   launch["block"], arguments, launch["shared"])
                self.driver.synchronize()
            except CudaError as error:
                raise SystemExit(f"{self.name}, {launch['layer']}: {error}") from None

    def free(self):
        for address in self.addresses:
            if address is self.net.prepared:
                continue
            self.driver.call("cuMemFree_v2", address)

    def swap_state(self):
        """The next run reads the state that the last one wrote."""
        if any(buffer["role"] == "state_out" for buffer in self.buffers):
            i, o = self.find("state_in"), self.find("state_out")
            self.addresses[i], self.addresses[o] = self.addresses[o], self.addresses[i]
