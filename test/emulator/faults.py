"""Runs a program on the driver under each fault and prints what it saw; used by faults.test.

    faults.py PTX     loads a module with kernels `fine` and `other`, launches fine, other, fine
"""
import ctypes
import sys

from driver import CudaError, Driver


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ptx = file.read()
    driver = None
    try:
        driver = Driver()
        total, count, version = ctypes.c_size_t(), ctypes.c_int(), ctypes.c_int()
        driver.call("cuDriverGetVersion", ctypes.byref(version))
        driver.call("cuDeviceGetCount", ctypes.byref(count))
        driver.call("cuDeviceTotalMem_v2", ctypes.byref(total), 0)
        major, minor = ctypes.c_int(), ctypes.c_int()
        driver.call("cuDeviceGetAttribute", ctypes.byref(major), 75, 0)
        driver.call("cuDeviceGetAttribute", ctypes.byref(minor), 76, 0)
        print(f"driver {version.value}, {count.value} devices, {major.value}.{minor.value}, "
              f"{total.value} bytes")
        memory = driver.allocate(1000)
        driver.allocate(1000)
        module = driver.load(ptx)
        for name in ("fine", "other", "fine"):
            driver.launch(driver.function(module, name), (1, 1, 1), (32, 1, 1), [memory])
            driver.synchronize()
            print("ran", name)
    except CudaError as error:
        print(error)
        if driver:
            print("then:", driver.raw("cuStreamSynchronize", driver.stream))


main()
