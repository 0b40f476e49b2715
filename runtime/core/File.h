// Files as the runtime reads and writes them: whole reads with a size limit, and writes that leave
// either the old content or the new, never a mixture, whatever happens in between.
#ifndef CNNC_RUNTIME_CORE_FILE_H
#define CNNC_RUNTIME_CORE_FILE_H

#include "runtime/core/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cnn {

/// The whole file at `path`. Fails, naming the path and the reason, when it cannot be read or is
/// larger than memory.
Result<std::vector<uint8_t>> readFile(const std::string &path);

/// Writes a file so that a crash, a full disk or a kill at any moment leaves the old file whole:
/// `.NAME.tmp` in the same folder -> write -> fsync -> rename -> fsync of the folder. The temporary
/// file is locked while written (a second writer fails) and reused after a crash, so none pile up.
/// A path that exists and is no regular file (a device, a pipe) is written directly; a symbolic
/// link is followed.
class AtomicFile {
public:
  AtomicFile() = default;
  AtomicFile(AtomicFile &&other) noexcept;
  AtomicFile &operator=(AtomicFile &&other) noexcept;
  /// Without a commit, removes the temporary file and leaves `path` as it was.
  ~AtomicFile();

  static Result<AtomicFile> create(const std::string &path);
  Status write(const void *data, size_t bytes);
  Status write(std::string_view text) { return write(text.data(), text.size()); }
  /// Brings what was written onto the disk, so that a commit fails for lack of room no more.
  Status sync();
  /// Puts the file in place. With `keepBackup`, an existing file becomes `PATH.bak` (replacing an
  /// older one) in such an order that one of the two is whole at every moment.
  Status commit(bool keepBackup = false);

private:
  Status fail(const char *action, int errorNumber);
  void abandon();

  int descriptor = -1;
  bool direct = false;
  std::string shownPath, path, temporary;
};

/// Writes `content` to `path` through an AtomicFile.
Status writeFile(const std::string &path, std::string_view content, bool keepBackup = false);

} // namespace cnn

#endif
