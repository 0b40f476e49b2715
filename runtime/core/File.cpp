// Whole reads, and writes through a temporary file (File.h says in which order and why).
#include "runtime/core/File.h"

#include "runtime/core/Buffer.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <stdexcept>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cnn {

namespace {

/// Closes the descriptor at the end of a scope.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0)
      close(number);
  }
};

Status readFailure(const std::string &path, int errorNumber) {
  return Status::failure(path, std::string("cannot read: ") + std::strerror(errorNumber));
}

Status tooLarge(const std::string &path, uint64_t bytes) {
  return Status::failure(path, "has " + bytesText(bytes) + ", more than fits into the " +
                                   bytesText(machineMemory()) + " of memory");
}

std::string folderOf(const std::string &path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

std::string nameOf(const std::string &path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

/// "FOLDER/.NAMESUFFIX" for `path` = "FOLDER/NAME".
std::string hiddenSibling(const std::string &path, const char *suffix) {
  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  return folder + "." + nameOf(path) + suffix;
}

} // namespace

Result<std::vector<uint8_t>> readFile(const std::string &path) {
  Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0)
    return readFailure(path, errno);
  struct stat info;
  if (fstat(file.number, &info) != 0)
    return readFailure(path, errno);
  if (S_ISDIR(info.st_mode))
    return readFailure(path, EISDIR);
  uint64_t limit = machineMemory();
  if (S_ISREG(info.st_mode) && uint64_t(info.st_size) > limit)
    return tooLarge(path, info.st_size);
  try {
    // One byte more than the size, so that the loop sees the end without growing.
    std::vector<uint8_t> content(S_ISREG(info.st_mode) ? size_t(info.st_size) + 1 : 1 << 16);
    size_t used = 0;
    while (true) {
      if (used == content.size()) {
        if (used > limit)
          return tooLarge(path, used);
        content.resize(used * 2);
      }
      ssize_t got = read(file.number, content.data() + used, content.size() - used);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return readFailure(path, errno);
      if (got == 0)
        break;
      used += size_t(got);
    }
    content.resize(used);
    return content;
  } catch (const std::bad_alloc &) {
    return readFailure(path, ENOMEM);
  } catch (const std::length_error &) {
    return readFailure(path, ENOMEM);
  }
}

AtomicFile::AtomicFile(AtomicFile &&other) noexcept { *this = std::move(other); }

AtomicFile &AtomicFile::operator=(AtomicFile &&other) noexcept {
  std::swap(descriptor, other.descriptor);
  std::swap(direct, other.direct);
  shownPath.swap(other.shownPath);
  path.swap(other.path);
  temporary.swap(other.temporary);
  return *this;
}

AtomicFile::~AtomicFile() { abandon(); }

void AtomicFile::abandon() {
  if (descriptor < 0)
    return;
  // Removed while still locked, so that it is ours and not a later writer's.
  if (!direct)
    unlink(temporary.c_str());
  close(descriptor);
  descriptor = -1;
}

Status AtomicFile::fail(const char *action, int errorNumber) {
  abandon();
  Status status =
      Status::failure(shownPath, formatText("cannot %s: %s", action, std::strerror(errorNumber)));
  struct stat info;
  bool old = !direct && stat(shownPath.c_str(), &info) == 0 && S_ISREG(info.st_mode);
  std::string hint = old ? "the file that was there is unchanged; " : "";
  switch (errorNumber) {
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return std::move(status).withHint(hint + "make room, or write to another place");
  case ENOENT:
    return std::move(status).withHint("create the folder " + folderOf(shownPath) + " first");
  default:
    return std::move(status).withHint(hint + "check the folder's permissions, or write to "
                                             "another place");
  }
}

Result<AtomicFile> AtomicFile::create(const std::string &path) {
  AtomicFile file;
  file.shownPath = file.path = path;
  struct stat old;
  bool exists = stat(path.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode))
    return Status::failure(path, "cannot write: Is a directory");
  if (exists && !S_ISREG(old.st_mode)) {
    file.direct = true;
    file.descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file.descriptor < 0)
      return file.fail("write", errno);
    return file;
  }
  // Renaming would replace a file that its owner has made read-only.
  if (exists && access(path.c_str(), W_OK) != 0)
    return file.fail("write", errno);
  if (exists) {
    // Through a symbolic link, the file that it points to is the one to replace.
    char *resolved = realpath(path.c_str(), nullptr);
    if (!resolved)
      return file.fail("write", errno);
    file.path = resolved;
    std::free(resolved);
  }
  file.temporary = hiddenSibling(file.path, ".tmp");
  while (true) {
    int descriptor =
        open(file.temporary.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0)
      return file.fail("write", errno);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      int reason = errno;
      close(descriptor);
      if (reason == EWOULDBLOCK)
        return Status::failure(path, "is being written by another process");
      return file.fail("write", reason);
    }
    // Another writer may have put the file in place between our open and our lock; then the name is
    // free or somebody else's.
    struct stat locked, named;
    if (fstat(descriptor, &locked) == 0 && stat(file.temporary.c_str(), &named) == 0 &&
        locked.st_ino == named.st_ino && locked.st_dev == named.st_dev) {
      file.descriptor = descriptor;
      break;
    }
    close(descriptor);
  }
  if (ftruncate(file.descriptor, 0) != 0)
    return file.fail("write", errno);
  if (exists && fchmod(file.descriptor, old.st_mode & 07777) != 0)
    return file.fail("write", errno);
  return file;
}

Status AtomicFile::write(const void *data, size_t bytes) {
  if (descriptor < 0)
    return Status::failure(shownPath, "cannot write: the file is closed");
  const char *next = static_cast<const char *>(data);
  while (bytes > 0) {
    ssize_t written = ::write(descriptor, next, std::min<size_t>(bytes, SSIZE_MAX));
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return fail("write", errno);
    next += written;
    bytes -= size_t(written);
  }
  return Status::success();
}

/// Makes `path`.bak a second name of the file at `path`, or renames it where the file system has no
/// hard links. Returns errno, or 0.
static int keepAsBackup(const std::string &path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0)
    return errno == ENOENT ? 0 : errno;
  std::string backup = path + ".bak", link = hiddenSibling(path, ".bak.tmp");
  unlink(link.c_str());
  if (::link(path.c_str(), link.c_str()) == 0)
    return rename(link.c_str(), backup.c_str()) == 0 ? 0 : errno;
  return rename(path.c_str(), backup.c_str()) == 0 ? 0 : errno;
}

Status AtomicFile::sync() {
  if (descriptor < 0)
    return Status::failure(shownPath, "cannot write: the file is closed");
  return direct || fsync(descriptor) == 0 ? Status::success() : fail("write", errno);
}

Status AtomicFile::commit(bool keepBackup) {
  if (descriptor < 0)
    return Status::failure(shownPath, "cannot write: the file is closed");
  if (direct) {
    int result = close(std::exchange(descriptor, -1));
    return result == 0 ? Status::success() : fail("write", errno);
  }
  if (Status status = sync(); status.failed())
    return status;
  if (keepBackup)
    if (int reason = keepAsBackup(path))
      return fail("keep the old file as .bak", reason);
  if (rename(temporary.c_str(), path.c_str()) != 0)
    return fail("put the new file in place", errno);
  close(std::exchange(descriptor, -1));
  // The content is safe; without this the name might not survive a power cut.
  Descriptor folder{open(folderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.number >= 0 && fsync(folder.number) != 0 && errno != EINVAL)
    return Status::failure(shownPath, std::string("the folder could not be written to disk: ") +
                                          std::strerror(errno));
  return Status::success();
}

Status writeFile(const std::string &path, std::string_view content, bool keepBackup) {
  Result<AtomicFile> file = AtomicFile::create(path);
  if (file.failed())
    return file.status();
  if (Status status = file->write(content); status.failed())
    return status;
  return file->commit(keepBackup);
}

} // namespace cnn
