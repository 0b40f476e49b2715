// Runs a launch block by block: the scheduler of the threads, and the barriers.
#include "test/emulator/Block.h"
#include "test/emulator/Checker.h"
#include "test/emulator/Model.h"
#include "test/emulator/Program.h"

#include <algorithm>
#include <cstring>

namespace cnn::emulator {

namespace {
/// The thread that a new fiber starts with.
thread_local Thread *starting = nullptr;

std::string triple(const std::array<uint32_t, 3> &value) {
  return "(" + std::to_string(value[0]) + "," + std::to_string(value[1]) + "," +
         std::to_string(value[2]) + ")";
}

unsigned nextRandom(unsigned &state) {
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}
} // namespace

std::string Launch::describe() const {
  return kernel->name + " grid " + triple(grid) + " block " + triple(block) + " shared " +
         std::to_string(dynamicShared);
}

Block::Block(const Launch &launch, const RunOptions &options) : launch(launch), options(options) {
  unsigned count = launch.threads();
  threads.resize(count);
  warps.resize((count + 31) / 32);
  order.resize(count);
  for (unsigned i = 0; i < count; ++i)
    order[i] = i;
  for (const uint64_t &argument : launch.arguments)
    argumentPointers.push_back(const_cast<uint64_t *>(&argument));
  sharedBytes = launch.kernel->sharedBytes + launch.dynamicShared;
  sharedStorage.resize(sharedBytes + 256);
  shared = sharedStorage.data() + (256 - reinterpret_cast<uintptr_t>(sharedStorage.data()) % 256);
  for (Barrier &barrier : barriers)
    barrier.warpSites.assign(warps.size(), -1);
  random = options.seed;
}

const Site &Block::site(unsigned number) const { return launch.program->sites[number]; }

Result Block::runAll(std::string &report) {
  auto [countX, countY, countZ] = launch.grid;
  uint64_t blocks = uint64_t(countX) * countY * countZ;
  for (uint64_t i = 0; i < blocks && result == Success; ++i) {
    // With a seed, blocks run backwards every other time.
    uint64_t number = options.seed % 2 ? blocks - 1 - i : i;
    linear = number;
    index = {uint32_t(number % countX), uint32_t(number / countX % countY),
             uint32_t(number / countX / countY)};
    reset();
    if (launch.kernel->meets || options.checker || options.model)
      runThreads();
    else
      runStraight();
  }
  report = message;
  return result;
}

void Block::reset() {
  epoch = 0;
  started = 0;
  live = threads.size();
  ready.clear();
  stacks.releaseAll();
  // NaN, so that a read before the first write shows.
  std::memset(shared, 0xff, sharedBytes);
  for (unsigned i = 0; i < threads.size(); ++i) {
    Thread &thread = threads[i];
    uint32_t x = i % launch.block[0], y = i / launch.block[0] % launch.block[1],
             z = i / launch.block[0] / launch.block[1];
    uint32_t special[16] = {x, y, z};
    std::copy(launch.block.begin(), launch.block.end(), special + Ntid);
    std::copy(index.begin(), index.end(), special + Ctaid);
    std::copy(launch.grid.begin(), launch.grid.end(), special + Nctaid);
    special[LaneId] = i % 32;
    special[WarpId] = i / 32;
    special[WarpCount] = warps.size();
    std::copy(std::begin(special), std::end(special), thread.special);
    thread.shared = shared;
    thread.state = Thread::New;
    thread.block = this;
    thread.linear = i;
    thread.openGroup = 0;
    thread.copies.clear();
    thread.executed.clear();
  }
  for (unsigned w = 0; w < warps.size(); ++w) {
    unsigned lanes = std::min<unsigned>(32, threads.size() - 32 * w);
    warps[w].live = lanes == 32 ? ~0u : (1u << lanes) - 1;
    warps[w].epoch = 0;
    warps[w].open.clear();
  }
  for (Barrier &barrier : barriers)
    release(barrier);
  ready.clear();
  epoch = 0;
  if (options.seed)
    for (unsigned i = order.size() - 1; i > 0; --i)
      std::swap(order[i], order[nextRandom(random) % (i + 1)]);
  if (options.checker)
    options.checker->startBlock(*this);
}

void Block::runStraight() {
  for (unsigned i : order)
    launch.kernel->entry(&threads[i], argumentPointers.data());
}

Result Block::runThreads() {
  while (live != 0 && result == Success) {
    if (Thread *thread = next())
      resume(*thread);
    else
      deadlock();
  }
  if (options.model && result == Success)
    options.model->endBlock();
  return result;
}

/// Threads that may go on come before new ones; with a seed, any of them.
Thread *Block::next() {
  if (options.seed && !ready.empty())
    std::swap(ready.front(), ready[nextRandom(random) % ready.size()]);
  bool fresh =
      started < order.size() && (ready.empty() || (options.seed && nextRandom(random) % 4 == 0));
  if (fresh) {
    Thread &thread = threads[order[started++]];
    start(thread);
    return &thread;
  }
  if (ready.empty())
    return nullptr;
  Thread *thread = ready.front();
  ready.pop_front();
  return thread;
}

void Block::start(Thread &thread) {
  thread.stack = stacks.take();
  thread.stackPointer = prepareFiber(stacks.top(thread.stack), fiberMain);
}

void Block::fiberMain() {
  Thread &thread = *starting;
  Block &block = *thread.block;
  block.launch.kernel->entry(&thread, block.argumentPointers.data());
  if (block.options.checker && !thread.copies.empty())
    block.fail(thread, LaunchFailed, "exits with a cp.async not waited for",
               thread.copies.front().site);
  thread.state = Thread::Done;
  cnnEmulatorSwitch(&thread.stackPointer, block.scheduler);
  __builtin_unreachable();
}

void Block::resume(Thread &thread) {
  starting = &thread;
  thread.state = Thread::Running;
  cnnEmulatorSwitch(&scheduler, thread.stackPointer);
  if (thread.state == Thread::Done && result == Success)
    finish(thread);
}

void Block::finish(Thread &thread) {
  stacks.release(thread.stack);
  --live;
  warpOf(thread).live &= ~(1u << thread.lane());
  if (live != 0)
    completeBarriers();
}

void Block::report(Thread &thread, Result code, const std::string &what, int siteNumber) {
  std::array<uint32_t, 3> tid{thread.special[Tid], thread.special[Tid + 1],
                              thread.special[Tid + 2]};
  message = "kernel '" + launch.kernel->name + "', block " + triple(index) + ", thread " +
            triple(tid) + ": " + what;
  if (siteNumber >= 0)
    message += "\n  at: " + site(siteNumber).text;
  result = code;
}

void Block::fail(Thread &thread, Result code, const std::string &what, int siteNumber) {
  report(thread, code, what, siteNumber);
  cnnEmulatorSwitch(&thread.stackPointer, scheduler);
  __builtin_unreachable();
}

void Block::barrier(Thread &thread, unsigned id, unsigned count, bool aligned, bool arriveOnly,
                    bool predicate, unsigned siteNumber) {
  if (id >= barriers.size())
    fail(thread, LaunchFailed, "barrier number " + std::to_string(id), siteNumber);
  Barrier &barrier = barriers[id];
  if (barrier.arrived != 0 && barrier.expected != count)
    fail(thread, LaunchFailed, "a barrier that other threads wait at for another number of threads",
         siteNumber);
  int &warpSite = barrier.warpSites[thread.warp()];
  if (options.checker && aligned && warpSite >= 0 && warpSite != int(siteNumber))
    fail(thread, LaunchFailed,
         "divergent barrier: other threads of its warp wait at another one, " + site(warpSite).text,
         siteNumber);
  warpSite = siteNumber;
  barrier.expected = count;
  ++barrier.arrived;
  barrier.predicates += predicate;
  if (!arriveOnly) {
    thread.state = Thread::AtBarrier;
    barrier.waiting.push_back(&thread);
  }
  completeBarriers();
  // The thread that completes a barrier waits its turn like the others.
  if (!arriveOnly)
    cnnEmulatorSwitch(&thread.stackPointer, scheduler);
}

void Block::completeBarriers() {
  for (Barrier &barrier : barriers) {
    if (barrier.arrived == 0)
      continue;
    unsigned expected = barrier.expected ? barrier.expected : live;
    if (barrier.arrived < expected)
      continue;
    if (options.checker && barrier.expected == 0 && live != threads.size())
      return report(*barrier.waiting.front(), LaunchFailed,
                    "divergent barrier: other threads of its block have exited",
                    barrier.warpSites[barrier.waiting.front()->warp()]);
    bool all = barrier.arrived == threads.size();
    release(barrier);
    epoch += all;
  }
}

void Block::release(Barrier &barrier) {
  for (Thread *thread : barrier.waiting) {
    thread->barrierResult = barrier.predicates;
    ready.push_back(thread);
  }
  barrier.waiting.clear();
  barrier.arrived = barrier.expected = barrier.predicates = 0;
  std::fill(barrier.warpSites.begin(), barrier.warpSites.end(), -1);
}

void Block::deadlock() {
  message = "kernel '" + launch.kernel->name + "', block " + triple(index) +
            ": divergent barrier or warp operation: threads wait for ones that never come";
  for (Thread &thread : threads)
    if (thread.state == Thread::AtBarrier || thread.state == Thread::AtWarpOperation) {
      message += std::string("\n  thread ") + std::to_string(thread.linear) + " waits at a " +
                 (thread.state == Thread::AtBarrier ? "barrier" : "warp operation");
      break;
    }
  result = LaunchTimeout;
}

} // namespace cnn::emulator
