// Buffers of a compiled net, and its calls.
#include "runtime/train/Session.h"

#include "runtime/core/Element.h"

#include <algorithm>
#include <utility>

namespace cnn {

static uint64_t tensorBytes(const BufferSpec &spec) {
  return static_cast<uint64_t>(elementCount(spec.shape).value_or(0)) * elementBytes(spec.element);
}

//===----------------------------------------------------------------------===//
// Call
//===----------------------------------------------------------------------===//

Result<int> Call::position(BufferRole role, std::string_view name) const {
  if (int found = point->find(role, name); found >= 0)
    return found;
  return Status::failure(formatText("entry point '%s' of net '%s' has no %s '%s'",
                                    point->name.c_str(), session->manifest().net.c_str(),
                                    role == BufferRole::Input ? "input" : "output",
                                    std::string(name).c_str()));
}

Result<int> Call::image() const {
  if (int found = point->findImage(); found >= 0)
    return found;
  return Status::failure(formatText("entry point '%s' of net '%s' does not take one tensor of "
                                    "images",
                                    point->name.c_str(), session->manifest().net.c_str()));
}

void Call::set(int position, double value, int64_t index) {
  void *data = buffers[position];
  switch (point->buffers[position].element) {
  case ElementType::F32:
    static_cast<float *>(data)[index] = static_cast<float>(value);
    break;
  case ElementType::F64:
    static_cast<double *>(data)[index] = value;
    break;
  case ElementType::I32:
    static_cast<int32_t *>(data)[index] = static_cast<int32_t>(value);
    break;
  case ElementType::I64:
    static_cast<int64_t *>(data)[index] = static_cast<int64_t>(value);
    break;
  case ElementType::U8:
    static_cast<uint8_t *>(data)[index] = static_cast<uint8_t>(value);
    break;
  }
}

double Call::get(int position, int64_t index) const {
  const void *data = buffers[position];
  switch (point->buffers[position].element) {
  case ElementType::F32:
    return static_cast<const float *>(data)[index];
  case ElementType::F64:
    return static_cast<const double *>(data)[index];
  case ElementType::I32:
    return static_cast<const int32_t *>(data)[index];
  case ElementType::I64:
    return static_cast<double>(static_cast<const int64_t *>(data)[index]);
  case ElementType::U8:
    return static_cast<const uint8_t *>(data)[index];
  }
  return 0;
}

void *Call::scratch(int worker) const {
  int found = point->find(BufferRole::Scratch);
  if (found < 0)
    return nullptr;
  return static_cast<char *>(buffers[found]) + worker * point->buffers[found].bytes;
}

void Call::run() {
  if (prepare && !session->isPrepared) {
    prepare->run();
    session->isPrepared = true;
  }
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (point->buffers[i].role == BufferRole::StateIn)
      buffers[i] = session->states[session->current].data();
    else if (point->buffers[i].role == BufferRole::StateOut)
      buffers[i] = session->states[1 - session->current].data();
  }
  session->threads->run(code, buffers.data());
}

//===----------------------------------------------------------------------===//
// Session
//===----------------------------------------------------------------------===//

Result<std::unique_ptr<Session>> Session::create(CompiledNet net, ThreadPool &pool) {
  std::unique_ptr<Session> session(new Session(std::move(net), pool));
  if (Status status = session->allocate(); status.failed())
    return status;
  return session;
}

Status Session::allocate() {
  const Manifest &net = manifest();
  uint64_t arenaBytes = 0, scratchBytes = 0, tensors = 0;
  bool writesState = false;
  for (const EntryPoint &point : net.entries) {
    if (!compiled.lookup(point.symbol))
      return Status::failure(
          formatText("the code of net '%s' lacks the function '%s' of its entry point '%s'",
                     net.net.c_str(), point.symbol.c_str(), point.name.c_str()));
    for (const BufferSpec &spec : point.buffers) {
      switch (spec.role) {
      case BufferRole::Arena:
        arenaBytes = std::max(arenaBytes, spec.bytes);
        break;
      case BufferRole::Scratch:
        scratchBytes = std::max(scratchBytes, spec.bytes);
        break;
      case BufferRole::StateOut:
        writesState = true;
        break;
      case BufferRole::StateIn:
      case BufferRole::Prepared:
        break;
      case BufferRole::Input:
      case BufferRole::Output:
        tensors += tensorBytes(spec);
        break;
      }
    }
  }
  // Each on its own would pass where the sum does not fit.
  uint64_t scratchAll = scratchBytes * threads->workers();
  double total = double(net.stateBytes) * (writesState ? 2 : 1) + double(net.preparedBytes) +
                 double(arenaBytes) + double(scratchBytes) * threads->workers() + double(tensors);
  if (total > double(machineMemory()))
    return Status::failure(
               formatText("net '%s' with batch %lld needs %s (state %s, %sarena %s, scratch %s for "
                          "%d %s, inputs and outputs %s) and this machine has %s",
                          net.net.c_str(), static_cast<long long>(net.batch),
                          bytesText(static_cast<uint64_t>(total)).c_str(),
                          bytesText(net.stateBytes * (writesState ? 2 : 1)).c_str(),
                          net.preparedBytes
                              ? ("prepared weights " + bytesText(net.preparedBytes) + ", ").c_str()
                              : "",
                          bytesText(arenaBytes).c_str(), bytesText(scratchAll).c_str(),
                          threads->workers(), threads->workers() == 1 ? "thread" : "threads",
                          bytesText(tensors).c_str(), bytesText(machineMemory()).c_str()))
        .withHint("use a smaller batch");

  auto make = [&](AlignedBuffer &buffer, uint64_t bytes, const char *what) {
    Result<AlignedBuffer> made =
        AlignedBuffer::allocate(bytes, formatText("%s of net '%s'", what, net.net.c_str()));
    if (made.failed())
      return made.status();
    buffer = std::move(*made);
    return Status();
  };
  if (Status status = make(states[0], net.stateBytes, "the state"); status.failed())
    return status;
  if (writesState)
    if (Status status = make(states[1], net.stateBytes, "the second state"); status.failed())
      return status;
  if (Status status = make(prepared, net.preparedBytes, "the prepared weights"); status.failed())
    return status;
  if (Status status = make(arena, arenaBytes, "the arena"); status.failed())
    return status;
  return make(scratch, scratchAll, "the scratch memory");
}

Result<Call *> Session::call(std::string_view name) {
  for (std::unique_ptr<Call> &made : calls)
    if (made->point->name == name)
      return made.get();
  const EntryPoint *point = manifest().findEntry(name);
  if (!point)
    return Status::failure(formatText("net '%s' was compiled without the entry point '%s'",
                                      manifest().net.c_str(), std::string(name).c_str()));
  Result<std::unique_ptr<Call>> made = makeCall(*point);
  if (made.failed())
    return made.status();
  calls.push_back(std::move(*made));
  return calls.back().get();
}

Result<std::unique_ptr<Call>> Session::makeCall(const EntryPoint &point) {
  std::unique_ptr<Call> call(new Call(*this, point, compiled.lookup(point.symbol)));
  for (const BufferSpec &spec : point.buffers) {
    void *data = nullptr; // of the states: set by each run
    if (spec.role == BufferRole::Prepared) {
      data = prepared.data();
      if (point.name != "prepare") {
        Result<Call *> made = this->call("prepare");
        if (made.failed())
          return made.status();
        call->prepare = *made;
      }
    } else if (spec.role == BufferRole::Arena) {
      data = arena.data();
    } else if (spec.role == BufferRole::Scratch) {
      data = scratch.data();
    } else if (spec.role == BufferRole::Input || spec.role == BufferRole::Output) {
      Result<AlignedBuffer> made = AlignedBuffer::allocate(
          tensorBytes(spec), formatText("'%s' of entry point '%s' of net '%s'", spec.name.c_str(),
                                        point.name.c_str(), manifest().net.c_str()));
      if (made.failed())
        return made.status();
      data = made->data();
      call->owned.push_back(std::move(*made));
    }
    call->buffers.push_back(data);
  }
  return call;
}

uint64_t Session::bytes() const {
  uint64_t sum =
      states[0].size() + states[1].size() + prepared.size() + arena.size() + scratch.size();
  for (const std::unique_ptr<Call> &call : calls)
    for (const AlignedBuffer &buffer : call->owned)
      sum += buffer.size();
  return sum;
}

} // namespace cnn
