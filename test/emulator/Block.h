// One block of an emulated launch: its threads, which are fibers that switch at barriers and warp
// operations, and its shared memory. Code made by Rewrite.cpp runs in it and calls the functions of
// Runtime.h.
#ifndef CNNC_TEST_EMULATOR_BLOCK_H
#define CNNC_TEST_EMULATOR_BLOCK_H

#include "test/emulator/Fiber.h"
#include "test/emulator/Result.h"

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace cnn::emulator {

class Block;
class Checker;
class Model;
struct Kernel;
struct Program;
struct Site;

/// Where a special register is in Thread::special.
enum Special : unsigned {
  Tid = 0,
  Ntid = 3,
  Ctaid = 6,
  Nctaid = 9,
  LaneId = 12,
  WarpId,
  WarpCount
};

/// A cp.async that was issued and not yet waited for. It is done as late as allowed.
struct AsyncCopy {
  char *destination;
  const char *source;
  unsigned bytes, sourceBytes, group, site;
};

/// One thread. Generated code gets a pointer to it as first argument.
struct Thread {
  uint32_t special[16]; // read by generated code at offset 0
  char *shared;         // read by generated code at offset 64

  enum State { New, Running, AtBarrier, AtWarpOperation, Done } state;
  Block *block;
  unsigned linear;
  unsigned stack;
  void *stackPointer;
  uint32_t barrierResult;
  unsigned openGroup;
  std::vector<AsyncCopy> copies;
  /// Model mode: how often each site was executed.
  std::vector<uint32_t> executed;

  unsigned lane() const { return linear % 32; }
  unsigned warp() const { return linear / 32; }
};

/// What a lane brings to a warp operation, and takes from it.
struct LaneData {
  uint32_t in[16];
  uint32_t out[4];
  char *address;
  Thread *thread;
  /// Set by operations that need all lanes, when all were there.
  bool done;
};

/// A warp operation for which lanes wait.
struct Collective {
  uint32_t mask = 0, arrived = 0;
  unsigned site = 0;
  std::array<LaneData *, 32> lanes{};
};

struct Warp {
  /// Lanes that exist and have not exited.
  uint32_t live = 0;
  /// Memory accesses of the warp's threads are in order across this count.
  uint32_t epoch = 0;
  std::vector<Collective> open;
};

struct Barrier {
  unsigned arrived = 0, expected = 0, predicates = 0;
  std::vector<Thread *> waiting;
  /// The site at which each warp's first thread arrived; -1: none.
  std::vector<int> warpSites;
};

/// A launch: what is run, on what.
struct Launch {
  const Program *program = nullptr;
  const Kernel *kernel = nullptr;
  std::array<uint32_t, 3> grid{1, 1, 1}, block{1, 1, 1};
  unsigned dynamicShared = 0;
  std::vector<uint64_t> arguments;

  unsigned threads() const { return block[0] * block[1] * block[2]; }
  std::string describe() const;
};

/// The modes in which a launch is run.
struct RunOptions {
  Checker *checker = nullptr;
  Model *model = nullptr;
  unsigned seed = 0;
};

class Block {
public:
  Block(const Launch &launch, const RunOptions &options);

  /// Runs all blocks of the launch. On failure `report` says what and where.
  Result runAll(std::string &report);

  /// Reports an error of the running thread and ends the launch. Does not return.
  [[noreturn]] void fail(Thread &thread, Result code, const std::string &what, int site = -1);

  /// A barrier; `count` 0: all threads. `arriveOnly`: the thread goes on.
  void barrier(Thread &thread, unsigned id, unsigned count, bool aligned, bool arriveOnly,
               bool predicate, unsigned site);

  /// Gathers the lanes of `mask`; the last one runs `compute` for all.
  void gather(LaneData &data, uint32_t mask, unsigned site, void (*compute)(Collective &, int),
              int argument);

  Warp &warpOf(const Thread &thread) { return warps[thread.warp()]; }
  const Site &site(unsigned number) const;

  const Launch &launch;
  const RunOptions options;
  /// Number of this block in the grid, and of barriers passed by all its threads.
  unsigned linear = 0, epoch = 0;
  std::array<uint32_t, 3> index{};
  std::vector<char> sharedStorage;
  char *shared = nullptr;
  size_t sharedBytes = 0;
  Stacks stacks;

private:
  void reset();
  Result runThreads();
  void runStraight();
  Thread *next();
  void start(Thread &thread);
  void resume(Thread &thread);
  void finish(Thread &thread);
  void release(Barrier &barrier);
  void completeBarriers();
  void complete(Warp &warp, size_t number, void (*compute)(Collective &, int), int argument);
  void deadlock();
  void report(Thread &thread, Result code, const std::string &what, int site);
  static void fiberMain();

  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::array<Barrier, 16> barriers;
  std::vector<unsigned> order;
  std::deque<Thread *> ready;
  std::vector<void *> argumentPointers;
  unsigned started = 0, live = 0, random = 0;
  void *scheduler = nullptr;
  Result result = Success;
  std::string message;
};

} // namespace cnn::emulator

#endif
