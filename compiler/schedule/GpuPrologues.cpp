//===- GpuPrologues.cpp - What products compute as they read it, on a GPU --------------------===//
//
// A group that is dropped saves its launch, and the bytes that it reads and writes. Its readers
// load in its place what it reads; their instructions are more, which costs nothing where it is
// memory that they wait for, and as many clocks as there are where they multiply one by one.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/GpuPrologues.h"
#include "compiler/schedule/BatchAnalysis.h"
#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/Prologue.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::cnn;

/// What readers take more is less than this of what is saved. Of what `cnn time --model` predicts
/// from counts of finished kernels, the estimate was off by up to a factor of 2.
static constexpr double worthwhile = 0.5;
/// A thread has registers for so many values of each element of a tile to come.
static constexpr int64_t mostLarge = 2;

/// Gives `use` the reader as it would be if it computed what `maker` makes; why it cannot be, else
/// empty.
static std::string tryPrologue(GroupOp maker, GroupOp reader,
                               function_ref<void(const GpuScheduleSpace &)> use) {
  GroupOp trial = cast<GroupOp>(OpBuilder(reader).clone(*reader));
  addPrologue(maker, trial);
  std::string why;
  ScopedDiagnosticHandler handler(maker.getContext(), [&](Diagnostic &diagnostic) {
    why = diagnostic.str();
    return success();
  });
  FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(trial);
  if (succeeded(space))
    use(*space);
  trial.erase();
  return why;
}

LogicalResult mlir::cnn::chooseGpuPrologues(func::FuncOp entry, MutableArrayRef<Override> asked,
                                            double precision) {
  using Readers = PrologueChoice::Readers;
  BatchAnalysis batch(entry);
  for (GroupOp maker : llvm::to_vector(entry.getOps<GroupOp>())) {
    // What follows from the parameters alone is not computed for every batch.
    auto isCandidate = [&](Readers readers) {
      return batch.isBatched(maker.getResult(0)) && llvm::any_of(readers, [](GroupOp reader) {
               FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(reader);
               return succeeded(space) && space->getContraction() && space->isWorthTiles();
             });
    };
    auto whyNot = [&](Readers readers) -> std::string {
      for (GroupOp reader : readers) {
        int64_t large = 0;
        std::string why = tryPrologue(maker, reader, [&](const GpuScheduleSpace &space) {
          if (space.getContraction())
            large = std::max(space.getNumLarge(true), space.getNumLarge(false));
        });
        if (!why.empty())
          return why;
        if (large > mostLarge)
          return llvm::formatv("the product of '{0}' would read {1} tensors for one of its "
                               "factors, more than {2}",
                               reader.getName(), large, mostLarge);
      }
      return "";
    };
    auto isFaster = [&](Readers readers, std::string &why) {
      auto get = [&](GroupOp group) { return GpuScheduleSpace::get(group)->getSeconds(precision); };
      // Of a launch nothing is counted: small groups share one.
      double saved = get(maker), more = 0;
      for (GroupOp reader : readers) {
        (void)tryPrologue(maker, reader, [&](const GpuScheduleSpace &space) {
          more += space.getSeconds(precision);
        });
        more -= get(reader);
      }
      constexpr double micro = 1e6;
      why = llvm::formatv("{0:F1} us more for readers, {1:F1} us less without it", more * micro,
                          saved * micro);
      return more < worthwhile * saved;
    };
    if (failed(choosePrologue(maker, asked, {isCandidate, whyNot, isFaster})))
      return failure();
  }
  return success();
}
