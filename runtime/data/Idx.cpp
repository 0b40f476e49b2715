// IDX, plain or gzip -> IdxTensor. The header is checked before the data is looked at, and memory
// grows with the data that is really there.
#include "runtime/data/Idx.h"

#include "runtime/core/Element.h"
#include "runtime/core/File.h"

#include <algorithm>
#include <zlib.h>

namespace cnn {

int64_t IdxTensor::itemSize() const {
  int64_t size = 1;
  for (size_t i = 1; i < dims.size(); ++i)
    size *= dims[i];
  return size;
}

namespace {

/// Inflates gzip content piece by piece.
class Inflater {
public:
  Inflater(std::span<const uint8_t> content, const std::string &name)
      : content(content), name(name) {
    started = inflateInit2(&stream, 15 + 16) == Z_OK; // 15: largest window; 16: gzip, not zlib
  }
  Inflater(const Inflater &) = delete;
  ~Inflater() {
    if (started)
      inflateEnd(&stream);
  }

  /// Appends to `output` until it has `size` bytes or the content has ended (see `ended`).
  Status inflateTo(std::vector<uint8_t> &output, uint64_t size) {
    if (!started)
      return Status::failure(name, "cannot read gzip: out of memory");
    while (output.size() < size && !done) {
      constexpr uint64_t leastStep = 1 << 16;
      uint64_t used = output.size();
      output.resize(std::min<uint64_t>(size, std::max(used * 2, used + leastStep)));
      stream.next_out = output.data() + used;
      stream.avail_out = uInt(std::min<uint64_t>(output.size() - used, maxPiece));
      Status status = step();
      output.resize(size_t(stream.next_out - output.data()));
      if (status.failed())
        return status;
    }
    return Status::success();
  }

  bool ended() const { return done; }

private:
  static constexpr uint64_t maxPiece = 1 << 30; // zlib counts in 32 bits

  Status step() {
    if (stream.avail_in == 0) {
      size_t piece = std::min<uint64_t>(content.size() - consumed, maxPiece);
      stream.next_in = const_cast<Bytef *>(content.data() + consumed);
      stream.avail_in = uInt(piece);
      consumed += piece;
    }
    int result = inflate(&stream, Z_NO_FLUSH);
    size_t position = consumed - stream.avail_in;
    if (result == Z_STREAM_END) {
      if (position == content.size()) {
        done = true;
        return Status::success();
      }
      // Another member follows, or something that is no gzip.
      if (inflateReset(&stream) != Z_OK)
        return Status::failure(name, "cannot read gzip: out of memory");
      if (content[position] != 0x1f)
        return Status::failure(name, formatText("%zu more %s after the end of the gzip content",
                                                content.size() - position,
                                                content.size() - position == 1 ? "byte" : "bytes"));
      return Status::success();
    }
    if (result == Z_OK && stream.avail_out > 0 && position == content.size())
      result = Z_BUF_ERROR;
    if (result == Z_BUF_ERROR)
      return Status::failure(name, formatText("truncated gzip: it ends after %zu bytes, in the "
                                              "middle of the compressed data",
                                              content.size()))
          .withHint("download the file again");
    if (result != Z_OK)
      return Status::failure(name, std::string("corrupt gzip: ") +
                                       (stream.msg ? stream.msg : "invalid data"))
          .withHint("download the file again");
    return Status::success();
  }

  std::span<const uint8_t> content;
  std::string name;
  z_stream stream = {};
  size_t consumed = 0;
  bool started = false, done = false;
};

bool isGzip(std::span<const uint8_t> content) {
  return content.size() >= 2 && content[0] == 0x1f && content[1] == 0x8b;
}

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
  Inflater inflater(content, name);
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

Result<std::vector<uint8_t>> inflateGzip(std::span<const uint8_t> content, const std::string &name,
                                         uint64_t limit) {
  try {
    std::vector<uint8_t> output;
    Inflater inflater(content, name);
    if (Status status = inflater.inflateTo(output, limit + 1); status.failed())
      return status;
    if (!inflater.ended() || output.size() > limit)
      return Status::failure(name, formatText("decompressed, it has more than the allowed %llu "
                                              "bytes",
                                              (unsigned long long)limit));
    return output;
  } catch (const std::bad_alloc &) {
    return Status::failure(name, "does not fit into memory");
  }
}

} // namespace cnn
