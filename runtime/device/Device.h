// Where nets are computed: the interface that Session works through, and that cpu/ and cuda/
// implement. A Device loads a net and gives its memory (DeviceNet); of that it makes one DeviceCall
// for every entry point that is wanted. Everything is called from one thread.
//
// The state lies twice in a net's memory, as states 0 and 1: an entry point reads one and may write
// the other. Which of them counts is the caller's business.
#ifndef CNNC_RUNTIME_DEVICE_DEVICE_H
#define CNNC_RUNTIME_DEVICE_DEVICE_H

#include "runtime/core/Status.h"
#include "runtime/device/CompiledNet.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cnn {

/// An entry point with its buffers. Positions are those of the manifest's `buffers`.
class DeviceCall {
public:
  virtual ~DeviceCall() = default;

  /// The runs that are started from now on read the input at `position` from `data` (aligned, the
  /// whole shape), which must stay as it is until the last of them has been started.
  virtual void bind(int position, const void *data) = 0;
  /// The host's memory of the input at `position`, to write elements of it; what was there stays.
  virtual void *input(int position) = 0;
  /// The host's memory of the output at `position`, as the last finish() left it.
  virtual const void *output(int position) const = 0;
  /// Memory of a worker that the code has to itself; null where there is none such.
  virtual void *scratch(int) const { return nullptr; }

  /// Begins a run on the state `state` (0 or 1); a new state goes to the other one. Until finish()
  /// only bind() may be called: it counts for the next run.
  virtual Status start(int state) = 0;
  /// Waits until the outputs are there.
  virtual Status finish() = 0;
  /// A run from start() to finish(), with the milliseconds of every launch of the manifest as the
  /// device's own clock gives them. Fails where code is not made of launches.
  virtual Result<std::vector<double>> timeLaunches(int) {
    return Status::failure("the code of this device is not made of launches");
  }
};

/// A net's memory on a device.
class DeviceNet {
public:
  virtual ~DeviceNet() = default;

  virtual Result<std::unique_ptr<DeviceCall>> makeCall(const EntryPoint &point) = 0;
  /// The host's view of state `which`, the manifest's stateBytes bytes, zero at first. What is
  /// written there counts until the next start of any call.
  virtual Result<void *> state(int which) = 0;
  /// Bytes of the host's memory that this and its calls hold.
  virtual uint64_t hostBytes() const = 0;
};

class Device {
public:
  virtual ~Device() = default;

  /// Makes the memory of `net`, which must outlive it. Fails where its code is for another device,
  /// or lacks something that its manifest speaks of, and where the memory does not suffice, with
  /// what is needed for what.
  virtual Result<std::unique_ptr<DeviceNet>> load(const CompiledNet &net) = 0;

  /// As the options of tools name it: "cpu", "cuda:0".
  virtual std::string name() const = 0;
  /// As people are told: "2 threads", "cuda:0 (NVIDIA H100)".
  virtual std::string text() const = 0;
  /// The newest GPU target that it runs ("sm_90"); empty for the CPU.
  virtual std::string arch() const { return ""; }
};

} // namespace cnn

#endif
