//===- ScheduleCost.cpp - What a schedule costs ----------------------------------------------===//
//
// The cost model counts, per register tile, the vector operations, the loads (each distinct vector
// of the tile once) and the stores, against two of each per cycle, and asks for as many independent
// accumulators as hide the latency of an FMA. What a loop nest fetches from the second cache and
// from beyond it follows from the order of its loops.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Schedules.h"
#include "llvm/Support/MathExtras.h"

#include <map>
#include <numeric>

using namespace mlir;
using namespace mlir::cnn;

/// Latency of an FMA times FMAs per cycle on every x86 core since 2015, and on Neoverse.
static constexpr int64_t minAccumulators = 8;
/// What every step of a tile takes beside its operations, whatever their number: of sums over
/// windows of few channels, and of products, of which 0.75 to 1.5 were measured.
static constexpr double cyclesPerStep = 0.3, cyclesPerProduct = 1.0;
/// The share of the time that further code for the rest of a dimension takes.
static constexpr double otherCode = 0.02;
/// Bytes per cycle that the second cache gives the first, of one core.
static constexpr double bytesToFirst = 32;
/// How much longer it takes to get vectors that do not follow each other, two and more at a time,
/// and one at a time: 10 bytes per cycle were measured where a product of Winograd's algorithm
/// reads 128 bytes of every 1 KB.
static constexpr double timesForGaps = 2, timesForLines = 3;
/// How much of a cache a loop's operands may take to be found there again.
static constexpr double shareOfCache = 0.6;

/// The share of the products that are not with zeros known to be such: where a tile and its
/// unrolled loops take whole dimensions, those of an image's edge are left out, and so are those
/// with taps of other phases.
double ScheduleSpace::getShareInside(const NestSchedule &schedule) const {
  double share = 1.0;
  for (const TensorAccess &access : accesses) {
    if (access.store || access.pooled)
      continue;
    LayoutAttr layout = access.layout;
    for (auto [at, form] : llvm::enumerate(access.forms)) {
      bool inPhase = llvm::any_of(llvm::seq<unsigned>(0, info.nest.numParallel),
                                  [&](unsigned dim) { return form.uses(dim) && isPhase(dim); });
      if (layout.getHaloOf(at) == 0 && !inPhase)
        continue;
      // How often each index occurs.
      std::map<int64_t, int64_t> counts = {{form.constant, 1}};
      bool known = true;
      for (auto [dim, factor] : llvm::enumerate(form.coefficients)) {
        if (factor == 0)
          continue;
        int64_t units = getUnits(dim, schedule.vector);
        known &= static_cast<int64_t>(dim) != schedule.vector &&
                 (inPhase ? info.nest.isParallel(dim) || schedule.tile[dim] == units
                          : schedule.tile[dim] == units && units <= 16);
        if (!known)
          break;
        std::map<int64_t, int64_t> next;
        for (auto [index, count] : counts)
          for (int64_t i = 0; i < units; ++i)
            next[index + factor * i] += count;
        counts = std::move(next);
      }
      if (!known)
        continue;
      double inside = 0, all = 0;
      for (auto [index, count] : counts) {
        all += count;
        if (index >= 0 && index < access.type.getDimSize(at))
          inside += count;
      }
      share *= inside / all;
    }
  }
  return share;
}

/// What a tile's points cost, its beginning and end included, apart from stores.
ScheduleSpace::TileCost ScheduleSpace::estimateTile(const NestSchedule &schedule) const {
  const Nest &nest = info.nest;
  bool reduces = nest.numParallel < nest.getNumDims();
  TileCost cost;
  int64_t tilePoints = 1, accumulators = 1;
  double shared = 0;
  for (unsigned dim = 0; dim < nest.getNumDims(); ++dim) {
    tilePoints *= schedule.tile[dim];
    if (nest.isParallel(dim))
      accumulators *= schedule.tile[dim];
  }
  for (const TensorAccess &access : accesses) {
    if (access.store || access.pooled)
      continue;
    // Distinct vectors in a tile: the extents that the forms span.
    double distinct = 1, all = 1;
    bool inner = false;
    for (const LinearForm &form : access.forms) {
      double span = 1, product = 1;
      for (unsigned dim = 0; dim < nest.getNumDims(); ++dim)
        if (form.uses(dim)) {
          span += std::abs(form.coefficients[dim]) * (schedule.tile[dim] - 1);
          product *= schedule.tile[dim];
          inner |= !nest.isParallel(dim);
        }
      distinct *= std::min(span, product);
      all *= product;
    }
    if (!inner && reduces)
      continue;
    cost.slides |= all >= 2.5 * distinct;
    Stride stride = classify(access, schedule.vector);
    cost.loads += (stride == Stride::Strided ? 2.0 * lanes : 1.0) * distinct / tilePoints;
    if (stride == Stride::Zero)
      shared += distinct / tilePoints;
    cost.fewest = std::min<int64_t>(cost.fewest, distinct);
  }
  // Elements that all lanes share come one per cycle: measured where nothing else is reused.
  cost.perPoint = std::max({0.5, 0.5 * cost.loads, isProduct() ? shared : 0.0}) + 0.1 * cost.loads;
  if (reduces)
    cost.perPoint = std::max(cost.perPoint, 0.5 * minAccumulators / accumulators) +
                    (isProduct() ? cyclesPerProduct : cyclesPerStep) / accumulators;
  return cost;
}

ScheduleSpace::Cost ScheduleSpace::estimate(const NestSchedule &schedule) const {
  const Nest &nest = info.nest;
  Cost cost;
  double points = 1, outputs = 1;
  int64_t accumulators = 1;
  for (unsigned dim = 0; dim < nest.getNumDims(); ++dim) {
    double units = getUnits(dim, schedule.vector);
    points *= units;
    if (nest.isParallel(dim)) {
      outputs *= units;
      accumulators *= schedule.tile[dim];
    }
  }
  if (!nest.transforms.empty())
    return estimateTransforms(schedule, outputs);
  bool reduces = nest.numParallel < nest.getNumDims();
  for (const TensorAccess &access : accesses) {
    if (!access.store)
      continue;
    Stride stride = classify(access, schedule.vector);
    bool lanesReduced = schedule.vector >= nest.numParallel && nest.getNumDims() > 0;
    double count = outputs;
    for (int64_t factor : factors)
      if (access.pooled)
        count /= factor;
    cost.cycles += count * (lanesReduced                ? 12.0
                            : nest.scatter              ? 3.0
                            : stride == Stride::Strided ? 2.0 * lanes
                                                        : 1.0);
  }
  TileCost tile = estimateTile(schedule);
  cost.loads = tile.loads;
  cost.accumulators = accumulators;
  cost.cycles += points * tile.perPoint * (reduces ? getShareInside(schedule) : 1.0);
  // What does not fit in registers is stored and loaded again.
  int64_t room = machine.registers - 1 - std::min<int64_t>(tile.fewest, 6);
  if (tile.slides)
    room = std::min<int64_t>(room, machine.registers * 5 / 8);
  if (reduces && accumulators > room)
    cost.cycles *= 1.0 + 0.5 * (accumulators - room);
  // What is left of a dimension is computed in smaller tiles, by code of its own.
  for (unsigned dim = 0; dim < nest.getNumDims(); ++dim) {
    int64_t units = getUnits(dim, schedule.vector), rest = units % schedule.tile[dim];
    if (rest == 0)
      continue;
    NestSchedule smaller = schedule;
    smaller.tile[dim] = rest;
    double slower = estimateTile(smaller).perPoint / tile.perPoint - 1;
    cost.cycles *= 1.0 + otherCode + std::max(slower, 0.0) * rest / units;
  }
  // Of tiles that are as good, the one that reads in fewer places at once.
  cost.cycles *= 1.0 + 0.005 * getPlaces(schedule);
  cost.computing = cost.cycles;
  cost.cycles = addUp(cost.computing, getTileTraffic(schedule), 0);
  return cost;
}

/// In how many pages the vectors that a tile reads of one operand lie, at most.
int64_t ScheduleSpace::getPlaces(const NestSchedule &schedule) const {
  constexpr int64_t page = 4096;
  int64_t most = 1;
  for (const TensorAccess &access : accesses) {
    if (access.store || access.pooled || classify(access, schedule.vector) != Stride::Unit)
      continue;
    int64_t places = 1;
    for (unsigned dim = 0; dim < info.nest.getNumDims(); ++dim)
      if (static_cast<int64_t>(dim) != schedule.vector
              ? std::abs(access.strides[dim]) >= page
              : std::abs(access.vectorStrides[dim]) >= page)
        places *= schedule.tile[dim];
    most = std::max(most, places);
  }
  return most;
}

/// Windows are loaded once, and pass through about three operations per element and dimension.
ScheduleSpace::Cost ScheduleSpace::estimateTransforms(const NestSchedule &schedule,
                                                      double outputs) const {
  double loaded = 1, made = 1, passed = 0;
  for (const Transform &transform : info.nest.transforms) {
    loaded *= info.nest.sizes[transform.reduced];
    made *= info.nest.sizes[transform.result];
    passed += 3.0;
  }
  Cost cost;
  cost.accumulators = getPoints(schedule);
  double perWindow = 0.5 * passed * std::max(loaded, made);
  for (const TensorAccess &access : accesses) {
    double weight = classify(access, schedule.vector) == Stride::Strided ? 2.0 * lanes : 1.0;
    perWindow += weight * (access.store ? made : 0.5 * loaded);
    cost.loads += access.store ? 0 : weight * loaded / made;
  }
  cost.computing = cost.cycles = outputs / made * perWindow;
  // A tile of several windows needs registers that there are not.
  return cost;
}

static bool usesDim(ArrayRef<LinearForm> forms, int64_t dim) {
  return llvm::any_of(forms, [&](const LinearForm &form) { return form.uses(dim); });
}

/// What an operand's elements take while the tile's own loops run, and those around it over the
/// dimensions that `whole` tells.
double ScheduleSpace::getBytes(const TensorAccess &access, const NestSchedule &schedule,
                               function_ref<bool(int64_t)> whole) const {
  const Nest &nest = info.nest;
  SmallVector<int64_t> extents(nest.sizes);
  for (int64_t dim = 0; dim < nest.numParallel; ++dim)
    if (!whole(dim))
      extents[dim] =
          std::min(extents[dim], schedule.tile[dim] * (dim == schedule.vector ? lanes : 1));
  constexpr double line = Machine::lineBytes;
  double bytes = access.type.getElementTypeBitWidth() / 8;
  // Rows of a plain tensor that are read in part come in whole lines; what is read once for a tile
  // does not matter.
  bool isRow = access.layout.isPlain() &&
               llvm::any_of(llvm::seq<int64_t>(nest.numParallel, nest.getNumDims()),
                            [&](int64_t dim) { return usesDim(access.forms, dim); });
  for (size_t at = access.forms.size(); at-- > 0;) {
    int64_t span = 1, extent = access.type.getDimSize(at);
    for (unsigned dim = 0; dim < nest.getNumDims(); ++dim)
      span += std::abs(access.forms[at].coefficients[dim]) * (extents[dim] - 1);
    bytes *= std::min(span, extent);
    if (isRow && span < extent) {
      bytes = std::max(bytes, line);
      isRow = false;
    }
  }
  return bytes;
}

int64_t ScheduleSpace::getSteps(const NestSchedule &schedule, int64_t dim) const {
  return llvm::divideCeil(getUnits(dim, schedule.vector), schedule.tile[dim]);
}

/// Where the vectors that a tile of a product reads leave out what lies between those of one step
/// of the sum and the next, they lie in few sets of the first cache, and come slowly. Its sets
/// follow each other for a page, on every processor that looks sets up by untranslated addresses.
/// Of sums over windows, neighbours share what they read.
ScheduleSpace::Delivery ScheduleSpace::getDelivery(const TensorAccess &access,
                                                   const NestSchedule &schedule) const {
  constexpr int64_t page = 4096;
  const Nest &nest = info.nest;
  const int64_t inner = nest.numParallel;
  if (access.store || !isProduct() || classify(access, schedule.vector) != Stride::Unit)
    return {};
  auto getStride = [&](int64_t dim) {
    return std::abs((dim == schedule.vector ? access.vectorStrides : access.strides)[dim]);
  };
  const int64_t vector = lanes * access.type.getElementTypeBitWidth() / 8;
  int64_t run = vector;
  for (bool grows = true; grows;) {
    grows = false;
    for (int64_t dim = 0; dim < nest.numParallel; ++dim)
      if (schedule.tile[dim] > 1 && getStride(dim) == run) {
        run *= schedule.tile[dim];
        grows = true;
      }
  }
  const int64_t step = getStride(inner);
  if (step <= run)
    return {};
  double times = run > 4 * vector ? 1 : run > vector ? timesForGaps : timesForLines;
  return {std::min(1.0, double(run) / std::gcd(step, page)), times};
}

/// Bytes that the first cache gets at least, whatever the order of the loops: all that a tile reads
/// where that is too much to stay, else what differs from the tile before.
double ScheduleSpace::getTileTraffic(const NestSchedule &schedule) const {
  double tiles = 1, together = 0;
  SmallVector<std::pair<const TensorAccess *, double>> operands;
  for (unsigned dim = 0; dim < info.nest.numParallel; ++dim)
    tiles *= getSteps(schedule, dim);
  for (const TensorAccess &access : accesses)
    if (!access.pooled) {
      operands.push_back({&access, getBytes(access, schedule, [](int64_t) { return false; })});
      together += operands.back().second / getDelivery(access, schedule).shareOfSets;
    }
  bool stays = together <= shareOfCache * machine.level1;
  together = 0;
  for (auto &[access, bytes] : operands)
    together += bytes *= getDelivery(*access, schedule).times;
  double least = together * tiles;
  if (!stays)
    return least;
  for (unsigned dim = 0; dim < info.nest.numParallel; ++dim) {
    double traffic = 0;
    for (auto [access, bytes] : operands)
      traffic += bytes * tiles / (usesDim(access->forms, dim) ? 1 : getSteps(schedule, dim));
    least = std::min(least, traffic);
  }
  return least;
}

/// Bytes that come from beyond a cache of `capacity`: for the outermost loops whose tensors fit
/// into it together, what they touch, times the steps of the loops around that ask for other
/// elements. Where not even one tile's operands fit, they come again for each tile.
/// Each operand's bytes count `weight` times.
double ScheduleSpace::getTraffic(const NestSchedule &schedule, double capacity,
                                 function_ref<double(const TensorAccess &)> weight) const {
  const unsigned parallel = info.nest.numParallel;
  SmallVector<const TensorAccess *> operands;
  for (const TensorAccess &access : accesses)
    if (!access.pooled)
      operands.push_back(&access);
  SmallVector<unsigned> depthOf(parallel);
  for (auto [depth, dim] : llvm::enumerate(ArrayRef(schedule.order).take_front(parallel)))
    depthOf[dim] = depth;
  SmallVector<double> bytes;
  double together = 0;
  unsigned level = 0;
  for (;; ++level) {
    bytes.clear();
    together = 0;
    for (const TensorAccess *access : operands) {
      bytes.push_back(
          getBytes(*access, schedule, [&](int64_t dim) { return depthOf[dim] >= level; }));
      together += bytes.back();
    }
    if (together <= capacity || level == parallel)
      break;
  }
  double traffic = 0;
  for (auto [access, part] : llvm::zip(operands, bytes)) {
    bool changes = together > capacity;
    for (unsigned depth = level; depth-- > 0;) {
      int64_t dim = schedule.order[depth];
      changes |= usesDim(access->forms, dim);
      if (changes)
        part *= getSteps(schedule, dim);
    }
    // A line that is stored to is fetched before, and written back.
    traffic += weight(*access) * (access->store ? 2 * part : part);
  }
  return traffic;
}

double ScheduleSpace::getTraffic(const NestSchedule &schedule) const {
  return getTraffic(schedule, shareOfCache * machine.level2,
                    [](const TensorAccess &) { return 1; });
}

/// The same of the first cache, where vectors that do not follow each other take longer.
double ScheduleSpace::getTrafficToFirst(const NestSchedule &schedule) const {
  return getTraffic(schedule, shareOfCache * machine.level1, [&](const TensorAccess &access) {
    return getDelivery(access, schedule).times;
  });
}

/// Cycles of one core: computing hides some of what the first cache waits for, or the other way
/// round; what comes from beyond the second cache is waited for.
double ScheduleSpace::addUp(double computing, double toFirst, double toSecond) {
  double loading = toFirst / bytesToFirst;
  return std::max(computing, loading) + 0.6 * std::min(computing, loading) +
         toSecond / Machine::bytesPerCycle;
}

double ScheduleSpace::getCycles(const NestSchedule &schedule) const {
  if (weightGrad)
    return weightGrad->getCycles(weightGrad->getStep(schedule.tile));
  return addUp(estimate(schedule).computing, getTrafficToFirst(schedule), getTraffic(schedule));
}

/// Each distinct vector once for a tile. What does not depend on the reduced dimensions is loaded
/// outside of their loops.
double ScheduleSpace::countReads(const NestSchedule &schedule, unsigned argument) const {
  if (weightGrad) {
    NestOpInterface anchor = info.anchor;
    auto grad = cast<ConvWeightGradOp>(anchor.getOperation());
    auto read = dyn_cast<BlockArgument>(grad.getInput());
    return weightGrad->countReads(weightGrad->getStep(schedule.tile),
                                  read && read.getArgNumber() == argument);
  }
  double reads = 0;
  for (auto [read, access] : llvm::zip(info.getReads(), accesses)) {
    if (read.argument != argument)
      continue;
    if (read.pooled) {
      reads += 1;
      continue;
    }
    bool inner = false;
    double loads = 1, vectors = access.type.getNumElements();
    for (const LinearForm &form : access.forms) {
      double span = 1, product = 1;
      for (unsigned dim = 0; dim < info.nest.getNumDims(); ++dim)
        if (form.uses(dim)) {
          span += std::abs(form.coefficients[dim]) * (schedule.tile[dim] - 1);
          product *= schedule.tile[dim];
          inner |= !info.nest.isParallel(dim);
        }
      loads *= std::min(span, product);
    }
    for (unsigned dim = 0; dim < info.nest.getNumDims(); ++dim)
      if (inner || info.nest.isParallel(dim))
        loads *= getSteps(schedule, dim);
    if (classify(access, schedule.vector) != Stride::Zero)
      vectors /= lanes;
    reads += loads / vectors;
  }
  return reads;
}

/// In how many runs, each shorter than a page, the results are written at the same time: between
/// two neighbouring runs lie the steps of all loops inside. 1 where they stay in the second cache.
double ScheduleSpace::countStoreRuns(const NestSchedule &schedule) const {
  constexpr int64_t page = 4096;
  double most = 1;
  for (const TensorAccess &access : accesses) {
    int64_t bytes = access.type.getElementTypeBitWidth() / 8;
    if (!access.store || access.pooled || access.type.getNumElements() * bytes <= machine.level2)
      continue;
    double runs = 1;
    for (int64_t dim : llvm::reverse(ArrayRef(schedule.order).take_front(info.nest.numParallel))) {
      double steps = getSteps(schedule, dim);
      int64_t step = schedule.tile[dim] * std::abs((dim == schedule.vector ? access.vectorStrides
                                                                           : access.strides)[dim]);
      if (steps > 1 && step > 0 && step < page)
        most = std::max(most, runs);
      runs *= step > 0 ? steps : 1;
    }
  }
  return most;
}

/// The order of the loops with the least traffic. A kernel of its own is cut into work items along
/// its outermost loop, and every core should get as many of them.
void ScheduleSpace::setOrder(NestSchedule &schedule, double computing) const {
  const Nest &nest = info.nest;
  unsigned parallel = nest.numParallel;
  schedule.order = llvm::to_vector(llvm::seq<int64_t>(0, nest.getNumDims()));
  double points = 1;
  for (unsigned dim = 0; dim < nest.getNumDims(); ++dim)
    points *= getUnits(dim, schedule.vector);
  // Work items cost a call each: below a few thousand vector operations one is enough.
  bool split = !sliced && points >= 4096;
  const int64_t cores = machine.cores;
  double best = 0;
  SmallVector<int64_t> order = schedule.order, bestOrder;
  int64_t bestChunk = 0, bestCollapse = 1;
  // Phases stay behind the others: together they fill the lines of the result. So do, of many
  // dimensions, those with one step; blocks stay before.
  unsigned begin = sliced && parallel > 6 ? nest.numSliced : 0;
  auto moves = [&](int64_t dim) {
    return !isPhase(dim) && (parallel <= 6 || getSteps(schedule, dim) > 1);
  };
  auto tried = MutableArrayRef(order).slice(begin, parallel - begin);
  llvm::sort(tried, [&](int64_t left, int64_t right) {
    return std::pair(!moves(left), left) < std::pair(!moves(right), right);
  });
  unsigned end = begin + llvm::count_if(tried, moves);
  do {
    if (sliced && parallel > 0 && order[0] != 0)
      break; // the slice comes first
    NestSchedule candidate = schedule;
    candidate.order = order;
    double cycles = addUp(computing, getTrafficToFirst(candidate), getTraffic(candidate));
    // More runs than the processor's prefetcher follows (measured: 3.6 ms against 6.9).
    constexpr double mostRuns = 16, slower = 1.25;
    if (countStoreRuns(candidate) > mostRuns)
      cycles *= slower;
    // Measured with weights of 26 MB: 0.55 ms against 0.76, with prefetches 0.49 against 0.56.
    constexpr double ofJumps = 1.1;
    if (jumps(candidate))
      cycles *= ofJumps;
    candidate.chunk = 1;
    bool divisible =
        parallel > 0 && ownsResults(order[0], schedule.vector) && storesInOrder(candidate);
    candidate.chunk = 0;
    if (!storesInOrder(candidate))
      continue;
    if (int64_t steps = parallel > 0 ? getSteps(schedule, order[0]) : 1;
        split && steps > 1 && divisible) {
      candidate.chunk = llvm::divideCeil(steps, 4 * cores);
      // Phases cut rows and columns into few steps: finer items where cores would idle.
      auto idles = [&](int64_t chunk) {
        return llvm::divideCeil(llvm::divideCeil(steps, chunk), cores) * chunk * cores >
               1.1 * steps;
      };
      if (end < parallel && isPhase(order[end]) && idles(candidate.chunk))
        while (candidate.chunk > 1 && idles(candidate.chunk))
          --candidate.chunk;
      int64_t items = llvm::divideCeil(steps, candidate.chunk);
      double share = double(llvm::divideCeil(items, cores)) * candidate.chunk / steps;
      // Few items, and cores that would idle: the next loop makes more of them.
      if (mayCollapse(order)) {
        NestSchedule collapsed = candidate;
        collapsed.chunk = 1;
        collapsed.collapse = 2;
        items = steps * getSteps(schedule, order[1]);
        double least = double(llvm::divideCeil(items, cores)) / items;
        if (least < 0.87 * share && points / items >= 4096 && storesInOrder(collapsed)) {
          candidate = collapsed;
          share = least;
        }
      }
      cycles *= share;
    }
    if (bestOrder.empty() || cycles < 0.98 * best) {
      best = cycles;
      bestOrder = order;
      bestChunk = candidate.chunk;
      bestCollapse = candidate.collapse;
    }
  } while (std::next_permutation(order.begin() + begin, order.begin() + end));
  schedule.order = bestOrder;
  schedule.chunk = bestChunk;
  schedule.collapse = bestCollapse;
}
