// A net's memory on the processor: its state twice, one arena and scratch memory that all entry
// points share, and the inputs and outputs of each.
#include "runtime/device/cpu/CpuDevice.h"

#include "runtime/core/Buffer.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace cnn {

namespace {

class CpuNet;

class CpuCall : public DeviceCall {
public:
  CpuCall(CpuNet &net, const EntryPoint &point, cnn_entry code)
      : net(net), point(point), code(code) {}
  Status allocate();

  void bind(int position, const void *data) override {
    buffers[position] = const_cast<void *>(data);
  }
  void *input(int position) override { return buffers[position]; }
  const void *output(int position) const override { return buffers[position]; }
  void *scratch(int worker) const override;
  Status start(int state) override;
  Status finish() override { return Status(); }

private:
  CpuNet &net;
  const EntryPoint &point;
  cnn_entry code;
  std::vector<void *> buffers;
  std::vector<AlignedBuffer> owned;
};

class CpuNet : public DeviceNet {
public:
  CpuNet(const CompiledNet &net, ThreadPool &pool) : net(net), manifest(net.manifest), pool(pool) {}
  Status allocate();

  Result<std::unique_ptr<DeviceCall>> makeCall(const EntryPoint &point) override {
    auto call = std::make_unique<CpuCall>(*this, point, net.lookup(point.symbol));
    if (Status status = call->allocate(); status.failed())
      return status;
    return std::unique_ptr<DeviceCall>(std::move(call));
  }
  Result<void *> state(int which) override { return states[which].data(); }
  uint64_t hostBytes() const override {
    return states[0].size() + states[1].size() + prepared.size() + arena.size() + scratch.size() +
           callBytes;
  }

private:
  friend class CpuCall;

  const CompiledNet &net;
  const Manifest &manifest;
  ThreadPool &pool;
  AlignedBuffer states[2], prepared;
  AlignedBuffer arena, scratch; // as large as the entry point that needs most
  uint64_t callBytes = 0;       // of the inputs and outputs of calls
};

} // namespace

//===----------------------------------------------------------------------===//
// CpuCall
//===----------------------------------------------------------------------===//

Status CpuCall::allocate() {
  for (const BufferSpec &spec : point.buffers) {
    void *data = nullptr; // of the states: set by each run
    if (spec.role == BufferRole::Prepared) {
      data = net.prepared.data();
    } else if (spec.role == BufferRole::Arena) {
      data = net.arena.data();
    } else if (spec.role == BufferRole::Scratch) {
      data = net.scratch.data();
    } else if (spec.role == BufferRole::Input || spec.role == BufferRole::Output) {
      Result<AlignedBuffer> made = AlignedBuffer::allocate(
          spec.bytes, formatText("'%s' of entry point '%s' of net '%s'", spec.name.c_str(),
                                 point.name.c_str(), net.manifest.net.c_str()));
      if (made.failed())
        return made.status();
      data = made->data();
      net.callBytes += made->size();
      owned.push_back(std::move(*made));
    }
    buffers.push_back(data);
  }
  return Status();
}

void *CpuCall::scratch(int worker) const {
  int found = point.find(BufferRole::Scratch);
  if (found < 0)
    return nullptr;
  return static_cast<char *>(buffers[found]) + worker * point.buffers[found].bytes;
}

Status CpuCall::start(int state) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (point.buffers[i].role == BufferRole::StateIn)
      buffers[i] = net.states[state].data();
    else if (point.buffers[i].role == BufferRole::StateOut)
      buffers[i] = net.states[1 - state].data();
  }
  net.pool.run(code, buffers.data());
  return Status();
}

//===----------------------------------------------------------------------===//
// CpuNet
//===----------------------------------------------------------------------===//

Status CpuNet::allocate() {
  uint64_t arenaBytes = 0, scratchBytes = 0, tensors = 0;
  for (const EntryPoint &point : manifest.entries) {
    if (!net.lookup || !net.lookup(point.symbol))
      return Status::failure(
          formatText("the code of net '%s' lacks the function '%s' of its entry point '%s'",
                     manifest.net.c_str(), point.symbol.c_str(), point.name.c_str()));
    for (const BufferSpec &spec : point.buffers) {
      if (spec.role == BufferRole::Arena)
        arenaBytes = std::max(arenaBytes, spec.bytes);
      else if (spec.role == BufferRole::Scratch)
        scratchBytes = std::max(scratchBytes, spec.bytes);
      else if (spec.role == BufferRole::Input || spec.role == BufferRole::Output)
        tensors += spec.bytes;
    }
  }
  // Each on its own would pass where the sum does not fit.
  uint64_t stateBytes = manifest.stateBytes * (manifest.writesState() ? 2 : 1);
  int workers = pool.workers();
  double total = double(stateBytes) + double(manifest.preparedBytes) + double(arenaBytes) +
                 double(scratchBytes) * workers + double(tensors);
  if (total > double(machineMemory()))
    return Status::failure(
               formatText(
                   "net '%s' with batch %lld needs %s (state %s, %sarena %s, scratch %s for "
                   "%d %s, inputs and outputs %s) and this machine has %s",
                   manifest.net.c_str(), static_cast<long long>(manifest.batch),
                   bytesText(static_cast<uint64_t>(total)).c_str(), bytesText(stateBytes).c_str(),
                   manifest.preparedBytes
                       ? ("prepared weights " + bytesText(manifest.preparedBytes) + ", ").c_str()
                       : "",
                   bytesText(arenaBytes).c_str(), bytesText(scratchBytes * workers).c_str(),
                   workers, workers == 1 ? "thread" : "threads", bytesText(tensors).c_str(),
                   bytesText(machineMemory()).c_str()))
        .withHint("use a smaller batch");

  auto make = [&](AlignedBuffer &buffer, uint64_t bytes, const char *what) {
    Result<AlignedBuffer> made =
        AlignedBuffer::allocate(bytes, formatText("%s of net '%s'", what, manifest.net.c_str()));
    if (made.failed())
      return made.status();
    buffer = std::move(*made);
    return Status();
  };
  if (Status status = make(states[0], manifest.stateBytes, "the state"); status.failed())
    return status;
  if (manifest.writesState())
    if (Status status = make(states[1], manifest.stateBytes, "the second state"); status.failed())
      return status;
  if (Status status = make(prepared, manifest.preparedBytes, "the prepared weights");
      status.failed())
    return status;
  if (Status status = make(arena, arenaBytes, "the arena"); status.failed())
    return status;
  return make(scratch, scratchBytes * workers, "the scratch memory");
}

//===----------------------------------------------------------------------===//
// CpuDevice
//===----------------------------------------------------------------------===//

Result<std::unique_ptr<CpuDevice>> CpuDevice::create(int threads) {
  Result<std::unique_ptr<ThreadPool>> pool = ThreadPool::create(threads);
  if (pool.failed())
    return pool.status();
  return std::unique_ptr<CpuDevice>(new CpuDevice(std::move(*pool)));
}

std::string CpuDevice::text() const {
  return formatText("%d %s", threads->workers(), threads->workers() == 1 ? "thread" : "threads");
}

Result<std::unique_ptr<DeviceNet>> CpuDevice::load(const CompiledNet &net) {
  if (net.manifest.target != CodeTarget::Cpu)
    return Status::failure(formatText("net '%s' was compiled for the GPU target %s, not for the "
                                      "CPU",
                                      net.manifest.net.c_str(), net.manifest.arch.c_str()));
  auto made = std::make_unique<CpuNet>(net, *threads);
  if (Status status = made->allocate(); status.failed())
    return status;
  return std::unique_ptr<DeviceNet>(std::move(made));
}

} // namespace cnn
