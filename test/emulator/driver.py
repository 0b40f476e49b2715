"""The CUDA driver through ctypes: the library named by CNN_LIBCUDA (the stand-in), else libcuda.so.1.

    driver = Driver()                       a context on device 0
    module = driver.load(ptxText)
    driver.launch(driver.function(module, "k"), (1, 1, 1), (32, 1, 1), [address, ...])

A call that fails raises CudaError, whose `name` is CUDA_ERROR_...
"""
import ctypes
import os


class CudaError(Exception):
    def __init__(self, call, code, name, text, log=""):
        super().__init__(f"{call}: {name} ({code}): {text}" + (f"\n{log}" if log else ""))
        self.code, self.name, self.log = code, name, log


class Driver:
    def __init__(self, flags=1):
        self.library = ctypes.CDLL(os.environ.get("CNN_LIBCUDA", "libcuda.so.1"))
        self.call("cuInit", 0)
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuDeviceGet", ctypes.byref(device), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxSetCurrent", context)
        self.stream = self.new("cuStreamCreate", flags)

    def raw(self, name, *arguments):
        """The result code of a call."""
        return getattr(self.library, name)(*arguments)

    def call(self, name, *arguments, log=None):
        code = self.raw(name, *arguments)
        if code:
            texts = []
            for describe in ("cuGetErrorName", "cuGetErrorString"):
                text = ctypes.c_char_p()
                self.raw(describe, code, ctypes.byref(text))
                texts.append((text.value or b"?").decode())
            raise CudaError(name, code, *texts, log.value.decode() if log else "")

    def new(self, name, *arguments):
        """What a call creates: a handle that it writes through its first argument."""
        handle = ctypes.c_void_p()
        self.call(name, ctypes.byref(handle), *arguments)
        return handle

    def allocate(self, size):
        address = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        return address

    def upload(self, address, data, stream=None):
        self.call("cuMemcpyHtoDAsync_v2", address, data, ctypes.c_size_t(len(data)),
                  stream or self.stream)

    def download(self, address, size):
        data = ctypes.create_string_buffer(size)
        self.call("cuMemcpyDtoHAsync_v2", data, address, ctypes.c_size_t(size), self.stream)
        self.synchronize()
        return data.raw

    def load(self, ptx):
        log = ctypes.create_string_buffer(4096)
        module = ctypes.c_void_p()
        options = (ctypes.c_int * 2)(5, 6)
        values = (ctypes.c_void_p * 2)(ctypes.cast(log, ctypes.c_void_p), len(log))
        self.call("cuModuleLoadDataEx", ctypes.byref(module), ptx.encode(), 2, options, values,
                  log=log)
        return module

    def function(self, module, name):
        return self.new("cuModuleGetFunction", module, name.encode())

    def launch(self, function, grid, block, addresses, shared=0, stream=None):
        """`addresses`: ctypes values, one per parameter."""
        pointers = (ctypes.c_void_p * max(len(addresses), 1))(
            *(ctypes.cast(ctypes.byref(a), ctypes.c_void_p) for a in addresses))
        self.call("cuLaunchKernel", function, *grid, *block, shared, stream or self.stream,
                  pointers, None)

    def synchronize(self):
        self.call("cuStreamSynchronize", self.stream)
