// Any bytes -> the safetensors reader, as they are and as a header whose length is put before it.
// Fails on a crash, a sanitizer's finding, or a tensor that is not inside the file.
#include "runtime/data/Safetensors.h"

static void check(std::vector<uint8_t> content) {
  cnn::Result<cnn::Safetensors> file = cnn::parseSafetensors(std::move(content), "f");
  if (file.failed()) {
    if (file.message().empty())
      __builtin_trap();
    return;
  }
  const uint8_t *begin = file->content.data(), *end = begin + file->content.size();
  uint64_t sum = 0;
  for (const cnn::NamedTensor &tensor : file->tensors) {
    if (tensor.data < begin || tensor.data > end || tensor.bytes > uint64_t(end - tensor.data))
      __builtin_trap();
    for (uint64_t i = 0; i < tensor.bytes; ++i)
      sum += tensor.data[i];
  }
  volatile uint64_t used = sum;
  (void)used;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check({data, data + size});
  // The header ends at the last brace; what follows is data.
  size_t header = size;
  while (header > 0 && data[header - 1] != '}')
    --header;
  std::vector<uint8_t> framed(8);
  for (int i = 0; i < 8; ++i)
    framed[size_t(i)] = uint8_t(uint64_t(header) >> 8 * i);
  framed.insert(framed.end(), data, data + size);
  check(std::move(framed));
  return 0;
}
