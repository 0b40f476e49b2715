// The thread pool: every worker runs every step exactly once, barriers order what workers write,
// any number of workers (also far more than processors) makes progress, and nothing is allocated
// per step.
#include "runtime/task/ThreadPool.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <new>
#include <numeric>

using namespace cnn;

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define CNN_OWN_OPERATOR_NEW // the sanitizer's
#endif
#endif

static std::atomic<long> allocations{0};
#ifndef CNN_OWN_OPERATOR_NEW
void *operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void *pointer = std::malloc(size))
    return pointer;
  throw std::bad_alloc();
}
void operator delete(void *pointer) noexcept { std::free(pointer); }
void operator delete(void *pointer, std::size_t) noexcept { std::free(pointer); }
#endif

namespace {

/// A step with 50 barriers: between two of them each worker adds its left neighbour's number of the
/// previous round to its own. Any missing ordering changes the result.
struct Ring {
  std::vector<uint64_t> a, b;
  explicit Ring(int workers) : a(workers), b(workers) { std::iota(a.begin(), a.end(), 1); }
};

void ringStep(void *const *buffers, const cnn_context *context) {
  auto *a = static_cast<uint64_t *>(buffers[0]), *b = static_cast<uint64_t *>(buffers[1]);
  int self = context->worker, left = (self + context->workers - 1) % context->workers;
  for (int round = 0; round < 25; ++round) {
    b[self] = a[self] + 3 * a[left];
    context->barrier(context->self);
    a[self] = b[self] + 3 * b[left];
    context->barrier(context->self);
  }
}

std::vector<uint64_t> serialRing(int workers, int steps) {
  Ring ring(workers);
  for (int round = 0; round < 50 * steps; ++round) {
    for (int self = 0; self < workers; ++self)
      ring.b[self] = ring.a[self] + 3 * ring.a[(self + workers - 1) % workers];
    std::swap(ring.a, ring.b);
  }
  return ring.a;
}

class Workers : public testing::TestWithParam<int> {};

TEST_P(Workers, BarriersOrderWrites) {
  int workers = GetParam();
  int steps = workers > 8 ? 5 : 200;
  auto created = ThreadPool::create(workers);
  ASSERT_TRUE(created.isOk()) << created.message();
  ThreadPool &pool = **created;
  Ring ring(workers);
  void *buffers[] = {ring.a.data(), ring.b.data()};
  for (int step = 0; step < steps; ++step)
    pool.run(ringStep, buffers);
  EXPECT_EQ(ring.a, serialRing(workers, steps));
}

INSTANTIATE_TEST_SUITE_P(Pool, Workers, testing::Values(1, 2, 3, 4, 7, 16, 64));

TEST(Pool, EveryWorkerRunsOnceWithItsNumber) {
  auto created = ThreadPool::create(5);
  ASSERT_TRUE(created.isOk()) << created.message();
  ThreadPool &pool = **created;
  std::array<std::atomic<int>, 5> seen{};
  for (int step = 0; step < 100; ++step)
    pool.run(
        [](void *argument, const cnn_context &context) {
          ASSERT_EQ(context.workers, 5);
          (*static_cast<std::array<std::atomic<int>, 5> *>(argument))[context.worker].fetch_add(1);
        },
        &seen);
  for (auto &count : seen)
    EXPECT_EQ(count, 100);
}

// Compiled code counts what is taken of each worker's share, and relies on zeros when it is called.
TEST(Pool, SharesAreZeroWhenAStepBegins) {
  auto created = ThreadPool::create(3);
  ASSERT_TRUE(created.isOk()) << created.message();
  ThreadPool &pool = **created;
  int64_t sum = 0;
  void *buffers[] = {&sum};
  for (int step = 0; step < 2; ++step)
    pool.run(
        [](void *const *buffers, const cnn_context *context) {
          EXPECT_EQ(reinterpret_cast<uintptr_t>(context->shares) % CNN_ALIGNMENT, 0u);
          for (int i = 0; i < 2 * context->workers && context->worker == 0; ++i)
            *static_cast<int64_t *>(buffers[0]) += context->shares[i].taken;
          context->barrier(context->self);
          for (int i = 0; i < 2; ++i)
            context->shares[2 * context->worker + i].taken = 1;
        },
        buffers);
  EXPECT_EQ(sum, 0);
}

TEST(Pool, NothingIsAllocatedPerStep) {
  auto created = ThreadPool::create(3);
  ASSERT_TRUE(created.isOk()) << created.message();
  ThreadPool &pool = **created;
  Ring ring(3);
  void *buffers[] = {ring.a.data(), ring.b.data()};
  pool.run(ringStep, buffers);
  long before = allocations;
  for (int step = 0; step < 100; ++step)
    pool.run(ringStep, buffers);
  EXPECT_EQ(allocations - before, 0);
}

// A pool that only spins takes a time slice per barrier here: 400 barriers would need seconds.
TEST(Pool, ManyMoreWorkersThanProcessorsDoNotCrawl) {
  auto created = ThreadPool::create(4 * ThreadPool::availableProcessors());
  ASSERT_TRUE(created.isOk()) << created.message();
  ThreadPool &pool = **created;
  Ring ring(pool.workers());
  void *buffers[] = {ring.a.data(), ring.b.data()};
  auto start = std::chrono::steady_clock::now();
  for (int step = 0; step < 8; ++step)
    pool.run(ringStep, buffers);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Pool, IdleWorkersSleep) {
  auto created = ThreadPool::create(ThreadPool::availableProcessors());
  ASSERT_TRUE(created.isOk()) << created.message();
  ThreadPool &pool = **created;
  Ring ring(pool.workers());
  void *buffers[] = {ring.a.data(), ring.b.data()};
  pool.run(ringStep, buffers);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::clock_t before = std::clock(); // processor time of all threads
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(double(std::clock() - before) / CLOCKS_PER_SEC, 0.05);
}

TEST(Pool, RefusesNumbersOutOfRange) {
  EXPECT_EQ(ThreadPool::create(0).message(),
            "the number of threads must be between 1 and 1024, not 0");
  EXPECT_EQ(ThreadPool::create(100000).message(),
            "the number of threads must be between 1 and 1024, not 100000");
}

} // namespace
