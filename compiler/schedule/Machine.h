//===- Machine.h - What schedules need to know of a CPU --------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_MACHINE_H
#define CNNC_COMPILER_SCHEDULE_MACHINE_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace mlir::cnn {

/// A CPU as schedules see it: read from LLVM's description of the target, and from the host where
/// it is the target.
struct Machine {
  /// LLVM's name of the CPU (`sapphirerapids`, `znver4`, `haswell`, `neoverse-v1`, ...).
  std::string cpu;
  /// Bits of one vector register, and how many there are.
  int64_t vectorBits = 128;
  int64_t registers = 16;
  /// Bytes of a line of the caches.
  static constexpr int64_t lineBytes = 64;
  /// Bytes of the caches of one core.
  int64_t level1 = 32 << 10;
  int64_t level2 = 1 << 20;
  /// Bytes of the cache that the cores share.
  int64_t level3 = 64 << 20;
  /// Bytes per cycle that a core gets from beyond its second cache: what a Sapphire Rapids core
  /// gets from its third cache (30 GB/s), and a Zen 5 from memory. Measured by hand and kept here,
  /// not on every machine: two cores of one Zen 5 got 46 GB/s in one process and 73 in the next,
  /// and the schedules that follow from either are worse (ResNet-18: 16 images 10% slower with 5.5
  /// bytes, one image 8 to 13% slower with 12). Its third cache gives three times as much, but it
  /// does not hold the weights of a network, and to count on it made ResNet-18 slower there (one
  /// image: 1.18 to 1.31 ms).
  static constexpr double bytesPerCycle = 8;
  /// Threads that run at once; where the target is not the host, what small servers have.
  int64_t cores = 8;

  /// Elements of `type` in one vector.
  int64_t getLanes(Type type) const { return vectorBits / type.getIntOrFloatBitWidth(); }

  /// The CPU called `cpu`; an empty name or "native" is the host. Fails, with the known names as a
  /// hint, for a name that LLVM does not know.
  static FailureOr<Machine> get(StringRef cpu, function_ref<InFlightDiagnostic()> emitError);
  /// The machine recorded in the module's `cnn.machine`, set by `record`.
  static FailureOr<Machine> get(ModuleOp module);
  void record(ModuleOp module) const;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_MACHINE_H
