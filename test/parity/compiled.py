"""Calls a network that cnnc compiled, from Python's standard library: compiles a .cnn file to an
object, links it into a shared library, and calls its entry points through runtime/abi/cnn_abi.h.

    net = Compiled("net.cnn", name="net", folder="scratch", cnnc="cnnc", cc="cc", options=[...])
    outputs = net.call("train_step", state, {"image": [...], "rows": 3, ...}, workers=2)

Values go in and come out as flat lists of numbers, states as bytes.
"""
import array
import ctypes
import json
import os
import subprocess
import threading

CODES = {"f32": "f", "f64": "d", "i32": "i", "i64": "q", "u8": "B", "i8": "b"}
ALIGNMENT = 64


class Context(ctypes.Structure):
    BARRIER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    _fields_ = [("worker", ctypes.c_int32), ("workers", ctypes.c_int32), ("barrier", BARRIER),
                ("self", ctypes.c_void_p), ("shares", ctypes.c_void_p)]


GUARD = bytes(range(160, 224)) * 16  # around every buffer: code that writes there is wrong


class Buffer:
    """Aligned memory that is filled with `data`, or with 0xff (NaN) where nothing is given."""

    def __init__(self, size, data=b""):
        self.memory = ctypes.create_string_buffer(size + ALIGNMENT + 2 * len(GUARD))
        start = ctypes.addressof(self.memory) + len(GUARD)
        self.address = start + -start % ALIGNMENT
        self.size = size
        self.given = data
        ctypes.memset(self.address, 0xFF, size)
        ctypes.memmove(self.address, data, len(data))
        ctypes.memmove(self.address - len(GUARD), GUARD, len(GUARD))
        ctypes.memmove(self.address + size, GUARD, len(GUARD))

    def check(self, what):
        for side, place in (("before", self.address - len(GUARD)),
                            ("after", self.address + self.size)):
            if ctypes.string_at(place, len(GUARD)) != GUARD:
                raise RuntimeError(f"compiled code wrote {side} {what} of {self.size} bytes")

    def check_unchanged(self, what):
        if self.bytes()[:len(self.given)] != bytes(self.given):
            raise RuntimeError(f"compiled code changed {what}")

    def bytes(self):
        return ctypes.string_at(self.address, self.size)


def count(shape):
    total = 1
    for extent in shape:
        total *= extent
    return total


class Compiled:
    def __init__(self, source, name, folder, cnnc="cnnc", cc="cc", options=()):
        stem = os.path.join(folder, name)
        subprocess.run([cnnc, source, "--net", name, "--emit=obj", "-o", stem + ".o", *options],
                       check=True)
        subprocess.run([cc, "-shared", "-o", stem + ".so", stem + ".o", "-lm"], check=True)
        self.library = ctypes.CDLL(os.path.abspath(stem + ".so"))
        # `char n_manifest[]`, a string of JSON.
        first = ctypes.c_char.in_dll(self.library, name + "_manifest")
        self.manifest = json.loads(ctypes.string_at(ctypes.addressof(first)))
        self.entries = {entry["name"]: entry for entry in self.manifest["entries"]}

    def pack_state(self, tensors):
        """The state that holds `tensors` ({name: flat list}); what is not named is zero."""
        state = bytearray(self.manifest["state_bytes"])
        known = {tensor["name"]: tensor for tensor in self.manifest["state"]}
        for name, values in tensors.items():
            tensor = known[name]
            if count(tensor["shape"]) != len(values):
                raise ValueError(f"{name}: {len(values)} values for shape {tensor['shape']}")
            data = array.array(CODES[tensor["element"]], values).tobytes()
            state[tensor["offset"]:tensor["offset"] + len(data)] = data
        return bytes(state)

    def unpack_state(self, state):
        tensors = {}
        for tensor in self.manifest["state"]:
            values = array.array(CODES[tensor["element"]])
            size = count(tensor["shape"]) * values.itemsize
            values.frombytes(state[tensor["offset"]:tensor["offset"] + size])
            tensors[tensor["name"]] = values.tolist()
        return tensors

    def call(self, entry, state, inputs, workers=1):
        """{"state": bytes, output name: flat list, ...} of one call."""
        spec = self.entries[entry]
        buffers = []
        prepared = None
        if entry != "prepare" and any(b["role"] == "prepared" for b in spec["buffers"]):
            prepared = self.call("prepare", state, {}, workers)["prepared"]
        for buffer in spec["buffers"]:
            role = buffer["role"]
            if role in ("input", "output"):
                data = array.array(CODES[buffer["element"]])
                size = count(buffer["shape"]) * data.itemsize
                if role == "input":
                    value = inputs[buffer["name"]]
                    data.extend(value if isinstance(value, list) else [value])
                buffers.append(Buffer(size, data.tobytes()))
            elif role == "state_in":
                buffers.append(Buffer(buffer["bytes"], state))
            elif role == "prepared" and prepared:
                buffers.append(Buffer(buffer["bytes"], prepared))
            else:
                size = buffer["bytes"] * (workers if role == "scratch" else 1)
                buffers.append(Buffer(size))
        pointers = (ctypes.c_void_p * len(buffers))(*[b.address for b in buffers])
        function = getattr(self.library, spec["symbol"])
        function.argtypes, function.restype = [ctypes.c_void_p, ctypes.c_void_p], None
        self.run(function, pointers, workers)
        result = {}
        for buffer, memory in zip(spec["buffers"], buffers):
            what = f"{entry}'s {buffer['role']} {buffer.get('name', '')}"
            memory.check(what)
            if buffer["role"] in ("input", "state_in") or (buffer["role"] == "prepared" and prepared):
                memory.check_unchanged(what)
            if buffer["role"] == "output":
                values = array.array(CODES[buffer["element"]])
                values.frombytes(memory.bytes())
                result[buffer["name"]] = values.tolist()
            elif buffer["role"] == "state_out":
                result["state"] = memory.bytes()
            elif buffer["role"] == "prepared":
                result["prepared"] = memory.bytes()
        return result

    @staticmethod
    def run(function, pointers, workers):
        if workers == 1:
            function(pointers, None)
            return
        meeting = threading.Barrier(workers)
        wait = Context.BARRIER(lambda _: meeting.wait() and None)
        contexts = [Context(worker, workers, wait, None, None) for worker in range(workers)]
        threads = [threading.Thread(target=function, args=(pointers, ctypes.byref(context)))
                   for context in contexts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
