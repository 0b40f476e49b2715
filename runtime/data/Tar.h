// Tar archives in memory (ustar, pax and GNU long names), read strictly.
#ifndef CNNC_RUNTIME_DATA_TAR_H
#define CNNC_RUNTIME_DATA_TAR_H

#include "runtime/core/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cnn {

/// A regular file of an archive; `data` points into the archive's content.
struct TarMember {
  std::string name;
  std::span<const uint8_t> data;
};

/// The regular files of `content`, in their order; folders and links are passed over. Refused: a
/// wrong checksum or magic, a size that is no number or exceeds the content, members of other
/// kinds, an archive without its end, and anything but zeros after it. `name` opens the message of
/// a failure. Format: POSIX.1-2001, "pax Interchange Format" and "ustar Interchange Format".
Result<std::vector<TarMember>> parseTar(std::span<const uint8_t> content, const std::string &name);

} // namespace cnn

#endif
