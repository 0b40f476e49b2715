// safetensors files: 8 bytes of header length, a JSON header, raw little-endian tensors. Read
// strictly (the rules of https://github.com/huggingface/safetensors, "Format"), written atomically.
#ifndef CNNC_RUNTIME_DATA_SAFETENSORS_H
#define CNNC_RUNTIME_DATA_SAFETENSORS_H

#include "runtime/core/Element.h"
#include "runtime/core/Status.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cnn {

/// One tensor, row-major. `data` points into the file that was read, or to what is to be written.
struct NamedTensor {
  std::string name;
  ElementType element = ElementType::F32;
  std::vector<int64_t> shape;
  const uint8_t *data = nullptr; ///< not aligned
  uint64_t bytes = 0;
};

/// The content of a safetensors file; owns the bytes that the tensors point into.
struct Safetensors {
  std::vector<NamedTensor> tensors; ///< by position in the file
  std::map<std::string, std::string> metadata;
  std::vector<uint8_t> content;

  const NamedTensor *find(std::string_view name) const;
};

/// Reads the file at `path`. Elements: F32, F64, I64, I32, U8. Refused: a header longer than 100 MB
/// or than the file, JSON that is malformed or has a key twice, an unknown element type, a shape
/// that overflows, offsets that overlap, leave a hole, exceed the file or disagree with the shape,
/// bytes that belong to no tensor.
Result<Safetensors> readSafetensors(const std::string &path);
Result<Safetensors> parseSafetensors(std::vector<uint8_t> content, const std::string &name);

/// Writes `tensors` in the given order. The header is padded so that the data starts at a multiple
/// of 8 bytes.
Status writeSafetensors(const std::string &path, std::span<const NamedTensor> tensors,
                        const std::map<std::string, std::string> &metadata,
                        bool keepBackup = false);

} // namespace cnn

#endif
