// Any bytes -> the IDX reader, as they are and packed as gzip content (a random mutation would
// hardly ever get past gzip's checksum). Fails on a crash, a sanitizer's finding, or a tensor whose
// data does not have the size of its extents.
#include "runtime/data/Idx.h"

#include <zlib.h>

static void check(std::span<const uint8_t> content) {
  cnn::Result<cnn::IdxTensor> tensor = cnn::parseIdx(content, "f");
  if (tensor.isOk() && uint64_t(tensor->itemSize() * tensor->dims[0]) != tensor->data.size())
    __builtin_trap();
  if (tensor.failed() && tensor.message().empty())
    __builtin_trap();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check({data, size});
  z_stream stream = {};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return 0;
  std::vector<uint8_t> packed(deflateBound(&stream, size) + 32);
  stream.next_in = const_cast<Bytef *>(data);
  stream.avail_in = uInt(size);
  stream.next_out = packed.data();
  stream.avail_out = uInt(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  check(packed);
  return 0;
}
