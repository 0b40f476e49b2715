// IDX files (the format of MNIST and Fashion-MNIST), plain or gzip, read strictly.
#ifndef CNNC_RUNTIME_DATA_IDX_H
#define CNNC_RUNTIME_DATA_IDX_H

#include "runtime/core/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cnn {

/// A tensor of unsigned bytes, row-major; dims[0] counts the items.
struct IdxTensor {
  std::vector<int64_t> dims;
  std::vector<uint8_t> data;

  /// Elements of one item: the product of dims[1..].
  int64_t itemSize() const;
};

/// Reads the IDX file at `path`; gzip is recognised by its content, not by the name. Refused: a
/// wrong magic number, an element type other than unsigned byte, truncated content, bytes after the
/// end, corrupt or truncated gzip. Nothing is allocated on the word of the header alone. Format:
/// http://yann.lecun.com/exdb/mnist (big-endian: 0, 0, type, rank, rank extents, data).
Result<IdxTensor> readIdx(const std::string &path);

/// The same from memory; `name` opens the message of a failure.
Result<IdxTensor> parseIdx(std::span<const uint8_t> content, const std::string &name);

} // namespace cnn

#endif
