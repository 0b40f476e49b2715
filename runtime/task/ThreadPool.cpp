// The pool and its barrier. Waiting is a bounded spin followed by std::atomic::wait (a futex), in
// both places where a worker waits: for the next job, and for the others inside a step.
#include "runtime/task/ThreadPool.h"

#include <sched.h>

#include <algorithm>
#include <system_error>

namespace cnn {

/// Pauses, some 4 microseconds on current x86: longer than it takes another core to see a write.
static constexpr int spinsWhenIdle = 100;
/// After that, as many offers of the processor to somebody else before sleeping. On an idle machine
/// they return at once and bridge the gap between two steps (some 60 microseconds in all); on a
/// busy one they let the worker run that is waited for. Two workers beside 13 busy threads on two
/// processors: 4 us a barrier, against 72 us with as long a spin instead.
static constexpr int yieldsWhenIdle = 200;

static inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

/// Waits until `value` is no longer `old`; returns the new value.
static int waitForChange(const std::atomic<int> &value, int old, int spins) {
  for (int i = 0; i < spins; ++i) {
    if (int now = value.load(std::memory_order_acquire); now != old)
      return now;
    relax();
  }
  for (int i = 0; i < yieldsWhenIdle && spins > 0; ++i) {
    if (int now = value.load(std::memory_order_acquire); now != old)
      return now;
    sched_yield();
  }
  int now = old;
  while ((now = value.load(std::memory_order_acquire)) == old)
    value.wait(old, std::memory_order_acquire);
  return now;
}

void Barrier::wait() {
  if (workers == 1)
    return;
  int current = phase.load(std::memory_order_relaxed);
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 < workers) {
    waitForChange(phase, current, spins);
    return;
  }
  // The last to arrive: nobody touches `arrived` before the phase changes.
  arrived.store(0, std::memory_order_relaxed);
  phase.store((current + 1) & 0x3fffffff, std::memory_order_release);
  phase.notify_all();
}

int ThreadPool::availableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    if (int count = CPU_COUNT(&set); count > 0)
      return count;
  unsigned count = std::thread::hardware_concurrency(); // more than 1024 processors
  return count > 0 ? static_cast<int>(count) : 1;
}

ThreadPool::ThreadPool(int workers, int spins) : spins(spins), barrier(workers, spins) {
  contexts.resize(workers);
  shares.resize(2 * workers);
  for (int i = 0; i < workers; ++i)
    contexts[i] = {i, workers, [](void *self) { static_cast<Barrier *>(self)->wait(); }, &barrier,
                   shares.data()};
  threads.reserve(workers - 1);
}

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(int workers) {
  if (workers < 1 || workers > maxWorkers)
    return Status::failure(
        formatText("the number of threads must be between 1 and %d, not %d", maxWorkers, workers));
  // With more workers than processors, whoever spins keeps another worker from running.
  int spins = workers <= availableProcessors() ? spinsWhenIdle : 0;
  std::unique_ptr<ThreadPool> pool(new ThreadPool(workers, spins));
  try {
    for (int i = 1; i < workers; ++i)
      pool->threads.emplace_back([self = pool.get(), i] { self->work(i); });
  } catch (const std::system_error &failure) {
    // The destructor ends those that did start: none of them has met the barrier.
    return Status::failure(formatText("cannot start thread %d of %d: %s",
                                      static_cast<int>(pool->threads.size()) + 2, workers,
                                      failure.code().message().c_str()));
  }
  return pool;
}

ThreadPool::~ThreadPool() {
  job.store(-1, std::memory_order_release);
  job.notify_all();
  for (std::thread &thread : threads)
    thread.join();
}

void ThreadPool::work(int worker) {
  int last = 0;
  while (true) {
    last = waitForChange(job, last, spins);
    if (last < 0)
      return;
    task(argument, contexts[worker]);
    barrier.wait();
  }
}

void ThreadPool::run(Task newTask, void *newArgument) {
  if (contexts.size() == 1)
    return newTask(newArgument, contexts[0]);
  task = newTask;
  argument = newArgument;
  job.store((job.load(std::memory_order_relaxed) + 1) & 0x3fffffff, std::memory_order_release);
  job.notify_all();
  newTask(newArgument, contexts[0]);
  barrier.wait();
}

void ThreadPool::run(cnn_entry entry, void *const *buffers) {
  struct Call {
    cnn_entry entry;
    void *const *buffers;
  } call{entry, buffers};
  std::fill(shares.begin(), shares.end(), Share());
  run(
      [](void *argument, const cnn_context &context) {
        auto *call = static_cast<Call *>(argument);
        call->entry(call->buffers, &context);
      },
      &call);
}

} // namespace cnn
