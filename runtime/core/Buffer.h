// Memory as compiled code wants it: aligned to CNN_ALIGNMENT, and refused with a message instead of
// an exception when there is not enough.
#ifndef CNNC_RUNTIME_CORE_BUFFER_H
#define CNNC_RUNTIME_CORE_BUFFER_H

#include "runtime/core/Status.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace cnn {

/// Owned memory, zeroed, aligned to CNN_ALIGNMENT (64) and padded to a multiple of it. Buffers of 2
/// MiB and more ask for huge pages.
class AlignedBuffer {
public:
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer &&other) noexcept;
  AlignedBuffer &operator=(AlignedBuffer &&other) noexcept;
  ~AlignedBuffer();

  /// `what` names the buffer in the message of a failure ("the arena of train_step"). Fails when
  /// `bytes` exceeds the memory of the machine or the system refuses.
  static Result<AlignedBuffer> allocate(uint64_t bytes, const std::string &what);

  void *data() { return memory; }
  const void *data() const { return memory; }
  template <typename T> T *as() { return static_cast<T *>(memory); }
  template <typename T> const T *as() const { return static_cast<const T *>(memory); }
  /// The bytes asked for.
  size_t size() const { return bytes; }

private:
  void *memory = nullptr;
  size_t bytes = 0;
};

/// The machine's memory in bytes, or the limit of its control group where that is lower.
uint64_t machineMemory();
/// "1.5 GiB", the way messages show sizes.
std::string bytesText(uint64_t bytes);

} // namespace cnn

#endif
