//===- CountGpuWork.cpp - What the warps of kernels ask for ----------------------------------===//
//
// In: phase `gpu`, with functions expanded and common expressions gone. Out: the same, with numbers
// in `cnn.work` of the launches.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/nvptx/Passes.h"
#include "compiler/nvptx/WarpRunner.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <cmath>

namespace mlir::cnn {
#define GEN_PASS_DEF_COUNTGPUWORKPASS
#include "compiler/nvptx/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {
struct CountGpuWork : mlir::cnn::impl::CountGpuWorkPassBase<CountGpuWork> {
  using CountGpuWorkPassBase::CountGpuWorkPassBase;

  void runOnOperation() override {
    llvm::StringMap<gpu::GPUFuncOp> kernels;
    getOperation().walk([&](gpu::GPUFuncOp kernel) { kernels[kernel.getName()] = kernel; });
    // Launches of one kernel have grids of one size.
    llvm::StringMap<WarpCounts> counted;
    for (auto entry : getOperation().getOps<func::FuncOp>())
      for (auto launch : entry.getOps<LaunchOp>()) {
        gpu::GPUFuncOp kernel = kernels.lookup(launch.getKernel());
        if (!kernel) {
          launch.emitError() << "'" << launch.getKernel() << "' is no kernel of this module";
          return signalPassFailure();
        }
        auto [found, isNew] = counted.try_emplace(launch.getKernel());
        if (isNew)
          found->second = countWarps(kernel, static_cast<int64_t>(launch.getItems()));
        setWork(launch, found->second);
      }
  }

  void setWork(LaunchOp launch, const WarpCounts &counts) {
    Builder b(&getContext());
    NamedAttrList work(launch->getAttrOfType<DictionaryAttr>("cnn.work"));
    auto set = [&](StringRef name, double value) {
      work.set(name, b.getI64IntegerAttr(std::llround(value)));
    };
    set("instructions", counts.instructions);
    set("requests", counts.requests);
    set("sectors", counts.sectors);
    set("passes", counts.passes);
    launch->setAttr("cnn.work", work.getDictionary(&getContext()));
  }
};
} // namespace
