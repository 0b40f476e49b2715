// An entry is one file:
//
//   "cnnc-cache-1\n" | sha256 of the rest (32 bytes) | length of the manifest (8 bytes, little
//   endian) | manifest | object
#include "compiler/emit/Cache.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <vector>

using namespace cnn;
namespace fs = llvm::sys::fs;

static constexpr llvm::StringLiteral magic = "cnnc-cache-1\n";
static constexpr llvm::StringLiteral extension = ".cnnc";
static constexpr size_t hashBytes = 32;

/// Adds `text` with its length in front, so that ("ab", "c") and ("a", "bc") differ.
static void addTo(llvm::SHA256 &hash, llvm::StringRef text) {
  uint8_t length[8];
  llvm::support::endian::write64le(length, text.size());
  hash.update(llvm::ArrayRef<uint8_t>(length));
  hash.update(text);
}

/// The executable by content, LLVM's library by version, path, size and time: it is 100 MB and
/// comes from a package.
static const std::string &buildIdentity() {
  static const std::string identity = [] {
    llvm::SHA256 hash;
    if (auto self = llvm::MemoryBuffer::getFile("/proc/self/exe", false, false))
      addTo(hash, (*self)->getBuffer());
    addTo(hash, LLVM_VERSION_STRING);
    Dl_info info;
    fs::file_status status;
    if (dladdr(reinterpret_cast<const void *>(&llvm::sys::path::filename), &info) &&
        info.dli_fname && !fs::status(info.dli_fname, status)) {
      addTo(hash, info.dli_fname);
      addTo(hash, std::to_string(status.getSize()));
      addTo(hash, std::to_string(status.getLastModificationTime().time_since_epoch().count()));
    }
    return llvm::toHex(hash.final(), /*LowerCase=*/true);
  }();
  return identity;
}

std::string cnn::cacheKey(llvm::ArrayRef<llvm::StringRef> inputs) {
  llvm::SHA256 hash;
  addTo(hash, buildIdentity());
  for (llvm::StringRef input : inputs)
    addTo(hash, input);
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

Cache Cache::fromEnvironment() {
  if (const char *own = std::getenv("CNNC_CACHE"))
    return Cache(own);
  llvm::SmallString<128> path;
  const char *cacheHome = std::getenv("XDG_CACHE_HOME");
  if (cacheHome && llvm::sys::path::is_absolute(cacheHome))
    path = cacheHome;
  else if (const char *home = std::getenv("HOME"); home && *home)
    llvm::sys::path::append(path, home, ".cache");
  else
    return Cache("");
  llvm::sys::path::append(path, "cnnc");
  return Cache(path.str().str());
}

std::string Cache::pathOf(llvm::StringRef key) const {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, key + extension);
  return path.str().str();
}

std::optional<CacheEntry> Cache::load(llvm::StringRef key) const {
  if (!isOn())
    return std::nullopt;
  std::string path = pathOf(key);
  auto file = llvm::MemoryBuffer::getFile(path, false, false);
  if (!file)
    return std::nullopt;
  llvm::StringRef rest = (*file)->getBuffer();
  auto damaged = [&]() -> std::optional<CacheEntry> {
    fs::remove(path);
    return std::nullopt;
  };
  if (!rest.consume_front(magic) || rest.size() < hashBytes + 8)
    return damaged();
  llvm::StringRef hash = rest.take_front(hashBytes);
  rest = rest.drop_front(hashBytes);
  if (llvm::StringRef(llvm::toStringRef(llvm::SHA256::hash(llvm::arrayRefFromStringRef(rest)))) !=
      hash)
    return damaged();
  uint64_t manifestBytes = llvm::support::endian::read64le(rest.data());
  rest = rest.drop_front(8);
  if (manifestBytes > rest.size())
    return damaged();
  // The time of last use orders the entries for `prune`.
  int descriptor;
  if (!fs::openFileForReadWrite(path, descriptor, fs::CD_OpenExisting, fs::OF_None)) {
    (void)fs::setLastAccessAndModificationTime(descriptor, std::chrono::system_clock::now());
    fs::file_t handle = fs::convertFDToNativeFile(descriptor);
    (void)fs::closeFile(handle);
  }
  return CacheEntry{rest.take_front(manifestBytes).str(), rest.drop_front(manifestBytes).str()};
}

void Cache::store(llvm::StringRef key, const CacheEntry &entry) const {
  if (!isOn() || fs::create_directories(folder))
    return;
  std::string body(8, '\0');
  llvm::support::endian::write64le(body.data(), entry.manifest.size());
  body += entry.manifest;
  body += entry.object;
  auto file = fs::TempFile::create(folder + "/write-%%%%%%%%.tmp");
  if (!file) {
    llvm::consumeError(file.takeError());
    return;
  }
  llvm::raw_fd_ostream out(file->FD, /*shouldClose=*/false);
  out << magic << llvm::toStringRef(llvm::SHA256::hash(llvm::arrayRefFromStringRef(body))) << body;
  out.flush();
  if (out.has_error()) {
    out.clear_error();
    llvm::consumeError(file->discard());
    return;
  }
  llvm::consumeError(file->keep(pathOf(key)));
  prune();
}

void Cache::prune() const {
  struct File {
    std::string path;
    uint64_t bytes;
    llvm::sys::TimePoint<> used;
  };
  std::vector<File> files;
  uint64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; at != end && !error; at.increment(error)) {
    auto status = at->status();
    if (!status || !llvm::StringRef(at->path()).ends_with(extension))
      continue;
    files.push_back({at->path(), status->getSize(), status->getLastModificationTime()});
    total += status->getSize();
  }
  llvm::sort(files, [](const File &lhs, const File &rhs) { return lhs.used < rhs.used; });
  for (const File &file : files) {
    if (total <= maxBytes)
      break;
    if (!fs::remove(file.path))
      total -= file.bytes;
  }
}
