//===- LegalSchedules.cpp - Which schedules of a group are legal -----------------------------===//
//
// A schedule may come from a dump, from a setting or from a search. Everything the emitters of
// code rely on is checked here.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Schedules.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

LogicalResult ScheduleSpace::verify(const NestSchedule &schedule, EmitError emitError) const {
  if (weightGrad)
    return verifyWeightGrad(schedule, emitError);
  if (failed(verifyOrder(schedule, emitError)) || failed(verifyTile(schedule, emitError)) ||
      failed(verifyVectors(schedule, emitError)) || failed(verifySlice(schedule, emitError)) ||
      failed(verifyBlocks(schedule, emitError)) || failed(verifyItems(schedule, emitError)))
    return failure();
  StringRef op = info.anchor->getName().stripDialect(), algorithm = schedule.algorithm;
  bool known = isa<ConvDataGradOp>(info.anchor) ? algorithm == "scatter" || algorithm == "gather"
                                                : algorithm == getForm(info.anchor);
  if (!known)
    return emitError() << "'" << op << "' has no algorithm '" << algorithm << "'; it has "
                       << (isa<ConvDataGradOp>(info.anchor) ? "scatter and gather"
                                                            : getForm(info.anchor));
  return success();
}

/// The only freedom is the tile.
LogicalResult ScheduleSpace::verifyWeightGrad(const NestSchedule &schedule,
                                              EmitError emitError) const {
  StringRef op = info.anchor->getName().stripDialect();
  if (schedule.algorithm != getForm(info.anchor))
    return emitError() << "'" << op << "' has no algorithm '" << schedule.algorithm << "'; it has "
                       << getForm(info.anchor);
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

/// Entries for all dimensions, parallel ones before the others.
LogicalResult ScheduleSpace::verifyOrder(const NestSchedule &schedule, EmitError emitError) const {
  const Nest &nest = info.nest;
  int64_t dims = nest.getNumDims(), parallel = nest.numParallel;
  StringRef op = info.anchor->getName().stripDialect();
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
  return success();
}

/// Extents that divide as windows and blocks do, and code of bounded size; the smallest tile that
/// windows and transforms leave is as large as it is.
LogicalResult ScheduleSpace::verifyTile(const NestSchedule &schedule, EmitError emitError) const {
  const Nest &nest = info.nest;
  int64_t dims = nest.getNumDims();
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
  int64_t points = getPoints(schedule);
  if (points > maxUnrolled)
    return emitError() << "tile unrolls " << points << " points, at most " << maxUnrolled
                       << " are allowed";
  int64_t operations = getOperations(schedule);
  if (operations > maxOperations && ArrayRef(schedule.tile) != ArrayRef(factors))
    return emitError() << "tile unrolls into " << operations << " operations, at most "
                       << maxOperations << " are allowed";
  return success();
}

/// A dimension that vectors can run along.
LogicalResult ScheduleSpace::verifyVectors(const NestSchedule &schedule,
                                           EmitError emitError) const {
  const Nest &nest = info.nest;
  int64_t dims = nest.getNumDims(), parallel = nest.numParallel;
  StringRef op = info.anchor->getName().stripDialect();
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
  return success();
}

/// What the members of an outer group have at hand is one slice, and one block of its images.
LogicalResult ScheduleSpace::verifySlice(const NestSchedule &schedule, EmitError emitError) const {
  const Nest &nest = info.nest;
  int64_t parallel = nest.numParallel;
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
  return success();
}

/// A split dimension is addressed by block and lane: a tile must not straddle blocks.
LogicalResult ScheduleSpace::verifyBlocks(const NestSchedule &schedule, EmitError emitError) const {
  const Nest &nest = info.nest;
  int64_t dims = nest.getNumDims();
  for (const TensorAccess &access : accesses) {
    LayoutAttr layout = access.layout;
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
  return success();
}

/// Work items and iterations that write what is theirs.
LogicalResult ScheduleSpace::verifyItems(const NestSchedule &schedule, EmitError emitError) const {
  const Nest &nest = info.nest;
  StringRef op = info.anchor->getName().stripDialect();
  if (schedule.chunk < 0)
    return emitError() << "chunk is " << schedule.chunk << ", expected 0 or more";
  if (schedule.chunk > 0 && !sliced) {
    if (nest.numParallel == 0)
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
  return success();
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

/// Whether work items can go over the two outermost loops of a kernel of its own.
bool ScheduleSpace::mayCollapse(ArrayRef<int64_t> order) const {
  const Nest &nest = info.nest;
  auto hasZeros = [](const TensorAccess &access) {
    return access.store &&
           llvm::any_of(access.layout.getHalo(), [](int64_t zeros) { return zeros != 0; });
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
    LayoutAttr layout = access.layout;
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
