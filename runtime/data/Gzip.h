// Gzip content in memory, inflated piece by piece or as a whole.
#ifndef CNNC_RUNTIME_DATA_GZIP_H
#define CNNC_RUNTIME_DATA_GZIP_H

#include "runtime/core/Status.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cnn {

/// Whether `content` starts as gzip does.
bool isGzip(std::span<const uint8_t> content);

/// Inflates `content`, which must outlive this; `name` opens the message of a failure.
class GzipReader {
public:
  GzipReader(std::span<const uint8_t> content, const std::string &name);
  ~GzipReader();

  /// Appends to `output` until it has `size` bytes or the content has ended (see `ended`). Memory
  /// grows with what is really there. Fails on corrupt or truncated content and on bytes after it.
  Status inflateTo(std::vector<uint8_t> &output, uint64_t size);
  bool ended() const;

private:
  struct State;
  std::unique_ptr<State> state;
};

/// Inflates gzip `content` (all its members), at most `limit` bytes; fails on corrupt or truncated
/// input, on bytes after the end, and on output beyond `limit`.
Result<std::vector<uint8_t>> inflateGzip(std::span<const uint8_t> content, const std::string &name,
                                         uint64_t limit);

} // namespace cnn

#endif
