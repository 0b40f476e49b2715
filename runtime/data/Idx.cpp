// IDX, plain or gzip -> IdxTensor. The header is checked before the data is looked at, and memory
// grows with the data that is really there.
#include "runtime/data/Idx.h"

#include "runtime/core/Element.h"
#include "runtime/core/File.h"
#include "runtime/data/Gzip.h"

#include <algorithm>

namespace cnn {

int64_t IdxTensor::itemSize() const {
  int64_t size = 1;
  for (size_t i = 1; i < dims.size(); ++i)
    size *= dims[i];
  return size;
}

namespace {

uint32_t bigEndian(const uint8_t *bytes) {
  return uint32_t(bytes[0]) << 24 | uint32_t(bytes[1]) << 16 | uint32_t(bytes[2]) << 8 | bytes[3];
}

const char *idxElementName(uint8_t type) {
  switch (type) {
  case 0x08:
    return "unsigned byte";
  case 0x09:
    return "signed byte";
  case 0x0b:
    return "short";
  case 0x0c:
    return "int";
  case 0x0d:
    return "float";
  case 0x0e:
    return "double";
  default:
    return nullptr;
  }
}

/// Checks the first four bytes; the last of them is the rank.
Status checkMagic(std::span<const uint8_t> start, const std::string &name) {
  if (start.empty())
    return Status::failure(name, "the file is empty, expected IDX data");
  if (start.size() < 4)
    return Status::failure(
        name,
        formatText("truncated: an IDX file starts with 4 bytes, this one has %zu", start.size()));
  const char *element = idxElementName(start[2]);
  if (start[0] != 0 || start[1] != 0 || !element)
    return Status::failure(name, formatText("no IDX file: the magic number is 0x%08x, expected "
                                            "0x00000801 (labels) or 0x00000803 (images)",
                                            bigEndian(start.data())));
  if (start[2] != 0x08)
    return Status::failure(name, formatText("the IDX elements are of type 0x%02x (%s), expected "
                                            "0x08 (unsigned byte)",
                                            start[2], element));
  constexpr int maxRank = 8;
  if (start[3] < 1 || start[3] > maxRank)
    return Status::failure(
        name, formatText("the IDX data has rank %d, expected 1 to %d", start[3], maxRank));
  return Status::success();
}

Status truncated(const std::string &name, const std::string &what, uint64_t expected,
                 uint64_t actual) {
  return Status::failure(name,
                         formatText("truncated: %s %llu bytes, the file has %llu", what.c_str(),
                                    (unsigned long long)expected, (unsigned long long)actual));
}

/// Reads the extents after the magic number and computes the size of the whole content.
Status readDims(std::span<const uint8_t> header, const std::string &name,
                std::vector<int64_t> &dims, uint64_t &total) {
  for (size_t at = 4; at < header.size(); at += 4)
    dims.push_back(bigEndian(header.data() + at));
  std::optional<int64_t> count = elementCount(dims);
  if (!count || uint64_t(*count) > INT64_MAX - header.size())
    return Status::failure(name, "the IDX extents " + shapeText(dims) + " exceed 2^63 bytes");
  total = header.size() + uint64_t(*count);
  return Status::success();
}

Result<IdxTensor> parsePlain(std::span<const uint8_t> content, const std::string &name) {
  if (Status status = checkMagic(content.first(std::min<size_t>(content.size(), 4)), name);
      status.failed())
    return status;
  size_t headerSize = 4 + 4 * size_t(content[3]);
  if (content.size() < headerSize)
    return truncated(name, "the IDX header has", headerSize, content.size());
  IdxTensor tensor;
  uint64_t total = 0;
  if (Status status = readDims(content.first(headerSize), name, tensor.dims, total);
      status.failed())
    return status;
  std::string promise = "the header's extents " + shapeText(tensor.dims) + " make";
  if (content.size() < total)
    return truncated(name, promise, total, content.size());
  if (content.size() > total)
    return Status::failure(name,
                           formatText("bytes after the end: %s %llu bytes, the file has %zu",
                                      promise.c_str(), (unsigned long long)total, content.size()));
  tensor.data.assign(content.begin() + headerSize, content.end());
  return tensor;
}

Result<IdxTensor> parseCompressed(std::span<const uint8_t> content, const std::string &name) {
  GzipReader inflater(content, name);
  std::vector<uint8_t> output;
  if (Status status = inflater.inflateTo(output, 4); status.failed())
    return status;
  if (Status status = checkMagic(output, name); status.failed())
    return status;
  size_t headerSize = 4 + 4 * size_t(output[3]);
  if (Status status = inflater.inflateTo(output, headerSize); status.failed())
    return status;
  if (output.size() < headerSize)
    return truncated(name, "decompressed, the IDX header has", headerSize, output.size());
  IdxTensor tensor;
  uint64_t total = 0;
  if (Status status = readDims(output, name, tensor.dims, total); status.failed())
    return status;
  // One byte more than wanted: there the checksum has been verified, or there is too much.
  output.clear();
  uint64_t dataSize = total - headerSize;
  if (Status status = inflater.inflateTo(output, dataSize + 1); status.failed())
    return status;
  std::string promise = "decompressed, the header's extents " + shapeText(tensor.dims) + " make";
  if (output.size() < dataSize)
    return truncated(name, promise, total, headerSize + output.size());
  if (output.size() > dataSize)
    return Status::failure(name, formatText("bytes after the end: %s %llu bytes, the file has more",
                                            promise.c_str(), (unsigned long long)total));
  tensor.data = std::move(output);
  return tensor;
}

} // namespace

Result<IdxTensor> parseIdx(std::span<const uint8_t> content, const std::string &name) {
  try {
    return isGzip(content) ? parseCompressed(content, name) : parsePlain(content, name);
  } catch (const std::bad_alloc &) {
    return Status::failure(name, "does not fit into memory");
  }
}

Result<IdxTensor> readIdx(const std::string &path) {
  Result<std::vector<uint8_t>> content = readFile(path);
  if (content.failed())
    return content.status();
  return parseIdx(*content, path);
}

} // namespace cnn
