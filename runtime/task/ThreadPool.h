// A persistent pool of threads that run one step of a network together. In: an entry point of
// compiled code and its buffers; out: the step, run once by every worker with a context of its own
// (runtime/abi/cnn_abi.h). Workers meet at a barrier that spins briefly and then sleeps, so that
// more workers than cores, or a busy machine, cost little. Nothing is allocated per step.
#ifndef CNNC_RUNTIME_TASK_THREADPOOL_H
#define CNNC_RUNTIME_TASK_THREADPOOL_H

#include "runtime/abi/cnn_abi.h"
#include "runtime/core/Status.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace cnn {

/// Where `workers` threads meet. Sense-reversing: the phase number is the sense, so the barrier may
/// be used again at once. What a worker wrote before it is visible to all workers after it.
class Barrier {
public:
  /// `spins`: pauses before a waiting worker sleeps; 0 sleeps at once.
  Barrier(int workers, int spins) : workers(workers), spins(spins) {}

  /// Returns when all workers have called it.
  void wait();

private:
  const int workers;
  const int spins;
  alignas(64) std::atomic<int> arrived{0};
  alignas(64) std::atomic<int> phase{0};
};

class ThreadPool {
public:
  using Task = void (*)(void *argument, const cnn_context &context);

  /// A pool of `workers` workers, of which the thread that calls `run` is number 0. Fails
  /// when `workers` is not in 1..maxWorkers or the system gives no more threads.
  static Result<std::unique_ptr<ThreadPool>> create(int workers);
  ~ThreadPool();

  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// Calls `task(argument, context)` once on every worker; returns when all have returned. `task`
  /// must not throw, and must not call `run`. Only one thread may use a pool at a time.
  void run(Task task, void *argument);

  /// Calls `entry(buffers, context)` once on every worker; returns when all have returned.
  void run(cnn_entry entry, void *const *buffers);

  int workers() const { return static_cast<int>(contexts.size()); }

  /// The processors this process may run on (its affinity mask): the default number of workers.
  static int availableProcessors();

  static constexpr int maxWorkers = 1024;

private:
  ThreadPool(int workers, int spins);
  void work(int worker);

  const int spins;
  Barrier barrier;
  std::vector<cnn_context> contexts;
  /// Two for each worker, zeroed before every step.
  struct alignas(CNN_ALIGNMENT) Share : cnn_share {};
  std::vector<Share> shares;
  std::vector<std::thread> threads; // workers 1, 2, ...
  Task task = nullptr;
  void *argument = nullptr;
  /// Number of the job to run; a negative value ends the workers.
  alignas(64) std::atomic<int> job{0};
};

} // namespace cnn

#endif
