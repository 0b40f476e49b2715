// A net in memory: which of its two states counts (a step writes a new one beside the old), and the
// calls of its entry points. In: a CompiledNet and the Device that it was compiled for; out: runs.
// Evaluator, Trainer and Predictor work through it, and know of no device.
#ifndef CNNC_RUNTIME_TRAIN_SESSION_H
#define CNNC_RUNTIME_TRAIN_SESSION_H

#include "runtime/core/Status.h"
#include "runtime/device/CompiledNet.h"
#include "runtime/device/Device.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cnn {

class Session;

/// One entry point with its buffers. Positions are those of the manifest's `buffers`.
class Call {
public:
  const EntryPoint &entry() const { return *point; }

  /// The position of an input or output, with its element type and shape checked by the caller
  /// through spec(); fails, naming net and entry, when there is none of that name.
  Result<int> input(std::string_view name) const { return position(BufferRole::Input, name); }
  Result<int> output(std::string_view name) const { return position(BufferRole::Output, name); }
  /// The position of the images, whatever the net calls them; fails when the net does not take one
  /// tensor of them.
  Result<int> image() const;
  const BufferSpec &spec(int position) const { return point->buffers[position]; }

  /// Reads the input at `position` from `data` (aligned, the whole shape) in the runs that are
  /// started from now on; `data` must stay as it is until the last of them has been started.
  void bind(int position, const void *data) { device->bind(position, data); }
  /// Element `index` of an input that is not bound, or of an output, converted to or from its
  /// element type. An input keeps what was set; an output is that of the last finished run.
  void set(int position, double value, int64_t index = 0) {
    storeElement(spec(position).element, device->input(position), index, value);
  }
  double get(int position, int64_t index = 0) const {
    return loadElement(spec(position).element, device->output(position), index);
  }

  /// The scratch memory of a worker; null where the entry point takes none.
  void *scratch(int worker) const { return device->scratch(worker); }

  /// Starts the entry point on the session's state, behind `prepare` where it reads what that makes
  /// of the state and the state is another one since. The device may compute on while the caller
  /// binds the inputs of the next run, and does nothing else, until finish().
  Status start();
  /// A run, and the milliseconds of every launch of it (DeviceCall::timeLaunches).
  Result<std::vector<double>> timeLaunches();
  /// Waits for the outputs. Fails when the run did; a device that was lost stays lost.
  Status finish() { return device->finish(); }
  Status run() {
    Status status = start();
    return status.failed() ? status : finish();
  }

private:
  friend class Session;
  Call(Session &session, const EntryPoint &point, std::unique_ptr<DeviceCall> device)
      : session(&session), point(&point), device(std::move(device)) {}
  Result<int> position(BufferRole role, std::string_view name) const;
  Status takePrepared();

  Session *session;
  const EntryPoint *point;
  std::unique_ptr<DeviceCall> device;
  Call *prepare = nullptr; // where this one reads what that prepares
};

class Session {
public:
  /// Loads no weights: the state is zero. Fails as Device::load does. `device` must outlive it.
  static Result<std::unique_ptr<Session>> create(CompiledNet net, Device &device);

  const Manifest &manifest() const { return compiled.manifest; }

  /// The state that calls read, manifest().stateBytes bytes: a copy where the device has it in
  /// memory of its own. To read or change it after a call, ask for it again. Fails when the device
  /// does not give it back.
  Result<void *> state() {
    isPrepared = false;
    return net->state(current);
  }
  /// Makes what the last call wrote to state_out the state. Without it, the state stays.
  void commit() {
    isPrepared = false;
    current = 1 - current;
  }

  /// The entry point called `name`; its buffers are made at the first request. Fails when the net
  /// was compiled without it.
  Result<Call *> call(std::string_view name);

  /// Bytes of the machine's memory that all buffers made so far take.
  uint64_t bytes() const { return net->hostBytes(); }

private:
  friend class Call;
  explicit Session(CompiledNet net) : compiled(std::move(net)) {}

  CompiledNet compiled;
  std::unique_ptr<DeviceNet> net;
  std::vector<std::unique_ptr<Call>> calls;
  int current = 0;
  bool isPrepared = false; // from the current state
};

} // namespace cnn

#endif
