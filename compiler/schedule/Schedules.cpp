//===- Schedules.cpp - Schedules of a group, and the cheapest one ----------------------------===//
//
// Which ones are legal is in LegalSchedules.cpp, what they cost in ScheduleCost.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Schedules.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

NestSchedule NestSchedule::get(NestScheduleAttr attr) {
  NestSchedule schedule;
  schedule.algorithm = attr.getAlgorithm().str();
  schedule.vector = attr.getVector();
  schedule.tile.assign(attr.getTile().begin(), attr.getTile().end());
  schedule.order.assign(attr.getOrder().begin(), attr.getOrder().end());
  schedule.chunk = attr.getChunk();
  schedule.collapse = attr.getCollapse();
  return schedule;
}

NestScheduleAttr NestSchedule::toAttr(MLIRContext *context) const {
  return NestScheduleAttr::get(context, algorithm, vector, tile, order, chunk, collapse);
}

int64_t ScheduleSpace::getLanes(GroupOp group, const Machine &machine) {
  int64_t bits = 32;
  auto widen = [&](Type type) {
    if (auto element = dyn_cast<FloatType>(cast<RankedTensorType>(type).getElementType()))
      bits = std::max<int64_t>(bits, element.getWidth());
  };
  for (Value input : group.getInputs())
    widen(input.getType());
  for (Type type : group.getResultTypes())
    widen(type);
  return std::max<int64_t>(machine.vectorBits / bits, 1);
}

FailureOr<ScheduleSpace> ScheduleSpace::get(GroupOp group, const Machine &machine, bool sliced) {
  FailureOr<GroupInfo> info = GroupInfo::get(group);
  if (failed(info))
    return failure();
  ScheduleSpace space;
  space.info = *info;
  space.machine = machine;
  space.sliced = sliced;
  if (auto outer = group->getParentOfType<GroupOp>())
    if (SliceScheduleAttr slices = outer.getSliceSchedule())
      space.sliceBlock = slices.getBlock();
  space.lanes = getLanes(group, machine);
  if (auto grad = dyn_cast<ConvWeightGradOp>(info->anchor.getOperation());
      grad && grad.getWinograd() != 0) {
    std::string why = WeightGradSpace::whyNot(grad, grad.getWinograd(), space.lanes);
    if (!why.empty() || !WeightGradSpace::canFollow(*info))
      return group.emitError() << "group '" << group.getName()
                               << "': " << WeightGradSpace::getName(grad.getWinograd())
                               << " does not apply: "
                               << (why.empty() ? "its group does more" : why);
    space.weightGrad =
        WeightGradSpace(grad, grad.getSlices(), grad.getWinograd(), space.lanes, machine, sliced);
  }

  for (const GroupInfo::Read &read : info->getReads())
    space.accesses.push_back({read.forms,
                              cast<RankedTensorType>(group.getInputs()[read.argument].getType()),
                              read.pooled,
                              /*store=*/false});
  // Results of the pooling are stored at its own indices.
  for (auto [value, result] : llvm::zip(group.getYield().getValues(), group.getResults())) {
    auto type = cast<RankedTensorType>(result.getType());
    bool pooled = info->isAfterPool(value.getDefiningOp());
    SmallVector<LinearForm> forms;
    if (pooled)
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        forms.push_back(LinearForm::getDim(dim, type.getRank()));
    else
      forms = info->getResultForms();
    space.accesses.push_back({forms, type, pooled, /*store=*/true});
  }
  for (TensorAccess &access : space.accesses)
    setStrides(access, info->nest.getNumDims(), space.lanes);
  for (unsigned dim = 0; dim < info->nest.getNumDims(); ++dim)
    space.phases.push_back(space.findPhase(dim));
  // A tile must hold whole windows of the pooling.
  space.factors.assign(info->nest.getNumDims(), 1);
  if (info->pool)
    for (auto [factor, form] : llvm::zip(info->poolFactors, info->getResultForms()))
      if (int64_t dim = info->getTileDim(form); dim >= 0)
        space.factors[dim] = factor;
  // Transforms take their dimensions whole.
  for (const Transform &transform : info->nest.transforms)
    for (unsigned dim : {transform.result, transform.reduced})
      space.factors[dim] = info->nest.sizes[dim];
  return space;
}

void ScheduleSpace::setStrides(TensorAccess &access, unsigned numDims, int64_t lanes) {
  access.strides.assign(numDims, 0);
  access.vectorStrides.assign(numDims, 0);
  access.layout = getLayoutOf(access.type);
  if (access.pooled)
    return;
  LayoutAttr layout = access.layout;
  SmallVector<int64_t> shape = layout.getPhysicalShape(access.type.getShape());
  int64_t stride = access.type.getElementTypeBitWidth() / 8;
  for (size_t physical = shape.size(); physical-- > 0; stride *= shape[physical]) {
    int64_t logical = layout.getOrder()[physical];
    bool split = logical == layout.getBlockedDim();
    if (split && physical + 1 == shape.size())
      continue; // the lanes of a block
    for (auto [dim, factor] : llvm::enumerate(access.forms[logical].coefficients)) {
      access.strides[dim] += factor * stride / (split ? layout.getBlock() : 1);
      access.vectorStrides[dim] += factor * stride * (split ? 1 : lanes);
    }
  }
}

int64_t ScheduleSpace::getUnits(unsigned dim, int64_t vector) const {
  int64_t size = info.nest.sizes[dim];
  return static_cast<int64_t>(dim) == vector ? llvm::divideCeil(size, lanes) : size;
}

bool ScheduleSpace::findPhase(unsigned dim) const {
  constexpr int64_t mostPhases = 4;
  const Nest &nest = info.nest;
  const int64_t count = nest.sizes[dim];
  if (!nest.isParallel(dim) || count > mostPhases)
    return false;
  return llvm::any_of(accesses, [&](const TensorAccess &access) {
    return !access.store && !access.pooled &&
           llvm::any_of(llvm::enumerate(access.forms), [&](auto form) {
             bool steps = form.value().coefficients[dim] == 1;
             int64_t last = form.value().constant;
             for (unsigned other = 0; other < nest.getNumDims(); ++other) {
               int64_t factor = form.value().coefficients[other];
               steps &= other == dim || factor == 0 || (!nest.isParallel(other) && factor == count);
               last += factor * (nest.sizes[other] - 1);
             }
             return steps &&
                    (form.value().constant < 0 || last >= access.type.getDimSize(form.index()));
           });
  });
}

Stride ScheduleSpace::classify(const TensorAccess &access, int64_t vector) const {
  // The pooling's indices follow the anchor's result dimension by dimension; of a transform,
  // vectors may run along tiles, and so along more than one of its results.
  int64_t dim = vector, step = 1;
  if (access.pooled) {
    dim = -1;
    for (auto [at, form] : llvm::enumerate(info.getResultForms()))
      if (form.uses(vector)) {
        dim = at;
        step = form.coefficients[vector] / info.poolFactors[at];
      }
    if (dim < 0)
      return Stride::Zero;
  }
  LayoutAttr layout = access.layout;
  int64_t innermost = layout.getOrder().empty() ? -1 : layout.getOrder().back();
  int64_t block = layout.getBlock();
  Stride stride = Stride::Zero;
  for (auto [at, form] : llvm::enumerate(access.forms)) {
    if (dim >= static_cast<int64_t>(form.coefficients.size()) || !form.uses(dim))
      continue;
    bool unit = static_cast<int64_t>(at) == innermost && form.coefficients[dim] * step == 1 &&
                (block == 1 || (block == lanes && form.runsAlongBlocks(dim, block)));
    if (!unit || stride != Stride::Zero)
      return Stride::Strided;
    stride = Stride::Unit;
  }
  return stride;
}

NestSchedule ScheduleSpace::getWeightGradSchedule(const WeightGradStep &step) const {
  NestSchedule schedule;
  schedule.algorithm = getForm(info.anchor);
  schedule.vector = 2;
  schedule.tile = weightGrad->getTile(step);
  schedule.order = llvm::to_vector(llvm::seq<int64_t>(0, info.nest.getNumDims()));
  schedule.chunk = sliced ? 0 : 1;
  return schedule;
}

int64_t ScheduleSpace::getScratchBytes(const NestSchedule &schedule) const {
  return weightGrad ? weightGrad->getScratch(weightGrad->getStep(schedule.tile)).bytes : 0;
}

/// Points of one tile that are computed in registers; what is transformed away is not counted.
int64_t ScheduleSpace::getPoints(const NestSchedule &schedule) const {
  int64_t points = 1;
  for (unsigned dim = 0; dim < info.nest.getNumDims(); ++dim)
    if (info.nest.isParallel(dim) || info.nest.transforms.empty())
      points *= schedule.tile[dim];
  return points;
}

std::string ScheduleSpace::getForm(Operation *anchor) {
  auto winograd = [](int64_t tile) { return "winograd" + std::to_string(tile); };
  if (auto grad = dyn_cast<ConvDataGradOp>(anchor))
    return grad.getScatter() ? "scatter" : "gather";
  if (auto grad = dyn_cast<ConvWeightGradOp>(anchor); grad && grad.getWinograd() != 0)
    return WeightGradSpace::getName(grad.getWinograd());
  if (auto weight = dyn_cast<WinogradWeightOp>(anchor))
    return winograd(weight.getTile());
  if (auto input = dyn_cast<WinogradInputOp>(anchor))
    return winograd(input.getTile());
  if (auto product = dyn_cast<WinogradProductOp>(anchor)) {
    int64_t points = getTensor(product.getResult()).getDimSize(3);
    return winograd(product.getStride() == 1 ? points - static_cast<int64_t>(product.getTaps()) + 1
                                             : (points - 1) / 2);
  }
  if (auto output = dyn_cast<WinogradOutputOp>(anchor))
    return winograd(output.getTile());
  return "direct";
}

int64_t ScheduleSpace::getNumItems(const NestSchedule &schedule) const {
  if (weightGrad)
    return weightGrad->getNumItems(weightGrad->getStep(schedule.tile));
  if (schedule.chunk == 0)
    return 1;
  int64_t chunks = llvm::divideCeil(getSteps(schedule, schedule.order[0]), schedule.chunk);
  return schedule.collapse == 1 ? chunks : chunks * getSteps(schedule, schedule.order[1]);
}

void ScheduleSpace::applyAlgorithm(GroupOp group, StringRef algorithm) {
  for (auto grad : group.getOps<ConvDataGradOp>())
    grad.setScatter(algorithm == "scatter");
}

std::string ScheduleSpace::whyNotForm(GroupOp group, StringRef algorithm) {
  for (auto grad : group.getOps<ConvDataGradOp>()) {
    if (std::string why = grad.whyNotGather(); algorithm == "gather" && !why.empty())
      return why;
    for (Operation *user : grad->getUsers())
      if (algorithm == "scatter" && !isa<YieldOp>(user))
        return "its results are complete only after all of its points, and '" +
               user->getName().stripDialect().str() + "' follows in its group";
  }
  return "";
}

std::string ScheduleSpace::chooseForm(GroupOp group) {
  for (auto grad : group.getOps<ConvDataGradOp>()) {
    grad.setScatter(grad.isScatterCheaper());
    if (!grad.getScatter())
      return "gather has no additions to memory; ";
    std::string why = grad.whyNotGather();
    return why.empty() ? "scatter has fewer taps than gather; "
                       : "gather does not apply: " + why + "; ";
  }
  return "";
}

/// Unrolls the innermost reduced dimensions: whole where short, else by a small divisor.
void ScheduleSpace::setUnroll(NestSchedule &schedule) const {
  if (!info.nest.transforms.empty())
    return; // The factors are the whole dimensions.
  int64_t points = 1, last = info.nest.getNumDims();
  bool inPhases = false; // One of them has all taps.
  for (unsigned dim = 0; dim < info.nest.numParallel; ++dim) {
    points *= schedule.tile[dim];
    inPhases |= isPhase(dim);
  }
  std::fill(schedule.tile.begin() + info.nest.numParallel, schedule.tile.end(), 1);
  for (int64_t dim = last - 1; dim >= info.nest.numParallel; --dim) {
    int64_t units = getUnits(dim, schedule.vector), unroll = 1;
    for (int64_t candidate : {units, int64_t(4), int64_t(3), int64_t(2)})
      if (candidate > unroll && candidate <= 8 && units % candidate == 0) {
        // Products with zeros that are left out do not count.
        schedule.tile[dim] = candidate;
        if (getOperations(schedule) <= maxOperations && points * candidate <= maxUnrolled &&
            points * candidate * (inPhases ? 1 : getShareInside(schedule)) <= 128)
          unroll = std::max(unroll, candidate);
      }
    schedule.tile[dim] = unroll;
    points *= unroll;
    if (unroll != units)
      break;
  }
}

/// Whether elements that all lanes share lie next to each other along `dim`: tiles that no line is
/// a multiple of would begin and end within lines.
bool ScheduleSpace::readsAlong(const NestSchedule &schedule, unsigned dim) const {
  return llvm::any_of(accesses, [&](const TensorAccess &access) {
    return !access.store && !access.pooled && classify(access, schedule.vector) == Stride::Zero &&
           access.strides[dim] == access.type.getElementTypeBitWidth() / 8;
  });
}

void ScheduleSpace::enumerateTiles(NestSchedule &schedule, unsigned dim, int64_t accumulators,
                                   SmallVectorImpl<Candidate> &candidates) const {
  if (dim == info.nest.numParallel) {
    setUnroll(schedule);
    candidates.push_back({schedule, estimate(schedule)});
    return;
  }
  int64_t units = getUnits(dim, schedule.vector), factor = factors[dim];
  for (int64_t tile = factor; tile <= std::min<int64_t>(units, 32); tile += factor) {
    if (accumulators * tile > machine.registers && tile > factor)
      break;
    bool divides = units % tile == 0;
    // What is left of a dimension is code of its own.
    if (!divides && (units < (tile > 8 ? 8 : 2) * tile ||
                     (tile > 8 && (!isProduct() || tile > 16 || readsAlong(schedule, dim)))))
      continue;
    schedule.tile[dim] = tile;
    enumerateTiles(schedule, dim + 1, accumulators * tile, candidates);
    // Phases in one tile share what they read, but it takes a tenth to a fifth longer.
    if ((sliced && dim == 0) || (dim > 0 && dim < info.nest.numSliced) || isPhase(dim))
      break;
  }
  schedule.tile[dim] = factor;
}

NestSchedule ScheduleSpace::choose(std::string &reason) const {
  if (weightGrad) {
    WeightGradStep step = weightGrad->choose();
    reason = llvm::formatv("{0} KB kept for a step, {1:f0} cycles estimated",
                           weightGrad->getScratch(step).bytes / 1024, step.cycles);
    return getWeightGradSchedule(step);
  }
  const Nest &nest = info.nest;
  SmallVector<Candidate, 0> candidates;
  for (int64_t vector = 0; vector < std::max<int64_t>(nest.getNumDims(), 1); ++vector) {
    NestSchedule schedule;
    schedule.algorithm = getForm(info.anchor);
    schedule.vector = vector;
    schedule.order = llvm::to_vector(llvm::seq<int64_t>(0, nest.getNumDims()));
    schedule.tile.assign(factors.begin(), factors.end());
    enumerateTiles(schedule, 0, 1, candidates);
  }
  // Of legal ones that are as good the first.
  auto isCheaper = [](const Candidate &a, const Candidate &b) {
    return a.cost.cycles < 0.999 * b.cost.cycles;
  };
  auto first = candidates.end();
  for (auto it = candidates.begin(); it != candidates.end(); ++it)
    if ((first == candidates.end() || isCheaper(*it, *first)) && isLegal(it->schedule))
      first = it;
  // Whoever asked for what lets no schedule follow hears of it from `verify`.
  if (first == candidates.end())
    return candidates.front().schedule;
  setOrder(first->schedule, first->cost.computing);
  Candidate best = *first;
  double bestCycles = getCycles(best.schedule);
  // What an order of the loops makes of a tile tells more of products: of them, those that promise
  // as much are tried.
  if (isProduct()) {
    constexpr unsigned mostTried = 6;
    constexpr double promising = 1.25;
    SmallVector<size_t> ranked = llvm::to_vector(llvm::seq<size_t>(0, candidates.size()));
    llvm::sort(ranked, [&](size_t a, size_t b) {
      return std::make_pair(candidates[a].cost.cycles, a) <
             std::make_pair(candidates[b].cost.cycles, b);
    });
    unsigned tried = 0;
    for (size_t at : ranked) {
      Candidate &candidate = candidates[at];
      if (tried == mostTried || candidate.cost.cycles > promising * best.cost.cycles)
        break;
      if (candidate.schedule.vector != best.schedule.vector || !isLegal(candidate.schedule))
        continue;
      ++tried;
      setOrder(candidate.schedule, candidate.cost.computing);
      if (double cycles = getCycles(candidate.schedule); cycles < 0.98 * bestCycles) {
        best = candidate;
        bestCycles = cycles;
      }
    }
  }
  reason = llvm::formatv("{0} accumulators, {1:f2} loads per operation, {2:f0} cycles estimated, "
                         "{3:f0} KB from beyond the second cache",
                         best.cost.accumulators, best.cost.loads, bestCycles,
                         getTraffic(best.schedule) / 1024);
  return best.schedule;
}

NestSchedule ScheduleSpace::chooseRandom(std::mt19937_64 &random) const {
  if (weightGrad)
    return getWeightGradSchedule(weightGrad->chooseRandom(random));
  const Nest &nest = info.nest;
  auto draw = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low + 1));
  };
  std::string reason;
  NestSchedule best = choose(reason);
  for (int attempt = 0; attempt < 200 && nest.getNumDims() > 0; ++attempt) {
    NestSchedule schedule = best;
    schedule.vector = draw(0, nest.getNumDims() - 1);
    for (unsigned dim = 0; dim < nest.getNumDims(); ++dim)
      schedule.tile[dim] =
          std::min<int64_t>(factors[dim] * draw(1, 4), getUnits(dim, schedule.vector));
    schedule.order = llvm::to_vector(llvm::seq<int64_t>(0, nest.getNumDims()));
    auto shuffle = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i + 1 < end; ++i)
        std::swap(schedule.order[i], schedule.order[draw(i, end - 1)]);
    };
    shuffle(0, nest.numParallel);
    shuffle(nest.numParallel, nest.getNumDims());
    schedule.chunk = draw(0, 3);
    schedule.collapse = draw(1, 2);
    // Small enough to compile quickly: a random tile need not be a good one.
    if (getOperations(schedule) <= (nest.transforms.empty() ? 192 : 640) && isLegal(schedule))
      return schedule;
  }
  return best;
}
