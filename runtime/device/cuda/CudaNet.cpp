// Memory of a net, the driver's compilation of its kernels, and the state's way to the host and
// back.
#include "runtime/device/cuda/CudaNet.h"

#include "runtime/device/cuda/CudaCall.h"

#include <algorithm>

namespace cnn::cuda {

static bool isScalarInput(const BufferSpec &spec) {
  return spec.role == BufferRole::Input && spec.shape.empty();
}
static bool isTensorInput(const BufferSpec &spec) {
  return spec.role == BufferRole::Input && !spec.shape.empty();
}
static bool isOutput(const BufferSpec &spec) { return spec.role == BufferRole::Output; }

CallLayout::CallLayout(const EntryPoint &point) : offsets(point.buffers.size(), 0) {
  auto place = [&](bool (*belongs)(const BufferSpec &)) {
    for (size_t i = 0; i < offsets.size(); ++i)
      if (belongs(point.buffers[i])) {
        offsets[i] = bytes;
        bytes += aligned(point.buffers[i].bytes);
      }
  };
  place(isScalarInput);
  scalarBytes = bytes;
  place(isTensorInput);
  slotBytes = bytes - scalarBytes;
  outputs = bytes += slotBytes;
  place(isOutput);
}

NetBytes::NetBytes(const Manifest &net)
    : state((net.writesState() ? 2 : 1) * aligned(net.stateBytes)), prepared(net.preparedBytes) {
  for (const EntryPoint &point : net.entries) {
    for (const BufferSpec &spec : point.buffers)
      if (spec.role == BufferRole::Arena)
        arena = std::max(arena, spec.bytes);
    tensors += double(CallLayout(point).bytes);
  }
}

std::string NetBytes::text(const Manifest &net) const {
  std::string weights = prepared ? "prepared weights " + bytesText(prepared) + ", " : std::string();
  return formatText("net '%s' with batch %lld needs %s (state %s, %sarena %s, inputs and outputs "
                    "%s)",
                    net.net.c_str(), static_cast<long long>(net.batch),
                    bytesText(uint64_t(total())).c_str(), bytesText(state).c_str(), weights.c_str(),
                    bytesText(arena).c_str(), bytesText(uint64_t(tensors)).c_str());
}

CudaNet::~CudaNet() {
  if (module && gpu->activate().isOk())
    gpu->driver().table().cuModuleUnload(module);
}

Status CudaNet::load() {
  if (Status status = gpu->activate(); status.failed())
    return status;
  const Manifest &net = manifest();
  NetBytes needed(net);
  second = net.writesState() ? aligned(net.stateBytes) : 0;
  prepared = second + aligned(net.stateBytes);
  arena = prepared + aligned(net.preparedBytes);
  if (Status status = checkMemory(needed); status.failed())
    return status;

  Result<AlignedBuffer> made =
      AlignedBuffer::allocate(net.stateBytes, "the state of net '" + net.net + "'");
  if (made.failed())
    return made.status();
  mirror = std::move(*made);
  Result<GpuMemory> taken =
      GpuMemory::allocate(gpu, arena + aligned(needed.arena), "net '" + net.net + "'");
  if (taken.failed())
    return taken.status();
  memory = std::move(*taken);
  if (prepared)
    if (Status status = gpu->check(
            gpu->driver().table().cuMemsetD32Async(memory.at(0), 0, prepared / 4, gpu->compute()),
            "clearing the state");
        status.failed())
      return status;
  return loadModule();
}

/// Before anything is taken.
Status CudaNet::checkMemory(const NetBytes &needed) const {
  size_t free = 0, total = 0;
  if (Status status =
          gpu->check(gpu->driver().table().cuMemGetInfo_v2(&free, &total), "asking for its memory");
      status.failed())
    return status;
  if (needed.total() <= double(free))
    return Status();
  return Status::failure(formatText("%s and %s has %s free of %s", needed.text(manifest()).c_str(),
                                    gpu->gpu().text().c_str(), bytesText(free).c_str(),
                                    bytesText(total).c_str()))
      .withHint("use a smaller batch");
}

Status CudaNet::loadModule() {
  std::string log(8192, '\0');
  int names[] = {errorLogBuffer, errorLogBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(uintptr_t(log.size() - 1))};
  Code code = gpu->driver().table().cuModuleLoadDataEx(&module, net.ptx.c_str(), 2, names, values);
  if (code == success)
    return Status();
  module = nullptr;
  log.resize(log.find('\0'));
  while (!log.empty() && log.back() == '\n')
    log.pop_back();
  std::string message =
      formatText("the NVIDIA driver refuses the code of net '%s' for %s: %s",
                 manifest().net.c_str(), manifest().arch.c_str(), gpu->driver().text(code).c_str());
  return Status::failure(log.empty() ? message : message + "\n" + log);
}

Result<Function> CudaNet::findFunction(const Launch &launch) const {
  const DriverTable &table = gpu->driver().table();
  std::string what =
      formatText("kernel '%s' of layer '%s'", launch.kernel.c_str(), launch.layer.c_str());
  Function function = nullptr;
  Code code = table.cuModuleGetFunction(&function, module, launch.kernel.c_str());
  if (code != success)
    return Status::failure(formatText("the code of net '%s' lacks %s: %s", manifest().net.c_str(),
                                      what.c_str(), gpu->driver().text(code).c_str()));
  int most = 0, fixed = 0;
  if (Status status =
          gpu->check(table.cuFuncGetAttribute(&most, mostThreadsPerBlock, function), what);
      status.failed())
    return status;
  if (Status status = gpu->check(table.cuFuncGetAttribute(&fixed, staticShared, function), what);
      status.failed())
    return status;
  int64_t threads = launch.block[0] * launch.block[1] * launch.block[2];
  if (threads > most)
    return Status::failure(formatText("%s has blocks of %lld threads, and %s runs %d of it",
                                      what.c_str(), static_cast<long long>(threads),
                                      gpu->gpu().text().c_str(), most));
  // More than every GPU has must be asked for.
  constexpr uint64_t everywhere = 48 << 10;
  uint64_t shared = launch.shared + uint64_t(fixed);
  if (shared > uint64_t(gpu->gpu().sharedMemory) && shared > everywhere)
    return Status::failure(formatText("%s needs %s of shared memory, and %s has %s", what.c_str(),
                                      bytesText(shared).c_str(), gpu->gpu().text().c_str(),
                                      bytesText(uint64_t(gpu->gpu().sharedMemory)).c_str()));
  if (launch.shared && shared > everywhere)
    if (Status status = gpu->check(
            table.cuFuncSetAttribute(function, mostDynamicShared, int(launch.shared)), what);
        status.failed())
      return status;
  return function;
}

Result<std::unique_ptr<DeviceCall>> CudaNet::makeCall(const EntryPoint &point) {
  auto call = std::make_unique<CudaCall>(*this, point);
  if (Status status = call->allocate(); status.failed())
    return status;
  return std::unique_ptr<DeviceCall>(std::move(call));
}

Result<void *> CudaNet::state(int which) {
  if (!isCurrent || mirrored != which) {
    if (Status status = gpu->activate(); status.failed())
      return status;
    const DriverTable &table = gpu->driver().table();
    // What was written into the state that is shown now, and no run has seen.
    if (Status status = beforeRun(which, /*writesState=*/false); status.failed())
      return status;
    Code code = manifest().stateBytes
                    ? table.cuMemcpyDtoHAsync_v2(mirror.data(), stateAt(which),
                                                 manifest().stateBytes, gpu->compute())
                    : success;
    if (code == success)
      code = table.cuStreamSynchronize(gpu->compute());
    if (Status status = gpu->check(code, "copying the state back"); status.failed()) {
      isCurrent = false;
      return status;
    }
    mirrored = which;
    isCurrent = true;
  }
  isHandedOut = true;
  return mirror.data();
}

Status CudaNet::beforeRun(int state, bool writesState) {
  if (isHandedOut && manifest().stateBytes) {
    const DriverTable &table = gpu->driver().table();
    Code code = table.cuMemcpyHtoDAsync_v2(stateAt(mirrored), mirror.data(), manifest().stateBytes,
                                           gpu->compute());
    // Its memory is not pinned, and may be written again at once.
    if (code == success)
      code = table.cuStreamSynchronize(gpu->compute());
    if (Status status = gpu->check(code, "copying the state"); status.failed())
      return status;
  }
  isHandedOut = false;
  if (writesState && mirrored != state)
    isCurrent = false;
  return Status();
}

} // namespace cnn::cuda
