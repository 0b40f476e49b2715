// IDX content for the tests: headers, gzip, and the four files of a small data set.
#ifndef CNNC_TEST_UNIT_RUNTIME_IDXFILES_H
#define CNNC_TEST_UNIT_RUNTIME_IDXFILES_H

#include "test/unit/runtime/Support.h"

#include <zlib.h>

namespace cnn::test {

using Bytes = std::vector<uint8_t>;

inline Bytes idxHeader(uint8_t type, const std::vector<uint32_t> &dims) {
  Bytes bytes = {0, 0, type, uint8_t(dims.size())};
  for (uint32_t dim : dims)
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(uint8_t(dim >> shift));
  return bytes;
}

/// An IDX tensor of bytes whose element i is i * 7 modulo `modulus`.
inline Bytes idxBytes(const std::vector<uint32_t> &dims, uint32_t modulus = 256) {
  Bytes bytes = idxHeader(8, dims);
  uint64_t count = 1;
  for (uint32_t dim : dims)
    count *= dim;
  for (uint64_t i = 0; i < count; ++i)
    bytes.push_back(uint8_t(i * 7 % modulus));
  return bytes;
}

inline Bytes gzip(const Bytes &content) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  Bytes packed(deflateBound(&stream, content.size()) + 32);
  stream.next_in = const_cast<Bytef *>(content.data());
  stream.avail_in = uInt(content.size());
  stream.next_out = packed.data();
  stream.avail_out = uInt(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// The files of a data set with `train` and `test` images of 28 x 28 and labels 0 to 9.
inline void writeMnistFiles(const std::string &folder, uint32_t train, uint32_t test,
                            bool compressed = false) {
  std::filesystem::create_directories(folder);
  auto put = [&](const std::string &name, const Bytes &bytes) {
    spill(folder + "/" + name + (compressed ? ".gz" : ""), compressed ? gzip(bytes) : bytes);
  };
  put("train-images-idx3-ubyte", idxBytes({train, 28, 28}));
  put("train-labels-idx1-ubyte", idxBytes({train}, 10));
  put("t10k-images-idx3-ubyte", idxBytes({test, 28, 28}));
  put("t10k-labels-idx1-ubyte", idxBytes({test}, 10));
}

} // namespace cnn::test

#endif
