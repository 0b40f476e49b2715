// Runs of an entry point: inputs, graphs, outputs.
#include "runtime/device/cuda/CudaCall.h"

#include <cstdlib>
#include <cstring>

namespace cnn::cuda {

std::string CudaCall::text() const {
  return formatText("'%s' of net '%s'", point.name.c_str(), net.manifest().net.c_str());
}

Status CudaCall::allocate() {
  if (Status status = net.context()->activate(); status.failed())
    return status;
  places.resize(point.buffers.size());
  std::string what = "the inputs and outputs of " + text();
  Result<PinnedMemory> pinned = PinnedMemory::allocate(net.context(), layout.bytes, what);
  if (pinned.failed())
    return pinned.status();
  host = std::move(*pinned);
  Result<GpuMemory> taken = GpuMemory::allocate(net.context(), layout.bytes, what);
  if (taken.failed())
    return taken.status();
  memory = std::move(*taken);
  // Inputs are zero until something else is said.
  if (layout.outputs)
    if (Status status =
            check(table().cuMemsetD32Async(memory.at(0), 0, layout.outputs / 4, compute()),
                  "clearing the inputs");
        status.failed())
      return status;
  for (const Launch &launch : point.launches) {
    Result<Function> function = net.findFunction(launch);
    if (function.failed())
      return function.status();
    functions.push_back(*function);
  }
  Status made = check(table().cuEventCreate(&copied, eventWithoutTiming), "an event");
  // The clearing comes before copies of the other stream.
  if (made.isOk())
    made = check(table().cuStreamSynchronize(compute()), "clearing the inputs");
  if (made.isOk())
    net.addPinned(host.size());
  return made;
}

CudaCall::~CudaCall() {
  if (net.context()->activate().failed())
    return;
  // Nothing may write into memory that is given back.
  table().cuStreamSynchronize(net.context()->copies());
  table().cuStreamSynchronize(compute());
  for (auto &[key, graph] : graphs)
    table().cuGraphExecDestroy(graph);
  if (copied)
    table().cuEventDestroy_v2(copied);
  for (Event event : marks)
    table().cuEventDestroy_v2(event);
}

/// Waits for the copies out of pinned memory that is about to be written again.
Status CudaCall::settle() {
  if (!isCopying)
    return Status();
  isCopying = false;
  return check(table().cuStreamSynchronize(net.context()->copies()), "copying inputs");
}

void CudaCall::bind(int position, const void *data) {
  if (early.failed())
    return;
  const BufferSpec &spec = point.buffers[size_t(position)];
  if (spec.shape.empty()) {
    std::memcpy(input(position), data, spec.bytes);
    return;
  }
  Place &place = places[size_t(position)];
  if (place.isBound)
    early = settle();
  uint64_t offset = offsetOf(position, 1 - place.slot);
  std::memcpy(host.at(offset), data, spec.bytes);
  place.isBound = true;
  place.isChanged = false;
  if (early.isOk())
    early = check(table().cuMemcpyHtoDAsync_v2(memory.at(offset), host.at(offset), spec.bytes,
                                               net.context()->copies()),
                  "copying inputs");
  isCopying = true;
}

void *CudaCall::input(int position) {
  if (point.buffers[size_t(position)].shape.empty())
    return host.at(layout.offsets[size_t(position)]);
  Place &place = places[size_t(position)];
  if (place.isBound && !place.isChanged && early.isOk())
    early = settle();
  place.isChanged = true;
  return host.at(offsetOf(position, nextSlot(position)));
}

/// Makes what was bound and written since the last run what `compute` reads.
Status CudaCall::takeInputs() {
  if (isCopying) {
    Code code = table().cuEventRecord(copied, net.context()->copies());
    if (code == success)
      code = table().cuStreamWaitEvent(compute(), copied, 0);
    if (Status status = check(code, "waiting for inputs"); status.failed())
      return status;
  }
  isCopying = false;
  for (size_t i = 0; i < places.size(); ++i) {
    Place &place = places[i];
    place.slot = nextSlot(int(i));
    place.isBound = false;
    if (!place.isChanged)
      continue;
    place.isChanged = false;
    uint64_t offset = offsetOf(int(i), place.slot);
    if (Status status = check(table().cuMemcpyHtoDAsync_v2(memory.at(offset), host.at(offset),
                                                           point.buffers[i].bytes, compute()),
                              "copying inputs");
        status.failed())
      return status;
  }
  return Status();
}

Pointer CudaCall::addressOf(const LaunchArgument &argument, int state) const {
  Pointer start = 0;
  switch (point.buffers[size_t(argument.buffer)].role) {
  case BufferRole::StateIn:
    start = net.stateAt(state);
    break;
  case BufferRole::StateOut:
    start = net.stateAt(1 - state);
    break;
  case BufferRole::Prepared:
    start = net.preparedAt();
    break;
  case BufferRole::Arena:
  case BufferRole::Scratch: // which the manifest of a GPU's net cannot have
    start = net.arenaAt();
    break;
  case BufferRole::Input:
  case BufferRole::Output:
    start = memory.at(offsetOf(argument.buffer, places[size_t(argument.buffer)].slot));
    break;
  }
  return start + argument.offset;
}

Status CudaCall::launch(size_t index, int state) {
  const Launch &launch = point.launches[index];
  std::vector<Pointer> values;
  std::vector<void *> arguments;
  values.reserve(launch.arguments.size());
  for (const LaunchArgument &argument : launch.arguments) {
    values.push_back(addressOf(argument, state));
    arguments.push_back(&values.back());
  }
  auto extent = [](int64_t value) { return unsigned(value); };
  return check(
      table().cuLaunchKernel(functions[index], extent(launch.grid[0]), extent(launch.grid[1]),
                             extent(launch.grid[2]), extent(launch.block[0]),
                             extent(launch.block[1]), extent(launch.block[2]),
                             unsigned(launch.shared), compute(), arguments.data(), nullptr),
      formatText("kernel '%s' of layer '%s'", launch.kernel.c_str(), launch.layer.c_str()));
}

Status CudaCall::copyScalars() {
  if (!layout.scalarBytes)
    return Status();
  return check(
      table().cuMemcpyHtoDAsync_v2(memory.at(0), host.at(0), layout.scalarBytes, compute()),
      "copying inputs");
}

Status CudaCall::copyOutputs() {
  if (layout.bytes == layout.outputs)
    return Status();
  return check(table().cuMemcpyDtoHAsync_v2(host.at(layout.outputs), memory.at(layout.outputs),
                                            layout.bytes - layout.outputs, compute()),
               "copying outputs");
}

/// Scalars, kernels, outputs. Waits for each kernel where it goes one by one.
Status CudaCall::issue(int state, bool oneByOne) {
  if (Status status = copyScalars(); status.failed())
    return status;
  for (size_t i = 0; i < functions.size(); ++i) {
    if (Status status = launch(i, state); status.failed())
      return status;
    if (!oneByOne)
      continue;
    const Launch &launched = point.launches[i];
    if (Status status = check(table().cuStreamSynchronize(compute()),
                              formatText("kernel '%s' of layer '%s'", launched.kernel.c_str(),
                                         launched.layer.c_str()));
        status.failed())
      return status;
  }
  return copyOutputs();
}

Result<GraphExec> CudaCall::capture(int state) {
  std::string what = "capturing " + text();
  if (Status status = check(table().cuStreamBeginCapture_v2(compute(), captureOfThread), what);
      status.failed())
    return status;
  Status issued = issue(state, /*oneByOne=*/false);
  Graph graph = nullptr;
  Code code = table().cuStreamEndCapture(compute(), &graph);
  if (issued.isOk())
    issued = check(code, what);
  GraphExec made = nullptr;
  if (issued.isOk())
    issued = check(table().cuGraphInstantiateWithFlags(&made, graph, 0), what);
  if (graph)
    table().cuGraphDestroy(graph);
  if (issued.failed())
    return issued;
  return made;
}

/// What comes before the first kernel, but for the scalars.
Status CudaCall::prepareRun(int state) {
  if (early.failed())
    return early;
  if (Status status = net.context()->activate(); status.failed())
    return status;
  if (Status status = net.beforeRun(state, point.find(BufferRole::StateOut) >= 0); status.failed())
    return status;
  return takeInputs();
}

/// Records the event `index` of `marks`.
Status CudaCall::mark(size_t index) {
  Code code = success;
  if (index == marks.size()) {
    Event made = nullptr;
    code = table().cuEventCreate(&made, 0);
    if (code == success)
      marks.push_back(made);
  }
  if (code == success)
    code = table().cuEventRecord(marks[index], compute());
  return check(code, "an event");
}

Result<std::vector<double>> CudaCall::timeLaunches(int state) {
  Status status = prepareRun(state);
  if (status.isOk())
    status = copyScalars();
  if (status.isOk())
    status = mark(0);
  for (size_t i = 0; i < functions.size() && status.isOk(); ++i) {
    status = launch(i, state);
    if (status.isOk())
      status = mark(i + 1);
  }
  if (status.isOk())
    status = copyOutputs();
  isGraph = false;
  if (status.isOk())
    status = finish();
  std::vector<double> times;
  for (size_t i = 0; i < functions.size() && status.isOk(); ++i) {
    float milliseconds = 0;
    status = check(table().cuEventElapsedTime(&milliseconds, marks[i], marks[i + 1]), "an event");
    times.push_back(double(milliseconds));
  }
  if (status.failed())
    return status;
  return times;
}

Status CudaCall::start(int state) {
  if (Status status = prepareRun(state); status.failed())
    return status;
  const char *wish = std::getenv("CNN_CUDA_CHECK");
  if (!isChecked || (wish && *wish && *wish != '0')) {
    isChecked = true;
    isGraph = false;
    return issue(state, /*oneByOne=*/true);
  }
  isGraph = true;
  std::vector<int> key = {state};
  for (const Place &place : places)
    key.push_back(place.slot);
  auto [known, isNew] = graphs.try_emplace(std::move(key), nullptr);
  if (isNew) {
    Result<GraphExec> made = capture(state);
    if (made.failed()) {
      graphs.erase(known);
      return made.status();
    }
    known->second = *made;
  }
  return check(table().cuGraphLaunch(known->second, compute()), text());
}

Status CudaCall::finish() {
  Code code = table().cuStreamSynchronize(compute());
  Status status = check(code, text());
  if (status.failed() && isGraph && !isLost(code))
    return std::move(status).withHint("with CNN_CUDA_CHECK=1 in the environment, the kernel that "
                                      "fails is named");
  return status;
}

} // namespace cnn::cuda
