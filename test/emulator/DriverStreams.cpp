// The driver's entry points for streams, events and graphs.
#include "test/emulator/DriverApi.h"

using namespace cnn::emulator;

namespace {
/// cuGraph_t and cuGraphExec_t.
struct GraphHandle {
  std::shared_ptr<Graph> graph;
};
} // namespace

CNN_DRIVER cuStreamCreate(Stream **stream, unsigned) {
  return call("cuStreamCreate", [&](Device &device) {
    *stream = device.queue.createStream();
    return Success;
  });
}

CNN_DRIVER cuStreamDestroy_v2(Stream *stream) {
  return call("cuStreamDestroy",
              [&](Device &device) { return device.queue.destroyStream(stream); });
}

CNN_DRIVER cuStreamSynchronize(Stream *stream) {
  return call("cuStreamSynchronize",
              [&](Device &device) { return device.queue.synchronize(stream); });
}

CNN_DRIVER cuStreamWaitEvent(Stream *stream, Event *event, unsigned) {
  return call("cuStreamWaitEvent", [&](Device &device) {
    return event ? device.queue.wait(stream, *event) : InvalidHandle;
  });
}

CNN_DRIVER cuEventCreate(Event **event, unsigned) {
  return call("cuEventCreate", [&](Device &) {
    *event = new Event;
    return Success;
  });
}

CNN_DRIVER cuEventRecord(Event *event, Stream *stream) {
  return call("cuEventRecord", [&](Device &device) {
    return event ? device.queue.record(*event, stream) : InvalidHandle;
  });
}

CNN_DRIVER cuEventSynchronize(Event *event) {
  return call("cuEventSynchronize", [&](Device &device) {
    return event ? device.queue.synchronize(*event) : InvalidHandle;
  });
}

CNN_DRIVER cuEventElapsedTime(float *milliseconds, Event *start, Event *end) {
  return call("cuEventElapsedTime", [&](Device &) {
    if (!start || !end || !start->recording || !end->recording)
      return InvalidHandle;
    if (!start->recording->reached || !end->recording->reached)
      return NotReady;
    *milliseconds =
        std::chrono::duration<float, std::milli>(end->recording->time - start->recording->time)
            .count();
    return Success;
  });
}

CNN_DRIVER cuEventDestroy_v2(Event *event) {
  return call("cuEventDestroy", [&](Device &) {
    delete event;
    return event ? Success : InvalidHandle;
  });
}

CNN_DRIVER cuStreamBeginCapture_v2(Stream *stream, int) {
  return call("cuStreamBeginCapture",
              [&](Device &device) { return device.queue.beginCapture(stream); });
}

CNN_DRIVER cuStreamEndCapture(Stream *stream, GraphHandle **graph) {
  return call("cuStreamEndCapture", [&](Device &device) {
    *graph = nullptr;
    std::shared_ptr<Graph> captured;
    Result result = device.queue.endCapture(stream, captured);
    if (result == Success)
      *graph = new GraphHandle{captured};
    return result;
  });
}

CNN_DRIVER cuGraphInstantiateWithFlags(GraphHandle **executable, GraphHandle *graph,
                                       unsigned long long) {
  return call("cuGraphInstantiate", [&](Device &) {
    if (!graph)
      return InvalidHandle;
    *executable = new GraphHandle(*graph);
    return Success;
  });
}

CNN_DRIVER cuGraphLaunch(GraphHandle *executable, Stream *stream) {
  return call("cuGraphLaunch", [&](Device &device) -> Result {
    if (!executable)
      return InvalidHandle;
    return device.queue.add(stream, [graph = executable->graph]() -> Result {
      for (Operation &operation : graph->operations)
        if (Result result = operation())
          return result;
      return Success;
    });
  });
}

CNN_DRIVER cuGraphDestroy(GraphHandle *graph) {
  return call("cuGraphDestroy", [&](Device &) {
    delete graph;
    return graph ? Success : InvalidHandle;
  });
}

CNN_DRIVER cuGraphExecDestroy(GraphHandle *executable) {
  return call("cuGraphExecDestroy", [&](Device &) {
    delete executable;
    return executable ? Success : InvalidHandle;
  });
}
