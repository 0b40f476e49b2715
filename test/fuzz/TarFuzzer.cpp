// Any bytes -> gzip, where they are that, and the tar reader. Fails on a crash, a sanitizer's
// finding, or a member whose data lies outside of the archive.
#include "runtime/data/Gzip.h"
#include "runtime/data/Tar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::vector<uint8_t> content(data, data + size);
  if (cnn::isGzip(content)) {
    cnn::Result<std::vector<uint8_t>> inflated = cnn::inflateGzip(content, "f", 1 << 20);
    if (inflated.failed())
      return inflated.message().empty() ? (__builtin_trap(), 0) : 0;
    content = std::move(*inflated);
  }
  cnn::Result<std::vector<cnn::TarMember>> members = cnn::parseTar(content, "f");
  if (members.failed())
    return members.message().empty() ? (__builtin_trap(), 0) : 0;
  for (const cnn::TarMember &member : *members)
    if (!member.data.empty() &&
        (member.data.data() < content.data() ||
         member.data.data() + member.data.size() > content.data() + content.size()))
      __builtin_trap();
  return 0;
}
