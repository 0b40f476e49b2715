//===- Schedules.cpp - Legal schedules of a group, and the cheapest one ----------------------===//
//
// What they cost is in ScheduleCost.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Schedules.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

/// Points that may be unrolled into one loop body, and the operations this may make: an element of
/// a strided vector is one of its own.
static constexpr int64_t maxUnrolled = 256;
static constexpr int64_t maxOperations = 1536;

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
    if (!why.empty() || !info->epilogue.empty() || info->pool)
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
                              /*store=*/false,
                              {},
                              {}});
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
    space.accesses.push_back({forms, type, pooled, /*store=*/true, {}, {}});
  }
  for (TensorAccess &access : space.accesses)
    setStrides(access, info->nest.getNumDims(), space.lanes);
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
  if (access.pooled)
    return;
  LayoutAttr layout = getLayoutOf(access.type);
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

bool ScheduleSpace::isPhase(unsigned dim) const {
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
  // The pooling's indices follow the anchor's result dimension by dimension.
  int64_t dim = vector;
  if (access.pooled) {
    dim = -1;
    for (auto [at, form] : llvm::enumerate(info.getResultForms()))
      if (form.getSingleDim() == vector)
        dim = at;
    if (dim < 0)
      return Stride::Zero;
  }
  LayoutAttr layout = getLayoutOf(access.type);
  int64_t innermost = layout.getOrder().empty() ? -1 : layout.getOrder().back();
  int64_t block = layout.getBlock();
  Stride stride = Stride::Zero;
  for (auto [at, form] : llvm::enumerate(access.forms)) {
    if (dim >= static_cast<int64_t>(form.coefficients.size()) || !form.uses(dim))
      continue;
    bool unit = static_cast<int64_t>(at) == innermost && form.coefficients[dim] == 1 &&
                (block == 1 || (block == lanes && form.runsAlongBlocks(dim, block)));
    if (!unit || stride != Stride::Zero)
      return Stride::Strided;
    stride = Stride::Unit;
  }
  return stride;
}

LogicalResult ScheduleSpace::verify(const NestSchedule &schedule,
                                    function_ref<InFlightDiagnostic()> emitError) const {
  const Nest &nest = info.nest;
  int64_t dims = nest.getNumDims(), parallel = nest.numParallel;
  StringRef op = info.anchor->getName().stripDialect();
  if (weightGrad) {
    if (schedule.algorithm != getForm(info.anchor))
      return emitError() << "'" << op << "' has no algorithm '" << schedule.algorithm
                         << "'; it has " << getForm(info.anchor);
    if (failed(weightGrad->verify(schedule.tile, emitError)))
      return failure();
    NestSchedule only = getWeightGradSchedule(weightGrad->getStep(schedule.tile));
    if (schedule.vector != only.vector || schedule.order != only.order ||
        schedule.chunk != only.chunk || schedule.collapse != 1)
      return emitError() << schedule.algorithm << " of '" << op << "' runs along dimension "
                         << only.vector << ", in the order of the dimensions, with chunk "
                         << only.chunk;
    return success();
  }
  if (static_cast<int64_t>(schedule.tile.size()) != dims ||
      static_cast<int64_t>(schedule.order.size()) != dims)
    return emitError() << "schedule of '" << op << "' has a tile of " << schedule.tile.size()
                       << " and an order of " << schedule.order.size() << " entries, expected "
                       << dims;
  if (dims > 0 && (schedule.vector < 0 || schedule.vector >= dims))
    return emitError() << "vector dimension " << schedule.vector << " is not one of the " << dims;
  SmallVector<bool> seen(dims, false);
  for (auto [at, dim] : llvm::enumerate(schedule.order)) {
    if (dim < 0 || dim >= dims || seen[dim])
      return emitError() << "order must name each of the " << dims << " dimensions once";
    seen[dim] = true;
    if ((static_cast<int64_t>(at) < parallel) != (dim < parallel))
      return emitError() << "order must have the " << parallel
                         << " parallel dimensions before the reduced ones";
  }
  if (nest.ordered && !llvm::is_sorted(ArrayRef(schedule.order).drop_front(parallel)))
    return emitError() << "order must keep the reduced dimensions of '" << op
                       << "' as they stand: the first of equal elements counts";
  int64_t points;
  for (int64_t dim = 0; dim < dims; ++dim) {
    int64_t units = getUnits(dim, schedule.vector), tile = schedule.tile[dim];
    if (tile < 1 || tile > std::max<int64_t>(units, 1))
      return emitError() << "tile of dimension " << dim << " is " << tile << ", expected 1 to "
                         << units;
    if (tile % factors[dim])
      return emitError() << "tile of dimension " << dim << " is " << tile << ", expected "
                         << (nest.transforms.empty() ? "a multiple of the pooling's " : "all ")
                         << factors[dim];
    if (dim > 0 && dim < static_cast<int64_t>(nest.numSliced) &&
        (tile != 1 || schedule.vector == dim))
      return emitError() << "dimension " << dim
                         << " counts blocks: its tile must be 1, and vectors cannot run along it";
  }
  points = getPoints(schedule);
  if (points > maxUnrolled)
    return emitError() << "tile unrolls " << points << " points, at most " << maxUnrolled
                       << " are allowed";
  int64_t operations = getOperations(schedule);
  if (operations > maxOperations && points > 1)
    return emitError() << "tile unrolls into " << operations << " operations, at most "
                       << maxOperations << " are allowed";
  if (dims > 0) {
    int64_t v = schedule.vector;
    if (factors[v] != 1)
      return emitError() << "vectors cannot run along dimension " << v << ", which is "
                         << (nest.transforms.empty() ? "pooled" : "transformed");
    if (info.pool && !nest.transforms.empty())
      for (const LinearForm &form : info.getResultForms())
        for (auto [dim, factor] : llvm::enumerate(form.coefficients))
          if (factor > 1 && schedule.tile[dim] != 1)
            return emitError() << "tile of dimension " << dim << " is " << schedule.tile[dim]
                               << ", expected 1: the pooling follows tile by tile";
    if (v >= parallel && nest.combine.empty())
      return emitError() << "'" << op << "' cannot combine lanes, so vectors cannot run along the "
                         << "reduced dimension " << v;
    if (v >= parallel && info.pool)
      return emitError() << "vectors cannot run along reduced dimension " << v
                         << " before a pooling";
  }
  if (sliced && parallel > 0 && schedule.vector == 0) {
    if (sliceBlock % lanes != 0)
      return emitError() << "vectors cannot run along dimension 0: a slice has " << sliceBlock
                         << (sliceBlock == 1 ? " image" : " images");
    // Dimension 0 counts slices where it is read at slice * rows: only one of them is at hand.
    for (const TensorAccess &access : accesses)
      for (const LinearForm &form : access.forms)
        if (!access.pooled && form.coefficients[0] > 1)
          return emitError() << "vectors cannot run along dimension 0, which counts slices";
  }
  if (sliced && parallel > 0) {
    if (schedule.tile[0] != 1)
      return emitError() << "tile of dimension 0 is " << schedule.tile[0]
                         << ", expected 1: the group runs on one slice at a time";
  }
  // Lanes beyond the end of the tiles of a block would store to the next block.
  if (!nest.transforms.empty() && nest.sizes[schedule.vector] % lanes != 0)
    for (const LinearForm &form : info.getResultForms())
      for (auto [dim, factor] : llvm::enumerate(form.coefficients))
        if (form.uses(schedule.vector) && factor > form.coefficients[schedule.vector] &&
            nest.sizes[dim] > 1)
          return emitError() << "vectors along dimension " << schedule.vector
                             << " would reach into the next block";
  // A split dimension is addressed by block and lane: a tile must not straddle blocks.
  for (const TensorAccess &access : accesses) {
    LayoutAttr layout = getLayoutOf(access.type);
    int64_t split = layout.getBlockedDim();
    if (split < 0)
      continue;
    const LinearForm &form = access.forms[split];
    bool unit = classify(access, schedule.vector) == Stride::Unit;
    if (!unit && !access.pooled && dims > 0 && form.uses(schedule.vector))
      return emitError() << "vectors along dimension " << schedule.vector
                         << " run across the blocks of a tensor";
    for (auto [dim, factor] : llvm::enumerate(form.coefficients)) {
      // Points of reduced dimensions are unrolled one by one.
      if (factor == 0 || access.pooled || !nest.isParallel(dim))
        continue;
      bool whole =
          unit && (static_cast<int64_t>(dim) == schedule.vector || factor % layout.getBlock() == 0);
      bool within = !unit && form.runsAlongBlocks(dim, layout.getBlock()) &&
                    layout.getBlock() % schedule.tile[dim] == 0;
      if (!whole && !within && schedule.tile[dim] != 1)
        return emitError() << "tile of dimension " << dim << " is " << schedule.tile[dim]
                           << ", expected 1: it runs across the blocks of a tensor";
    }
    if (access.pooled && !unit)
      return emitError() << "vectors must run along the blocks of the pooling's tensors";
  }
  if (schedule.chunk < 0)
    return emitError() << "chunk is " << schedule.chunk << ", expected 0 or more";
  if (schedule.chunk > 0 && !sliced) {
    if (parallel == 0)
      return emitError() << "nothing is parallel in '" << op << "', so chunk must be 0";
    if (!ownsResults(schedule.order[0], schedule.vector))
      return emitError() << "work items along dimension " << schedule.order[0]
                         << (nest.scatter ? " would add to the same elements"
                                          : " would share the zeros around the result");
  }
  if (schedule.collapse != 1 &&
      (schedule.collapse != 2 || schedule.chunk < 1 || !mayCollapse(schedule.order)))
    return emitError() << "collapse is " << schedule.collapse
                       << ", expected 1, or 2 where there are chunks of two loops, and neither "
                          "sums in memory nor zeros around the result";
  if (!storesInOrder(schedule))
    return emitError() << "vectors along dimension " << schedule.vector
                       << " reach into what another work item, or an earlier iteration, has stored";
  StringRef algorithm = schedule.algorithm;
  bool known = isa<ConvDataGradOp>(info.anchor) ? algorithm == "scatter" || algorithm == "gather"
                                                : algorithm == getForm(info.anchor);
  if (!known)
    return emitError() << "'" << op << "' has no algorithm '" << algorithm << "'; it has "
                       << (isa<ConvDataGradOp>(info.anchor) ? "scatter and gather"
                                                            : getForm(info.anchor));
  return success();
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
  if (auto product = dyn_cast<WinogradProductOp>(anchor))
    return winograd(
        (getTensor(product.getResult()).getDimSize(3) - (product.getStride() == 1 ? 2 : 1)) /
        static_cast<int64_t>(product.getStride()));
  if (auto output = dyn_cast<WinogradOutputOp>(anchor))
    return winograd(output.getTile());
  return "direct";
}

/// Operations that a tile makes: one for each point, and one per lane of every strided vector, of
/// each point or, where the reduced dimensions do not move it, of each output.
int64_t ScheduleSpace::getOperations(const NestSchedule &schedule) const {
  int64_t points = getPoints(schedule), outputs = 1, operations = points;
  for (unsigned dim = 0; dim < info.nest.numParallel; ++dim)
    outputs *= schedule.tile[dim];
  for (const TensorAccess &access : accesses) {
    if (classify(access, schedule.vector) != Stride::Strided)
      continue;
    bool moves = llvm::any_of(access.forms, [&](const LinearForm &form) {
      return llvm::any_of(llvm::seq<unsigned>(info.nest.numParallel, info.nest.getNumDims()),
                          [&](unsigned dim) { return form.uses(dim); });
    });
    operations += lanes * (moves && !access.store ? points : outputs);
  }
  return operations;
}

bool ScheduleSpace::isLegal(const NestSchedule &schedule) const {
  MLIRContext *context = info.anchor->getContext();
  ScopedDiagnosticHandler silence(context, [](Diagnostic &) { return success(); });
  Location loc = UnknownLoc::get(context);
  return succeeded(verify(schedule, [&]() { return mlir::emitError(loc); }));
}

int64_t ScheduleSpace::getNumItems(const NestSchedule &schedule) const {
  if (weightGrad)
    return weightGrad->getNumItems(weightGrad->getStep(schedule.tile));
  if (schedule.chunk == 0)
    return 1;
  int64_t dim = schedule.order[0];
  int64_t steps = llvm::divideCeil(getUnits(dim, schedule.vector), schedule.tile[dim]);
  int64_t chunks = llvm::divideCeil(steps, schedule.chunk);
  return schedule.collapse == 1 ? chunks : chunks * getSteps(schedule, schedule.order[1]);
}

/// Whether work items can go over the two outermost loops of a kernel of its own.
bool ScheduleSpace::mayCollapse(ArrayRef<int64_t> order) const {
  const Nest &nest = info.nest;
  auto hasZeros = [](const TensorAccess &access) {
    return access.store && llvm::any_of(getLayoutOf(access.type).getHalo(),
                                        [](int64_t zeros) { return zeros != 0; });
  };
  return !sliced && nest.numParallel > 1 && !nest.scatter && !isPhase(order[0]) &&
         !isPhase(order[1]) && llvm::none_of(accesses, hasZeros);
}

/// Whether work items along `dim` write disjoint parts of the results, the zeros around them
/// included: the index of some dimension of each is `dim` itself. Rows of one block share its
/// zeros.
bool ScheduleSpace::ownsResults(int64_t dim, int64_t vector) const {
  bool halo = false;
  for (const TensorAccess &access : accesses) {
    LayoutAttr layout = getLayoutOf(access.type);
    if (!access.store || llvm::none_of(layout.getHalo(), [](int64_t zeros) { return zeros != 0; }))
      continue;
    halo = true;
    int64_t split = layout.getBlockedDim();
    if (split < 0 || dim == vector)
      continue;
    const LinearForm &form = access.forms[split];
    if (dim < static_cast<int64_t>(form.coefficients.size()) && form.uses(dim))
      return false;
  }
  if (!halo && !info.nest.scatter)
    return true;
  return llvm::any_of(info.getResultForms(),
                      [&](const LinearForm &form) { return form.getSingleDim() == dim; });
}

/// Where a result is indexed by `group * size + element`, lanes beyond the elements of one group
/// store to the next group. Its own elements must come later: groups in order, in one work item.
bool ScheduleSpace::storesInOrder(const NestSchedule &schedule) const {
  const Nest &nest = info.nest;
  int64_t vector = schedule.vector;
  if (vector >= nest.numParallel || nest.sizes[vector] % lanes == 0)
    return true;
  auto place = [&](int64_t dim) {
    return llvm::find(schedule.order, dim) - schedule.order.begin();
  };
  for (const LinearForm &form : info.getResultForms())
    for (auto [dim, factor] : llvm::enumerate(form.coefficients)) {
      if (!form.uses(vector) || static_cast<int64_t>(dim) == vector ||
          factor < form.coefficients[vector] || nest.sizes[dim] == 1)
        continue;
      // Slices and the blocks of an image are work items of the outer group.
      bool split =
          sliced
              ? dim < nest.numSliced
              : schedule.chunk > 0 &&
                    llvm::is_contained(ArrayRef(schedule.order).take_front(schedule.collapse), dim);
      if (split || (getUnits(vector, vector) > 1 && place(dim) > place(vector)))
        return false;
    }
  return true;
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
    reason = llvm::formatv("{0} KB kept in the second cache, {1:f0} cycles estimated",
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
  assert(first != candidates.end() && "the tile of single points is always legal");
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
