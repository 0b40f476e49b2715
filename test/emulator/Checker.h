// Checked mode: every access to memory is held against what its code promised (bounds, alignment)
// and against the other threads' accesses (races), and every read against the writes before it.
//
// Two accesses of different threads are in order when a barrier of the whole block lies between
// them, or, within a warp, a bar.warp.sync of the whole warp; blocks are never in order. Narrower
// barriers order nothing here, so code that relies on one is reported.
#ifndef CNNC_TEST_EMULATOR_CHECKER_H
#define CNNC_TEST_EMULATOR_CHECKER_H

#include "test/emulator/Memory.h"
#include "test/emulator/Program.h"

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace cnn::emulator {

class Block;
struct Launch;
struct Thread;

class Checker {
public:
  /// All accesses of a launch, in any order: two launches with the same sum read and write the same
  /// places by the same threads.
  struct Accesses {
    uint64_t count = 0, sum = 0;
  };

  explicit Checker(Memory &memory) : memory(memory) {}

  /// Checks what the launch promises of its arguments. Returns what is wrong, or nothing.
  std::string startLaunch(const Launch &launch);
  void startBlock(Block &block);

  /// A load, store or atomic (site.kind) of `bytes` bytes.
  void access(Thread &thread, char *address, uint64_t bytes, unsigned site);
  /// A cp.async: issued, and later waited for. `site` is that of the write; the read's is next.
  void startCopy(Thread &thread, char *destination, char *source, unsigned bytes,
                 unsigned sourceBytes, unsigned site);
  void finishCopy(Thread &thread, char *destination, unsigned bytes, unsigned site);

  const Accesses &getAccesses() const { return accesses; }

private:
  static constexpr int32_t nobody = -1, manyOfWarp = -2, manyWarps = -3;

  /// The latest access of a byte: by whom (or by several), and when.
  struct Mark {
    int32_t thread = nobody;
    int32_t warp = 0;
    int64_t block = 0; // -1: several
    uint32_t epoch = 0, warpEpoch = 0;
    bool atomic = false;
  };
  struct Byte {
    Mark read, write;
    bool written = false; // shared memory only
    bool copying = false; // a cp.async into it is in flight
  };
  /// The object that an access must lie in.
  struct Where {
    Base::Kind kind = Base::Unknown;
    unsigned index = 0;
    char *begin = nullptr;
    uint64_t bytes = 0;
    bool readOnly = false;
    /// Nobody writes to it in this launch: it is read-only and noalias.
    bool constant = false;

    bool holds(const char *address, uint64_t size) const {
      return address >= begin && uint64_t(address - begin) <= bytes &&
             size <= bytes - uint64_t(address - begin);
    }
  };
  using Page = std::array<Byte, 1024>;

  Where locate(Thread &thread, char *address, const Site &site);
  Where sharedObject(Thread &thread, unsigned index);
  Where argumentObject(Thread &thread, unsigned index);
  Where globalObject(const Program &program, unsigned index);
  static std::string describe(const Program &program, const Where &where, const char *address);
  void touch(Thread &thread, char *address, uint64_t bytes, Site::Kind kind, bool completes,
             const Where &where, unsigned site);
  void count(const Thread &thread, const Where &where, const char *address, uint64_t bytes,
             Site::Kind kind);
  /// The bytes from `address` on, and in `count` how many of them lie side by side.
  Byte *bytesOf(const Where &where, Thread &thread, char *address, uint64_t &count);
  void setCopying(Thread &thread, char *address, unsigned bytes, const Where &where, bool copying);
  Mark markOf(Thread &thread) const;
  static bool ordered(const Mark &before, const Mark &now);
  static void merge(Mark &readers, const Mark &now);

  Memory &memory;
  Accesses accesses;
  std::vector<Byte> shared;
  std::unordered_map<uint64_t, std::unique_ptr<Page>> global;
  /// The pages used lately, by their number's low bits.
  std::array<std::pair<uint64_t, Page *>, 256> recent;
};

} // namespace cnn::emulator

#endif
