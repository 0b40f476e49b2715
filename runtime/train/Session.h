// A net in memory: its state (twice: a step writes new state beside the old), one arena and scratch
// memory that all entry points share, and the buffers that each entry point wants. In: an
// CompiledNet and a thread pool; out: calls of its entry points. Evaluator, Trainer and Predictor
// work through it.
#ifndef CNNC_RUNTIME_TRAIN_SESSION_H
#define CNNC_RUNTIME_TRAIN_SESSION_H

#include "runtime/core/Buffer.h"
#include "runtime/core/Status.h"
#include "runtime/task/ThreadPool.h"
#include "runtime/train/CompiledNet.h"

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

  /// Reads the input at `position` from `data` (aligned, the whole shape) in the runs that follow.
  void bind(int position, const void *data) { buffers[position] = const_cast<void *>(data); }
  /// The memory of the session's own that an input has until `bind`, and an output always.
  void *data(int position) const { return buffers[position]; }
  /// Element `index` of an input or output, converted from or to its element type.
  void set(int position, double value, int64_t index = 0);
  double get(int position, int64_t index = 0) const;

  /// The scratch memory of a worker; null where the entry point takes none.
  void *scratch(int worker) const;

  /// Runs the entry point on all workers of the session's pool, behind `prepare` where it reads
  /// what that makes of the state and the state is another one since.
  void run();

private:
  friend class Session;
  Call(Session &session, const EntryPoint &point, cnn_entry code)
      : session(&session), point(&point), code(code) {}
  Result<int> position(BufferRole role, std::string_view name) const;

  Session *session;
  const EntryPoint *point;
  cnn_entry code;
  Call *prepare = nullptr; // where this one reads what that prepares
  std::vector<void *> buffers;
  std::vector<AlignedBuffer> owned;
};

class Session {
public:
  /// Loads no weights: the state is zero. Fails when the code lacks an entry point of its manifest,
  /// or when state, arena and scratch together exceed the machine's memory.
  static Result<std::unique_ptr<Session>> create(CompiledNet net, ThreadPool &pool);

  const Manifest &manifest() const { return compiled.manifest; }
  ThreadPool &pool() { return *threads; }

  /// The state that calls read: manifest().stateBytes bytes. To change it after a call, ask for it
  /// again.
  void *state() {
    isPrepared = false;
    return states[current].data();
  }
  /// Makes what the last call wrote to state_out the state. Without it, the state stays.
  void commit() {
    isPrepared = false;
    current = 1 - current;
  }

  /// The entry point called `name`; its buffers are made at the first request. Fails when the net
  /// was compiled without it.
  Result<Call *> call(std::string_view name);

  /// Bytes of all buffers made so far.
  uint64_t bytes() const;

private:
  friend class Call;
  Session(CompiledNet net, ThreadPool &pool) : compiled(std::move(net)), threads(&pool) {}
  Status allocate();
  Result<std::unique_ptr<Call>> makeCall(const EntryPoint &point);

  CompiledNet compiled;
  ThreadPool *threads;
  AlignedBuffer states[2];
  int current = 0;
  AlignedBuffer prepared;
  bool isPrepared = false;      // from the current state
  AlignedBuffer arena, scratch; // as large as the entry point that needs most
  std::vector<std::unique_ptr<Call>> calls;
};

} // namespace cnn

#endif
