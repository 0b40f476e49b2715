// The functions that rewritten kernels call in place of NVVM intrinsics. Rewrite.cpp knows them by
// name; the first argument is the calling thread, `site` a number in Program::sites.
#ifndef CNNC_TEST_EMULATOR_RUNTIME_H
#define CNNC_TEST_EMULATOR_RUNTIME_H

#include "test/emulator/Block.h"

#include <utility>
#include <vector>

namespace cnn::emulator {

/// Names and addresses of all functions below, for the JIT.
std::vector<std::pair<const char *, void *>> runtimeFunctions();

/// Bits of BarrierFlags.
enum BarrierFlag : uint32_t { Aligned = 1, ArriveOnly = 2 };
/// shfl.sync's modes, vote.sync's and redux.sync's operations.
enum class Shuffle : uint32_t { Up, Down, Butterfly, Index };
enum class Vote : uint32_t { All, Any, Uniform, Ballot };
enum class Reduce : uint32_t { Add, Min, Max, UMin, UMax, And, Or, Xor };

/// An mma.sync.m16n8kK: types of A and B, and of C and D.
struct MatrixShape {
  const char *name; // as in the intrinsic's name
  enum Element : uint8_t { F16, BF16, TF32, F32 } operand, result;
  unsigned depth;
  unsigned registersA, registersB, registersC;
};
/// The supported shapes; their numbers are `shape` below.
extern const MatrixShape matrixShapes[];
extern const unsigned matrixShapeCount;

extern "C" {
void cnnEmulatorAccess(Thread *thread, char *address, uint32_t site);
void cnnEmulatorRange(Thread *thread, char *address, uint64_t bytes, uint32_t site);
uint32_t cnnEmulatorBarrier(Thread *thread, uint32_t id, uint32_t count, uint32_t flags,
                            uint32_t predicate, uint32_t site);
void cnnEmulatorSyncWarp(Thread *thread, uint32_t mask, uint32_t site);
/// `valid`: whether the source lane was in range.
uint32_t cnnEmulatorShuffle(Thread *thread, uint32_t mode, uint32_t mask, uint32_t value,
                            uint32_t lane, uint32_t clamp, uint32_t *valid, uint32_t site);
uint32_t cnnEmulatorVote(Thread *thread, uint32_t operation, uint32_t mask, uint32_t predicate,
                         uint32_t site);
uint32_t cnnEmulatorReduce(Thread *thread, uint32_t operation, uint32_t mask, uint32_t value,
                           uint32_t site);
void cnnEmulatorMatrix(Thread *thread, uint32_t shape, const uint32_t *in, uint32_t *out,
                       uint32_t site);
/// `count` matrices of 8x8 16-bit elements, transposed or not.
void cnnEmulatorLoadMatrix(Thread *thread, uint32_t count, uint32_t transposed, char *address,
                           uint32_t *out, uint32_t site);
void cnnEmulatorCopyAsync(Thread *thread, char *destination, char *source, uint32_t bytes,
                          uint32_t sourceBytes, uint32_t site);
void cnnEmulatorCommit(Thread *thread);
/// Waits for all but the latest `groups` groups; ~0: for all copies, committed or not.
void cnnEmulatorWait(Thread *thread, uint32_t groups);
/// cvt.rna.tf32.f32
uint32_t cnnEmulatorTF32(float value);
}

} // namespace cnn::emulator

#endif
