//===- Tile.cpp - Turn the group of every kernel into loops over register tiles --------------===//
//
// In: kernels that hold a scheduled group between `cnn.from_buffer` and `cnn.to_buffer`. Out:
// kernels of loops, tile loads and stores, and arithmetic on vectors of many dimensions. Next:
// UnrollTiles.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/lowering/Passes.h"
#include "compiler/lowering/TileEmitter.h"
#include "compiler/lowering/WeightGradEmitter.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_TILEPASS
#include "compiler/lowering/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {
struct TilePass : mlir::cnn::impl::TilePassBase<TilePass> {
  using TilePassBase::TilePassBase;

  void runOnOperation() override {
    FailureOr<Machine> machine = Machine::get(getOperation());
    if (failed(machine))
      return signalPassFailure();
    for (auto kernel : getOperation().getOps<func::FuncOp>())
      if (kernel->hasAttr("cnn.kernel") && failed(runOnKernel(kernel, *machine)))
        return signalPassFailure();
  }

  LogicalResult runOnKernel(func::FuncOp kernel, const Machine &machine) {
    auto groups = llvm::to_vector(kernel.getOps<GroupOp>());
    if (groups.empty())
      return success();
    GroupOp group = groups.front();
    auto fail = [&]() -> InFlightDiagnostic {
      return group.emitError() << "group '" << group.getName() << "': ";
    };
    if (groups.size() > 1)
      return fail() << "the kernel has another group";
    if (!group.getNestSchedule())
      return fail() << "has no #cnn.nest schedule";
    bool sliced = kernel->hasAttr("cnn.slices");
    FailureOr<ScheduleSpace> space = ScheduleSpace::get(group, machine, sliced);
    if (failed(space))
      return failure();
    NestSchedule schedule = NestSchedule::get(group.getNestSchedule());
    if (failed(space->verify(schedule, fail)))
      return failure();
    if (space->getWeightGrad())
      WeightGradEmitter(kernel, group, *space, schedule, machine).emit();
    else if (failed(TileEmitter(kernel, group, *space, schedule).emit()))
      return failure();
    // The group is replaced: its values, and what tied them to buffers, go.
    for (auto op : llvm::to_vector(kernel.getOps<ToBufferOp>()))
      op.erase();
    group.erase();
    for (auto op : llvm::to_vector(kernel.getOps<FromBufferOp>()))
      op.erase();
    ++numNests;
    return success();
  }
};
} // namespace
