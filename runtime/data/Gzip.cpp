// zlib behind GzipReader: members one after the other, checksums verified by zlib.
#include "runtime/data/Gzip.h"

#include <algorithm>
#include <new>
#include <zlib.h>

namespace cnn {

bool isGzip(std::span<const uint8_t> content) {
  return content.size() >= 2 && content[0] == 0x1f && content[1] == 0x8b;
}

/// Inflates gzip content piece by piece.
struct GzipReader::State {
  State(std::span<const uint8_t> content, const std::string &name) : content(content), name(name) {
    started = inflateInit2(&stream, 15 + 16) == Z_OK; // 15: largest window; 16: gzip, not zlib
  }
  State(const State &) = delete;
  ~State() {
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

GzipReader::GzipReader(std::span<const uint8_t> content, const std::string &name)
    : state(std::make_unique<State>(content, name)) {}
GzipReader::~GzipReader() = default;

Status GzipReader::inflateTo(std::vector<uint8_t> &output, uint64_t size) {
  return state->inflateTo(output, size);
}

bool GzipReader::ended() const { return state->done; }

Result<std::vector<uint8_t>> inflateGzip(std::span<const uint8_t> content, const std::string &name,
                                         uint64_t limit) {
  try {
    std::vector<uint8_t> output;
    GzipReader inflater(content, name);
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
