// Compiled objects on disk, so that a second start compiles nothing. One file per key in
// $CNNC_CACHE, $XDG_CACHE_HOME/cnnc or ~/.cache/cnnc; CNNC_CACHE= (empty) turns it off.
#ifndef CNNC_COMPILER_EMIT_CACHE_H
#define CNNC_COMPILER_EMIT_CACHE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace cnn {

/// What compilation gives and loading needs.
struct CacheEntry {
  std::string manifest;
  std::string object;
};

/// The key of everything that determines the object: sha256, in hexadecimal, of `inputs` and of
/// this build of the compiler (its executable and the LLVM that it runs with).
std::string cacheKey(llvm::ArrayRef<llvm::StringRef> inputs);

class Cache {
public:
  /// Entries together stay below this; the least recently used go first.
  static constexpr uint64_t maxBytes = 512ull << 20;

  /// In the folder that the environment names; off when there is none.
  static Cache fromEnvironment();
  explicit Cache(std::string folder) : folder(std::move(folder)) {}

  /// The entry of `key`. None when there is none, or when the file is damaged (it is removed).
  std::optional<CacheEntry> load(llvm::StringRef key) const;

  /// Writes the entry in one step, so that a reader sees all of it or nothing. A cache that cannot
  /// be written is no error: the next start compiles again.
  void store(llvm::StringRef key, const CacheEntry &entry) const;

  bool isOn() const { return !folder.empty(); }
  const std::string &getFolder() const { return folder; }

private:
  std::string pathOf(llvm::StringRef key) const;
  void prune() const;

  std::string folder;
};

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_CACHE_H
