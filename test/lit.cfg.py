# The three suites: "cnnc" (RUN lines over the tools), "unit" (gtest programs), "fuzz" (fuzz
# targets of a sanitized build, as generated RUN lines). Loaded by each lit.site.cfg.py.
#
# Substitutions: %cnnc %cnn %cnn-opt (also on PATH, as are FileCheck, not and LLVM's tools), %cc,
# %cxx, %cmake, %python, %torch-python, %root (the repository), %build, %examples, %fashion,
# %fakecuda (the stand-in for the CUDA driver), %emulate (runs a kernel on it, test/emulator).
# %cuda-include and %cuda-stub (the toolkit's headers, and its stub of the driver's library).
# Features: torch, fashion-mnist, avx2, avx512, cuda, fakecuda, ptxas, cuda-toolkit, asan,
# qemu-aarch64, root.
import ctypes
import importlib.util
import os
import platform
import shutil
import subprocess

import lit.formats

testRoot = os.path.join(config.srcRoot, "test")
binDir = os.path.join(config.objRoot, "bin")
fashionDir = os.environ.get("CNN_FASHION_MNIST", "/usr/share/datasets/fashion-mnist")

config.environment["PATH"] = os.pathsep.join(
    [binDir, config.llvmTools, os.environ.get("PATH", "/usr/bin:/bin")]
)
# Compiled networks are cached; tests must not see, or leave behind, the user's cache.
config.environment["XDG_CACHE_HOME"] = os.path.join(config.objRoot, "test", "cache")
config.environment["LC_ALL"] = "C.UTF-8"
config.environment["ASAN_OPTIONS"] = "detect_leaks=0"

# A test that hangs fails after this many seconds; lit needs psutil to end it.
if importlib.util.find_spec("psutil"):
    lit_config.maxIndividualTestTime = 900

if config.suite == "unit":
    config.name = "unit"
    config.test_source_root = config.test_exec_root = os.path.join(config.objRoot, "test", "unit")
    # lit's own temporary folder is closed to others; a test that gives up root needs to look in.
    config.test_format = lit.formats.GoogleTest(".", ".unit", ["env", "TMPDIR=/tmp"])
elif config.suite == "fuzz":
    config.name = "fuzz"
    config.test_source_root = config.test_exec_root = os.path.join(config.objRoot, "test", "fuzz")
    config.test_format = lit.formats.ShTest(execute_external=True)
    config.suffixes = [".test"]
    config.environment["ASAN_OPTIONS"] = "detect_leaks=1"
    config.environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
else:
    config.name = "cnnc"
    config.test_source_root = testRoot
    config.test_exec_root = os.path.join(config.objRoot, "test")
    config.test_format = lit.formats.ShTest(execute_external=True)
    config.suffixes = [".mlir", ".cnn", ".ll", ".test"]
    config.excludes = ["Inputs", "unit", "fuzz"]


def torchPython():
    """A Python that has PyTorch: $CNNC_TORCH_PYTHON, else the one on PATH; None when none has."""
    for python in (os.environ.get("CNNC_TORCH_PYTHON"), shutil.which("python3")):
        if python and not subprocess.run(
            [python, "-c", "import importlib.util as u; exit(u.find_spec('torch') is None)"],
            stderr=subprocess.DEVNULL,
        ).returncode:
            return python
    return None


def hasCuda():
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        count = ctypes.c_int()
        return not cuda.cuInit(0) and not cuda.cuDeviceGetCount(ctypes.byref(count)) and count.value
    except (OSError, AttributeError):
        return False


def cpuFlags():
    if platform.machine() != "x86_64":
        return set()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((set(line.split()) for line in file if line.startswith("flags")), set())


# The CUDA toolkit: its assembler checks what is compiled for GPUs, its headers what the runtime knows of the driver.
toolkit = os.environ.get("CUDA_HOME", "/usr/local/cuda")
if not shutil.which("ptxas") and os.path.exists(os.path.join(toolkit, "bin", "ptxas")):
    config.environment["PATH"] += os.pathsep + os.path.join(toolkit, "bin")
include = os.path.join(toolkit, "include")
stubs = [os.path.join(toolkit, lib, "stubs", "libcuda.so") for lib in ("lib64", "lib")]
stub = next(filter(os.path.exists, stubs), None)

# Substitution is by regular expression, in order: the longer names come first.
for name in ("cnn-opt", "cnnc", "cnn"):
    config.substitutions.append((rf"%{name}(?![-\w])", os.path.join(binDir, name)))
fakecuda = os.path.join(config.objRoot, "lib", "libcnn-fakecuda.so")
emulate = os.path.join(testRoot, "emulator", "emulate.py")
torch = torchPython() if config.suite == "." else None
for name, value in {
    "cxx": config.cxxCompiler,
    "cc": config.cCompiler,
    "cmake": config.cmake,
    "torch-python": torch or "false",
    "python": config.python,
    "root": config.srcRoot,
    "build": config.objRoot,
    "examples": os.path.join(config.srcRoot, "examples"),
    "fashion": fashionDir,
    "fakecuda": fakecuda,
    "emulate": f"env CNN_LIBCUDA={fakecuda} {config.python} {emulate}",
    "cuda-include": include,
    "cuda-stub": stub or "none",
    "fuzz-seconds": os.environ.get("CNNC_FUZZ_SECONDS", "15"),
}.items():
    config.substitutions.append((rf"%{name}(?![-\w])", value))

flags = cpuFlags()
for feature, present in {
    "torch": torch,
    "fashion-mnist": os.path.exists(os.path.join(fashionDir, "train-images-idx3-ubyte.gz")),
    "avx2": {"avx2", "fma"} <= flags,
    "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags,
    "cuda": hasCuda(),
    "fakecuda": os.path.exists(fakecuda),
    "ptxas": shutil.which("ptxas", path=config.environment["PATH"]),
    "cuda-toolkit": stub and os.path.exists(os.path.join(include, "cuda.h")),
    "asan": config.sanitized,
    "qemu-aarch64": shutil.which("qemu-aarch64") and
                    os.path.exists("/usr/aarch64-linux-gnu/lib/crt1.o"),
    "root": os.geteuid() == 0,
}.items():
    if present:
        config.available_features.add(feature)
