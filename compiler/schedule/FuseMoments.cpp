//===- FuseMoments.cpp - A batch norm's statistics where its input is made -------------------===//
//
// In: groups with schedules. Out: the same, where a large tensor would be read again for its mean
// and variance alone: the group that makes it also stores mean and squares of windows that lie in
// its register tiles, of a GPU in those of a warp, and `cnn.combine_moments` reads these. Next:
// Plan.cpp.
//
// The same was tried for the sums of a batch norm's gradient. Their group leaves both tensors it
// reads in a CPU's third cache, where the next one finds them, and an epilogue has to read the
// input in addition: no layer gained by it.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/GroupValues.h"
#include "compiler/schedule/Overrides.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Schedules.h"
#include "llvm/Support/FormatVariadic.h"

#include <numeric>

namespace mlir::cnn {
#define GEN_PASS_DEF_FUSEMOMENTSPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

/// A window's elements are in registers together: half of these, at most so many. Fewer than the
/// least save too little of what is read.
static constexpr int64_t leastArea = 8, mostArea = 16;
using Extents = std::array<int64_t, 2>;

//===--------------------------------------------------------------------------------------------===//
// Values across groups
//===--------------------------------------------------------------------------------------------===//

/// The result of an inner group that `value` is; null for what is none.
static OpResult findMade(Value value) {
  while (value) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      auto outer = dyn_cast<GroupOp>(argument.getOwner()->getParentOp());
      value = outer ? outer.getInputs()[argument.getArgNumber()] : Value();
      continue;
    }
    auto group = value.getDefiningOp<GroupOp>();
    if (!group || !group.isOuter())
      return group ? cast<OpResult>(value) : OpResult();
    value = group.getYield().getValues()[cast<OpResult>(value).getResultNumber()];
  }
  return {};
}

/// `value`, a result of an inner group before `reader`, as an argument of `reader`.
static Value passTo(GroupOp reader, Value value) {
  GroupOp from = getOuter(value.getDefiningOp<GroupOp>()), to = getOuter(reader);
  if (from && from != to) {
    unsigned number = from.getNumResults();
    value = addResults(from, value).getResult(number);
  }
  if (to && from != to)
    value = getInput(to, value);
  return getInput(reader, value);
}

//===--------------------------------------------------------------------------------------------===//
// The pass
//===--------------------------------------------------------------------------------------------===//

namespace {
/// Sums over the channels of a tensor, and the group that makes it.
struct Candidate {
  ChannelSumsOp sums;
  GroupOp reader, maker;
  unsigned result = 0;
  Extents window = {1, 1};

  int64_t getArea() const { return window[0] * window[1]; }
  RankedTensorType getType() { return getTensor(maker.getResult(result)); }
  /// The type of one value for each window.
  RankedTensorType getWindowType();
  /// The group `in`, which is the maker or like it, with means and squares of windows as further
  /// results.
  GroupOp addWindows(GroupOp in);
};

/// What reading a tensor again takes, and what windows take instead, in cycles or microseconds.
struct Estimate {
  double before, now;
  std::string text;
};

struct FuseMoments : mlir::cnn::impl::FuseMomentsPassBase<FuseMoments> {
  using FuseMomentsPassBase::FuseMomentsPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<std::string> texts(overrides.begin(), overrides.end());
    FailureOr<SmallVector<Override>> parsed = parseOverrides(module, texts);
    if (failed(parsed))
      return signalPassFailure();
    asked = *parsed;
    forGpu = isForGpu(module);
    if (!forGpu) {
      FailureOr<Machine> found = Machine::get(module);
      if (failed(found))
        return signalPassFailure();
      machine = *found;
    }
    SmallVector<ChannelSumsOp> all;
    module.walk([&](ChannelSumsOp sums) {
      if (!sums.getFactor())
        all.push_back(sums);
    });
    for (ChannelSumsOp sums : all)
      if (failed(runOnSums(sums)))
        return signalPassFailure();
    if (failed(checkAsked(module)))
      signalPassFailure();
  }

private:
  LogicalResult runOnSums(ChannelSumsOp sums);
  /// Why the maker cannot store what windows have; else sets them, or takes those given.
  std::string whyNot(Candidate &candidate, std::optional<Extents> given);
  std::string whyNotOnCpu(Candidate &candidate, const GroupInfo &info,
                          std::optional<Extents> given);
  std::string whyNotOnGpu(Candidate &candidate, std::optional<Extents> given);
  /// Why the maker's schedule is none with windows; empty where it is. `use` is given the maker as
  /// it would be.
  std::string whyIllegal(Candidate &candidate, function_ref<void(GroupOp)> use = {});
  Estimate estimate(Candidate &candidate);
  Estimate estimateOnGpu(Candidate &candidate);
  /// The group with a schedule anew, since it computes something else now.
  LogicalResult schedule(GroupOp reader, const Twine &why);
  FailureOr<Asked> getAsked(Candidate &candidate);
  LogicalResult checkAsked(ModuleOp module);
  LogicalResult rewrite(Candidate &candidate);
  FailureOr<ScheduleSpace> getSpace(GroupOp group) const {
    return ScheduleSpace::get(group, machine, /*sliced=*/getOuter(group) != GroupOp());
  }

  bool forGpu = false;
  Machine machine;
  SmallVector<Override> asked;
};
} // namespace

RankedTensorType Candidate::getWindowType() {
  RankedTensorType type = getType();
  LayoutAttr layout = getLayoutOf(type);
  SmallVector<int64_t> shape(type.getShape());
  shape[2] /= window[0];
  shape[3] /= window[1];
  Attribute encoding;
  if (layout.getBlock() > 1 || !llvm::is_sorted(layout.getOrder()))
    encoding = LayoutAttr::get(type.getContext(), layout.getOrder(), layout.getBlock());
  return RankedTensorType::get(shape, type.getElementType(), encoding);
}

LogicalResult FuseMoments::runOnSums(ChannelSumsOp sums) {
  Candidate candidate;
  candidate.sums = sums;
  candidate.reader = cast<GroupOp>(sums->getParentOp());
  auto argument = dyn_cast<BlockArgument>(sums.getInput());
  OpResult made =
      argument ? findMade(candidate.reader.getInputs()[argument.getArgNumber()]) : OpResult();
  if (!made || !candidate.reader.getScheduleAttr())
    return success();
  candidate.maker = cast<GroupOp>(made.getOwner());
  candidate.result = made.getResultNumber();
  FailureOr<Asked> settings = getAsked(candidate);
  if (failed(settings))
    return failure();
  const Asked::Part *windows = settings->get(windowsKey);
  std::optional<Extents> given;
  if (windows)
    given = {windows->numbers[0], windows->numbers[1]};
  auto decline = [&](const Twine &why) {
    candidate.reader.addReason("reads what '" + candidate.maker.getName() +
                               "' makes again: " + why);
    return success();
  };
  if (given && (*given)[0] * (*given)[1] == 1)
    return decline(getAskedReason(windows->from));
  std::string why = whyNot(candidate, given);
  if (!why.empty() && windows && windows->isOwn) {
    auto error = candidate.maker.emitError()
                 << "group '" << candidate.maker.getName() << "': windows of "
                 << formatShape(*given) << " do not apply: " << why;
    error.attachNote(windows->from->getLoc(&getContext())) << "it is asked for here";
    error.attachNote() << "hint: asked of an operation, such as 'channel_sums', windows are taken "
                          "where they fit";
    return failure();
  }
  if (!why.empty())
    return decline(why);
  Estimate cost = forGpu ? estimateOnGpu(candidate) : estimate(candidate);
  constexpr double worthwhile = 0.9;
  if (!given && cost.now > worthwhile * cost.before)
    return decline("windows are not faster: " + cost.text);
  candidate.maker.addReason("mean and squares of windows of " + formatShape(candidate.window) +
                            " for '" + candidate.reader.getName() +
                            "': " + (given ? getAskedReason(windows->from) : cost.text));
  ++numFused;
  return rewrite(candidate);
}

/// What is asked of the group that makes the tensor, or of the sums. 1 x 1 is no windows.
FailureOr<Asked> FuseMoments::getAsked(Candidate &candidate) {
  FailureOr<GroupInfo> info = GroupInfo::get(candidate.maker);
  if (failed(info))
    return failure();
  return Asked(asked, candidate.maker, [&](const Override &override) {
    return override.get(windowsKey) && (override.matches(candidate.maker, info->anchor) ||
                                        override.matches(candidate.reader, candidate.sums));
  });
}

/// Fails where windows are asked of a group by its name, and nobody takes statistics of it.
LogicalResult FuseMoments::checkAsked(ModuleOp module) {
  for (const Override &override : asked) {
    GroupOp named;
    module.walk([&](GroupOp group) {
      if (group.getName() == override.name)
        named = group;
    });
    if (override.used || !named || !override.get(windowsKey))
      continue;
    auto error = named.emitError() << "group '" << override.name
                                   << "': windows do not apply: no batch norm takes its statistics "
                                      "of what the group makes";
    error.attachNote(override.getLoc(&getContext())) << "it is asked for here";
    error.attachNote() << "hint: ask the group in front of a batch norm in training, or "
                          "'channel_sums' for all of them";
    return failure();
  }
  return success();
}

std::string FuseMoments::whyNot(Candidate &candidate, std::optional<Extents> given) {
  FailureOr<GroupInfo> info = GroupInfo::get(candidate.maker);
  if (failed(info) || !candidate.maker.getScheduleAttr())
    return "it has no schedule";
  if (info->pool)
    return "it has a pooling";
  if (info->nest.scatter)
    return "its results are complete only after all of its points";
  return forGpu ? whyNotOnGpu(candidate, given) : whyNotOnCpu(candidate, *info, given);
}

std::string FuseMoments::whyNotOnCpu(Candidate &candidate, const GroupInfo &info,
                                     std::optional<Extents> given) {
  GroupOp maker = candidate.maker;
  NestSchedule schedule = NestSchedule::get(maker.getNestSchedule());
  RankedTensorType type = candidate.getType();
  SmallVector<LinearForm> forms = info.getResultForms();
  if (schedule.vector >= info.nest.numParallel || forms[2].uses(schedule.vector) ||
      forms[3].uses(schedule.vector))
    return "its vectors run along the rows or columns of an image";
  Extents tile, image, best = {1, 1};
  for (int axis : {0, 1}) {
    int64_t dim = info.getTileDim(forms[2 + axis]);
    tile[axis] = dim < 0 ? 1 : schedule.tile[dim];
    image[axis] = type.getDimSize(2 + axis);
  }
  auto fits = [&](Extents window) {
    return std::gcd(tile[0], image[0]) % window[0] == 0 &&
           std::gcd(tile[1], image[1]) % window[1] == 0;
  };
  std::string where =
      "its register tile of " + formatShape(tile) + " and an image of " + formatShape(image);
  if (given) {
    candidate.window = *given;
    return fits(*given) ? whyIllegal(candidate) : "they do not tile " + where;
  }
  const int64_t most = std::min(mostArea, machine.registers / 2);
  auto rank = [](Extents w) { return std::pair(w[0] * w[1], -std::abs(w[0] - w[1])); };
  for (int64_t rows = 1; rows <= most; ++rows)
    for (int64_t columns = 1; rows * columns <= most; ++columns)
      if (Extents window = {rows, columns}; fits(window) && rank(window) > rank(best))
        best = window;
  candidate.window = best;
  if (candidate.getArea() < leastArea)
    return llvm::formatv("no windows of {0} to {1} elements tile {2}", leastArea, most, where);
  // Of slices that make and read it by turns, one is at hand.
  double bytes = static_cast<double>(type.getNumElements()) * type.getElementTypeBitWidth() / 8.0;
  if (GroupOp outer = getOuter(maker); outer && outer == getOuter(candidate.reader))
    bytes /= static_cast<double>(outer.getSliceSchedule().getCount());
  // What the third cache holds is better read again: the next reader is the faster for it. Measured
  // with 32 MB of it: a convolution, the sums and the next reader gain nothing with 13 MB.
  if (bytes <= static_cast<double>(machine.level3) / 2)
    return llvm::formatv("its {0:f0} KB are still in the third cache", bytes / 1024);
  return whyIllegal(candidate);
}

/// Windows of powers of 2 that divide the image can lie in the tile of a product, whose pixels are
/// numbered window by window then. Of those that take as long, the one with the fewest rows is
/// taken: pixels that are neighbours stay so.
std::string FuseMoments::whyNotOnGpu(Candidate &candidate, std::optional<Extents> given) {
  GpuSchedule schedule = GpuSchedule::get(candidate.maker.getGpuSchedule());
  if (schedule.algorithm != "contraction")
    return "it is computed by algorithm '" + schedule.algorithm + "', not by tiles of a product";
  if (given) {
    candidate.window = *given;
    RankedTensorType type = candidate.getType();
    if (type.getDimSize(2) % (*given)[0] != 0 || type.getDimSize(3) % (*given)[1] != 0)
      return "they do not tile an image of " + formatShape(type.getShape().take_back(2));
    return whyIllegal(candidate);
  }
  std::string why;
  std::optional<Extents> best;
  double least = 0;
  ArrayRef<int64_t> image = candidate.getType().getShape().take_back(2);
  for (int64_t rows = 1; rows <= mostArea; rows *= 2)
    for (int64_t columns = 1; rows * columns <= mostArea; columns *= 2) {
      if (rows * columns < leastArea || image[0] % rows != 0 || image[1] % columns != 0)
        continue;
      candidate.window = {rows, columns};
      std::string illegal = whyIllegal(candidate);
      why = why.empty() ? illegal : why;
      if (!illegal.empty())
        continue;
      double seconds = estimateOnGpu(candidate).now;
      if (best && seconds >= least)
        continue;
      best = candidate.window;
      least = seconds;
    }
  if (!best)
    return !why.empty() ? why
                        : llvm::formatv("no windows of {0} to {1} elements, powers of 2, tile an "
                                        "image of {2}",
                                        leastArea, mostArea, formatShape(image))
                              .str();
  candidate.window = *best;
  return "";
}

std::string FuseMoments::whyIllegal(Candidate &candidate, function_ref<void(GroupOp)> use) {
  OpBuilder b(candidate.maker);
  GroupOp trial = candidate.addWindows(cast<GroupOp>(b.clone(*candidate.maker)));
  std::string why;
  ScopedDiagnosticHandler handler(&getContext(), [&](Diagnostic &diagnostic) {
    why = diagnostic.str();
    return success();
  });
  auto fail = [&] { return trial.emitError(); };
  if (forGpu) {
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(trial);
    if (succeeded(space) &&
        succeeded(space->verify(GpuSchedule::get(trial.getGpuSchedule()), fail)) && use)
      use(trial);
  } else {
    FailureOr<ScheduleSpace> space = getSpace(trial);
    if (succeeded(space))
      (void)space->verify(NestSchedule::get(trial.getNestSchedule()), fail);
  }
  trial.erase();
  return why;
}

/// Windows take three operations for each vector, two of them in one cycle, and what they store and
/// read themselves.
Estimate FuseMoments::estimate(Candidate &candidate) {
  FailureOr<ScheduleSpace> space = getSpace(candidate.reader);
  assert(succeeded(space) && "it has a schedule");
  double before = space->getCycles(NestSchedule::get(candidate.reader.getNestSchedule()));
  RankedTensorType type = candidate.getType();
  auto lanes = static_cast<double>(space->getLanes());
  double vectors = static_cast<double>(type.getNumElements()) / lanes;
  double stored = 2.0 / static_cast<double>(candidate.getArea());
  // A line that is stored to is fetched before, and written back.
  double transferred = 2 * lanes * type.getElementTypeBitWidth() / 8.0 / Machine::bytesPerCycle;
  double now = vectors * (1.5 + stored * (1 + transferred)) + before * stored;
  return {before, now,
          llvm::formatv("{0:f0} cycles estimated, instead of {1:f0}", now, before).str()};
}

/// Both kernels start in either case. Windows are written and read once each, of both results.
Estimate FuseMoments::estimateOnGpu(Candidate &candidate) {
  RankedTensorType type = candidate.getType();
  double bytes = static_cast<double>(type.getNumElements()) * type.getElementTypeBitWidth() / 8;
  constexpr double micro = 1e6, moves = 4;
  double before = GpuScheduleSpace::getMovingSeconds(bytes) * micro;
  double now = before * moves / static_cast<double>(candidate.getArea());
  (void)whyIllegal(candidate, [&](GroupOp trial) {
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(trial);
    now += space->getPoolSeconds(GpuSchedule::get(trial.getGpuSchedule())) * micro;
  });
  return {before, now,
          llvm::formatv("{0:F1} us estimated, instead of {1:F1} us", now, before).str()};
}

GroupOp Candidate::addWindows(GroupOp in) {
  RankedTensorType type = getWindowType();
  Value made = in.getYield().getValues()[result];
  OpBuilder b(in.getYield());
  Value means = AvgPoolOp::create(b, sums.getLoc(), type, made, window, window,
                                  /*padding=*/ArrayRef<int64_t>{0, 0, 0, 0});
  Value squares = WindowSquaresOp::create(b, sums.getLoc(), type, made, means, window);
  return addResults(in, {means, squares});
}

LogicalResult FuseMoments::rewrite(Candidate &candidate) {
  GroupOp reader = candidate.reader;
  ChannelSumsOp sums = candidate.sums;
  unsigned first = candidate.maker.getNumResults();
  GroupOp maker = candidate.addWindows(candidate.maker);
  Value means = passTo(reader, maker.getResult(first));
  Value squares = passTo(reader, maker.getResult(first + 1));
  OpBuilder b(sums);
  auto combined = CombineMomentsOp::create(b, sums.getLoc(), sums->getResultTypes(), means, squares,
                                           sums.getCenter(), candidate.getArea());
  sums->replaceAllUsesWith(combined);
  sums.erase();
  dropUnusedInputs(reader);
  if (GroupOp outer = getOuter(reader))
    dropUnusedInputs(outer);
  return schedule(reader, "from windows that '" + maker.getName() + "' has");
}

LogicalResult FuseMoments::schedule(GroupOp reader, const Twine &why) {
  std::string reason;
  if (forGpu) {
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(reader);
    if (failed(space))
      return failure();
    reader.setScheduleAttr(space->choose(reason).toAttr(&getContext()));
  } else {
    FailureOr<ScheduleSpace> space = getSpace(reader);
    if (failed(space))
      return failure();
    reader.setScheduleAttr(space->choose(reason).toAttr(&getContext()));
  }
  reader.setReason((why + "; " + reason).str());
  return success();
}
