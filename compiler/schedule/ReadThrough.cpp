//===- ReadThrough.cpp - Have convolutions read through what is pointwise --------------------===//
//
// In: groups with layouts and algorithms. Out: the same; a pointwise group that convolutions and
// others read, such as the normalisation and the rectifier between two convolutions, is gone where
// it takes less for each of them to compute it as it reads (Prologue.h): its result is neither
// stored nor kept. Next: FitHalos.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Factor.h"
#include "compiler/schedule/GroupValues.h"
#include "compiler/schedule/Overrides.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Prologue.h"
#include "compiler/schedule/Schedules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_READTHROUGHPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {
/// Cycles of one core with the result stored, and with readers that compute it.
struct Estimate {
  double stored, through;
};

struct ReadThrough : mlir::cnn::impl::ReadThroughPassBase<ReadThrough> {
  using ReadThroughPassBase::ReadThroughPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<Machine> found = Machine::get(module);
    SmallVector<std::string> texts(overrides.begin(), overrides.end());
    FailureOr<SmallVector<Override>> parsed = parseOverrides(module, texts);
    if (failed(found) || failed(parsed))
      return signalPassFailure();
    machine = *found;
    for (Override &override : *parsed)
      if (override.get(loadKey))
        asked.push_back(override);
    random.seed(seed);
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry.isPublic() && !entry.isDeclaration())
        for (GroupOp group : llvm::to_vector(entry.getOps<GroupOp>()))
          if (failed(runOnGroup(group)))
            return signalPassFailure();
    if (failed(checkUsed(module, asked, {})))
      signalPassFailure();
  }

private:
  LogicalResult runOnGroup(GroupOp maker);
  Estimate estimate(GroupOp maker, ArrayRef<GroupOp> readers) const;
  double countOperations(GroupOp maker, GroupOp reader, double each) const;

  Machine machine;
  SmallVector<Override> asked;
  std::mt19937_64 random;
};
} // namespace

//===--------------------------------------------------------------------------------------------===//
// What it costs
//===--------------------------------------------------------------------------------------------===//

/// Where it gains less than this, the result is stored.
static constexpr double worthwhile = 0.9;
/// A kernel has a barrier behind it.
static constexpr double cyclesPerKernel = 6000;

/// Operations on one element; those that a processor has no instruction for, or a slow one, count
/// as many.
static double weighBody(GroupOp group) {
  constexpr double division = 8, function = 16;
  double weight = 0;
  for (NestOpInterface op : group.getOps<NestOpInterface>())
    visitBody(op, [&](Operation &scalar) {
      if (isa<arith::DivFOp, arith::MulUIExtendedOp>(scalar))
        weight += division;
      else if (isa<math::MathDialect>(scalar.getDialect()) && !isa<math::FmaOp>(scalar))
        weight += function;
      else if (!isa<arith::ConstantOp>(scalar))
        weight += 1;
    });
  return weight;
}

/// Operations for an element of what `maker` makes in `reader`, `each` at every read, as often as
/// tiles of the schedule that the cost model takes for it read the element. Where they reach beyond
/// the image, indices are compared and results selected: 4 to 5 cycles for all of a rectified norm
/// were measured in Winograd's transform of images of 12 x 12 to 56 x 56.
double ReadThrough::countOperations(GroupOp maker, GroupOp reader, double each) const {
  constexpr double selecting = 5;
  FailureOr<ScheduleSpace> space =
      ScheduleSpace::get(reader, machine, /*sliced=*/getOuter(reader) != GroupOp());
  if (failed(space))
    return each;
  std::string reason;
  NestSchedule schedule = space->choose(reason);
  double count = 0;
  for (auto [number, input] : llvm::enumerate(reader.getInputs())) {
    if (getSource(input) != maker.getResult(0))
      continue;
    bool pads = llvm::any_of(space->getInfo().getReads(), [&](const GroupInfo::Read &read) {
      return read.argument == number && !read.pooled && !space->getWeightGrad() &&
             llvm::any_of(space->getInfo().getReach(read, getTensor(input)),
                          [](int64_t outside) { return outside > 0; });
    });
    count += space->countReads(schedule, number) * (each + (pads ? selecting : 0));
  }
  return count;
}

/// What passes between kernels takes as long as it is far away: beyond the third cache, in it
/// (where a Zen 5 gets three times as much), or in the second.
Estimate ReadThrough::estimate(GroupOp maker, ArrayRef<GroupOp> readers) const {
  RankedTensorType type = getTensor(maker.getResult(0));
  auto elements = static_cast<double>(type.getNumElements());
  double bytes = elements * type.getElementTypeBitWidth() / 8;
  double vectors = elements / static_cast<double>(ScheduleSpace::getLanes(maker, machine));
  double rate = Machine::bytesPerCycle;
  if (bytes <= static_cast<double>(machine.level3) / 2)
    rate *= bytes <= static_cast<double>(machine.level2) / 2 ? 4 : 2;
  // Tensors as large as the result: it is read in place of one of them.
  double inputs = 0;
  for (Value input : maker.getInputs())
    inputs += getTensor(input).getNumElements() >= type.getNumElements();
  double operations = weighBody(maker), more = inputs - 1;
  // Two operations or loads take a cycle; a line that is stored to is fetched before.
  Estimate cost = {
      vectors * ((operations + inputs) / 2 + 1) + (inputs + 2) * bytes / rate + cyclesPerKernel, 0};
  for (GroupOp reader : readers) {
    if (cost.through >= cost.stored)
      break; // More will not change it.
    cost.through += vectors * countOperations(maker, reader, operations + more) / 2 +
                    std::max(more, 0.0) * bytes / rate;
  }
  return cost;
}

//===--------------------------------------------------------------------------------------------===//
// The pass
//===--------------------------------------------------------------------------------------------===//

/// Whether `reader` is a convolution, a part or a gradient of one that meets images of `maker`.
static bool readsImages(GroupOp maker, GroupOp reader) {
  return llvm::any_of(llvm::enumerate(reader.getInputs()), [&](auto input) {
    Value argument = reader.getBody().getArgument(input.index());
    return getSource(input.value()) == maker.getResult(0) &&
           llvm::any_of(argument.getUsers(), [&](Operation *user) {
             if (auto conv = dyn_cast<ConvOp>(user))
               return conv.getInput() == argument;
             if (auto grad = dyn_cast<ConvDataGradOp>(user))
               return grad.getGradient() == argument;
             return isa<ConvWeightGradOp, WinogradInputOp>(user);
           });
  });
}

LogicalResult ReadThrough::runOnGroup(GroupOp maker) {
  using Readers = PrologueChoice::Readers;
  // Unasked, only what convolutions read in vectors of images: elsewhere nothing was measured.
  auto isCandidate = [&](Readers readers) {
    return getLayoutOf(getTensor(maker.getResult(0))).getBlockedDim() == 0 &&
           llvm::any_of(readers, [&](GroupOp reader) { return readsImages(maker, reader); });
  };
  auto whyNot = [](Readers) { return std::string(); };
  auto isFaster = [&](Readers readers, std::string &why) {
    if (seed >= 0) {
      bool drawn = random() % 2 != 0;
      why = drawn ? "drawn at random" : "";
      return drawn;
    }
    Estimate cost = estimate(maker, readers);
    why = llvm::formatv("{0:f0} cycles estimated, stored {1:f0}", cost.through, cost.stored);
    return cost.through <= worthwhile * cost.stored;
  };
  FailureOr<bool> isThrough = choosePrologue(maker, asked, {isCandidate, whyNot, isFaster});
  if (failed(isThrough))
    return failure();
  numRead += *isThrough;
  return success();
}
