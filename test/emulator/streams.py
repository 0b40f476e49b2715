"""Streams, events, captured graphs and pinned memory of the driver; used by streams.test.

    streams.py PTX     a module with kernel `add_one(ptr)`: one thread adds 1 to an i32

Prints one line per case: its name and what the host saw.
"""
import ctypes
import struct
import sys

from driver import CudaError, Driver


class Case:
    def __init__(self, driver, function):
        self.driver, self.function = driver, function
        self.value = driver.allocate(4)
        self.copier = driver.new("cuStreamCreate", 1)
        self.event = driver.new("cuEventCreate", 0)
        self.pinned = driver.new("cuMemHostAlloc", ctypes.c_size_t(4), 0)
        self.host = ctypes.cast(self.pinned, ctypes.POINTER(ctypes.c_int))

    def set(self, number):
        self.driver.upload(self.value, struct.pack("<i", number))

    def copy_pinned(self, stream):
        self.driver.call("cuMemcpyHtoDAsync_v2", self.value, self.pinned, ctypes.c_size_t(4), stream)

    def add(self, stream=None):
        self.driver.launch(self.function, (1, 1, 1), (1, 1, 1), [self.value], stream=stream)

    def get(self):
        return struct.unpack("<i", self.driver.download(self.value, 4))[0]

    def capture(self, body):
        self.driver.call("cuStreamBeginCapture_v2", self.driver.stream, 0)
        body()
        graph, executable = ctypes.c_void_p(), ctypes.c_void_p()
        self.driver.call("cuStreamEndCapture", self.driver.stream, ctypes.byref(graph))
        self.driver.call("cuGraphInstantiateWithFlags", ctypes.byref(executable), graph,
                         ctypes.c_ulonglong(0))
        self.driver.call("cuGraphDestroy", graph)
        return executable


def unwaited_copy(case):
    """Another stream's copy is not seen without an event."""
    case.set(1)
    case.driver.synchronize()
    case.host[0] = 10
    case.copy_pinned(case.copier)
    case.add()
    return case.get()


def waited_copy(case):
    case.set(1)
    case.host[0] = 20
    case.copy_pinned(case.copier)
    case.driver.call("cuEventRecord", case.event, case.copier)
    case.driver.call("cuStreamWaitEvent", case.driver.stream, case.event, 0)
    case.add()
    return case.get()


def overwritten_pinned(case):
    """Pinned memory is read when the copy runs."""
    case.host[0] = 30
    case.copy_pinned(case.driver.stream)
    case.host[0] = 40
    return case.get()


def overwritten_pageable(case):
    """Other memory is read at once."""
    data = ctypes.create_string_buffer(struct.pack("<i", 50), 4)
    case.driver.call("cuMemcpyHtoDAsync_v2", case.value, data, ctypes.c_size_t(4),
                     case.driver.stream)
    data.raw = struct.pack("<i", 60)
    return case.get()


def replayed(case):
    """A captured graph runs at each launch, with pinned memory as it is then."""
    def body():
        case.copy_pinned(case.driver.stream)
        case.add()
        case.add()
    case.set(0)
    executable = case.capture(body)
    values = [case.get()]
    for number in (100, 200):
        case.host[0] = number
        case.driver.call("cuGraphLaunch", executable, case.driver.stream)
        values.append(case.get())
    case.driver.call("cuGraphExecDestroy", executable)
    return values


def forked(case):
    """A capture over two streams that is joined again."""
    def body():
        case.driver.call("cuEventRecord", case.event, case.driver.stream)
        case.driver.call("cuStreamWaitEvent", case.copier, case.event, 0)
        case.add(case.copier)
        case.driver.call("cuEventRecord", case.event, case.copier)
        case.driver.call("cuStreamWaitEvent", case.driver.stream, case.event, 0)
        case.add()
    executable = case.capture(body)
    case.set(5)
    case.driver.call("cuGraphLaunch", executable, case.driver.stream)
    return case.get()


def unjoined(case):
    def body():
        case.driver.call("cuEventRecord", case.event, case.driver.stream)
        case.driver.call("cuStreamWaitEvent", case.copier, case.event, 0)
        case.add(case.copier)
    return case.capture(body)


def waits_in_capture(case):
    return case.capture(case.driver.synchronize)


def allocates_in_capture(case):
    return case.capture(lambda: case.driver.allocate(4))


def timed(case):
    events = [case.driver.new("cuEventCreate", 0) for _ in range(2)]
    case.driver.call("cuEventRecord", events[0], case.driver.stream)
    case.add()
    case.driver.call("cuEventRecord", events[1], case.driver.stream)
    case.driver.call("cuEventSynchronize", events[1])
    time = ctypes.c_float()
    case.driver.call("cuEventElapsedTime", ctypes.byref(time), *events)
    return time.value >= 0


def main():
    driver = Driver()
    with open(sys.argv[1], encoding="utf-8") as file:
        function = driver.function(driver.load(file.read()), "add_one")
    for test in (unwaited_copy, waited_copy, overwritten_pinned, overwritten_pageable, replayed,
                 forked, unjoined, waits_in_capture, allocates_in_capture, timed):
        case = Case(driver, function)
        try:
            print(test.__name__, test(case))
        except CudaError as error:
            print(test.__name__, error.name)
            driver.raw("cuStreamEndCapture", driver.stream, ctypes.byref(ctypes.c_void_p()))


main()
