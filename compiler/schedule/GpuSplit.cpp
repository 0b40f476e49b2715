//===- GpuSplit.cpp - What products take on a GPU, and whether to take them apart -------------===//
//
// The slowest of a few limits of an H100, each taken as reached, as in the model of `cnn time`
// (compiler/tools/measure/GpuModel.cpp), by the same rates: good enough to rank tiles and splits.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Factor.h"
#include "compiler/schedule/GpuRates.h"
#include "compiler/schedule/GpuSchedule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

namespace {
constexpr int64_t numProcessors = h100::processors;
constexpr double clockRate = h100::clock, memoryBytes = h100::memory;
/// Per clock and multiprocessor, of all of these.
constexpr double perClock = 1 / (h100::processors * h100::clock);
/// Bytes of a multiprocessor's own memory and of L2 per clock, and the clocks until a value of the
/// former has come.
constexpr double ownBytes = h100::ownBytes, l2Bytes = h100::l2 * perClock;
constexpr double ownWait = h100::ownWait * h100::clock;
constexpr double memoryWait = h100::memoryWait, launch = h100::launch;
/// Bytes for which a thread waits at a time.
constexpr double inFlight = 16;
/// Threads of a multiprocessor that registers leave room for: two blocks of the largest tiles.
constexpr double residentThreads = 512;
/// Per clock and multiprocessor: instructions of threads, and values that threads of a warp give
/// each other.
constexpr double threadSteps = h100::issues * warpSize, exchanges = 32;
/// What warps issue for tensor cores besides computing factors: clocks of those that the products
/// take, and instructions for each element of a tile, for addresses and copies. With these, issuing
/// takes 1.1 to 2.1 times as long as products do; `cnn-count-gpu-work` counts 1.1 to 1.9 for the
/// convolutions of a ResNet-18.
constexpr double issueShare = 0.6, bringSteps = 7;
/// Parts of a sum have no fewer products.
constexpr int64_t leastDepth = 128;
} // namespace

/// Multiply-adds per clock of a multiprocessor.
static double getRate(const GpuSchedule &schedule, Type element) {
  double operations = schedule.instruction == "tf32"   ? h100::mmaTf32
                      : schedule.instruction == "bf16" ? h100::mmaBf16
                      : element.isF64()                ? h100::fma64
                                                       : h100::fma32;
  return operations / 2 * perClock;
}

void GpuScheduleSpace::findContraction() {
  contraction.reset();
  FailureOr<Contraction> product = Contraction::get(info, factors, whyNoContraction);
  if (failed(product))
    return;
  contraction = *product;
  rowWay = getWay(contraction->rowOperand);
  columnWay = getWay(contraction->columnOperand);
}

/// What is computed of an input is loaded and stored, not copied, and becomes zero outside; the
/// numbers that it is computed with are loaded, too, four at a time where neighbours lie so.
GpuScheduleSpace::FactorWay GpuScheduleSpace::getWay(unsigned operand) const {
  NestOpInterface anchor = info.anchor;
  Factor factor = Factor::get(anchor->getOperand(operand));
  const Contraction &product = *contraction;
  bool ofRows = operand == product.rowOperand;
  auto align = [](unsigned) { return Factor::wide * 4; };
  bool isWide =
      factor.isContiguous(info, operand, product.reduced, align) ||
      ((ofRows ? product.rowWindow : product.columnWindow) == 1 &&
       factor.isContiguous(info, operand, ofRows ? product.rows : product.columns, align));
  double width = isWide ? Factor::wide : 1;
  FactorWay way;
  way.isWide = isWide;
  way.loaded = factor.getNumLoaded(info.nest);
  way.large = std::max<int64_t>(factor.getNumLarge(), 1);
  auto elements = static_cast<double>(getTensor(factor.value).getNumElements());
  way.requests = elements * static_cast<double>(way.large) / (width * warpSize);
  if (!factor.isComputed())
    return way;
  auto numbers = static_cast<double>(factor.inputs.size() - factor.getNumLarge());
  way.steps = (numbers + 1) / width + 1;
  for (NestOpInterface op : factor.ops)
    way.steps += static_cast<double>(countBody(op));
  return way;
}

/// Clocks of a multiprocessor for what the poolings behind a product add to each of its results.
double GpuScheduleSpace::getPoolClocks(const GpuSchedule &schedule) const {
  double clocks = 0;
  for (Operation *op : info.getFromPool()) {
    if (isPointwise(op))
      continue;
    auto pool = cast<NestOpInterface>(op);
    Nest window = pool.getNest();
    double step = static_cast<double>(countBody(pool)) / threadSteps;
    double threads = getWindowThreads(schedule);
    double points = std::max(contraction->rowWindow, contraction->columnWindow);
    if (threads == 1)
      clocks += step;
    else if (!window.ordered && !window.combine.empty()) // each its own part, then a tree
      clocks += step + std::log2(threads) * threads / points * (1 / exchanges + 1 / threadSteps);
    else // each gets all points of the window, and goes through them
      clocks += threads * (step + 1 / exchanges);
  }
  return clocks;
}

double GpuScheduleSpace::getPoolSeconds(const GpuSchedule &schedule) const {
  auto blocks = static_cast<double>(getNumBlocks(schedule));
  double rounds = std::ceil(blocks / numProcessors);
  double results = static_cast<double>(schedule.tile[0] * schedule.tile[1]);
  double seconds = rounds * results * getPoolClocks(schedule) / clockRate;
  // Columns are neighbours in memory. In windows of several rows, those of a tile are several runs,
  // each of which has a sector more than its bytes need.
  if (contraction->columnWindow > 1) {
    constexpr double sectorBytes = 32;
    double rows =
        contraction->columnWindow / static_cast<double>(contraction->columnWindows.back());
    seconds += blocks * contraction->depth * (rows - 1) * sectorBytes / h100::l2;
  }
  return seconds;
}

double GpuScheduleSpace::getMovingSeconds(double bytes) { return bytes / memoryBytes; }

double GpuScheduleSpace::getProductSeconds(const GpuSchedule &schedule, int64_t parts) const {
  Type element = getTensor(info.anchor->getResult(0)).getElementType();
  double bytes = element.getIntOrFloatBitWidth() / 8;
  ArrayRef<int64_t> tile = schedule.tile;
  double rows = tile[0], columns = tile[1];
  double depth = llvm::alignTo(contraction->depth / parts, tile[2]);
  double blocks = getNumBlocks(schedule) * parts;
  double rounds = std::ceil(blocks / numProcessors), even = blocks / numProcessors;
  double products = rows * columns * depth / getRate(schedule, element);
  double stored = (rows + columns) * depth * bytes;
  double brought =
      (rows * static_cast<double>(rowWay.large) + columns * static_cast<double>(columnWay.large)) *
      depth * bytes;
  double owners = rows / tile[3] * (columns / tile[4]);
  double own = stored + brought + owners * (tile[3] + tile[4]) * depth * bytes;
  double threads = std::min(even * schedule.block, residentThreads);
  double clocks = std::max({rounds * products, rounds * own / ownBytes, even * brought / l2Bytes,
                            even * own * ownWait / (std::max(threads, 1.0) * inFlight)});
  // Tensor cores multiply while threads compute factors; else both are what these do all the time.
  double computed = (rows * rowWay.steps + columns * columnWay.steps) * depth / threadSteps;
  if (!schedule.usesTensorCores())
    clocks += rounds * computed;
  else if (computed > 0)
    clocks = std::max(clocks, rounds * (products * issueShare + computed +
                                        bringSteps * (rows + columns) * depth / threadSteps));
  return clocks / clockRate + getPoolSeconds(schedule);
}

double GpuScheduleSpace::getAddingSeconds(int64_t parts) const {
  if (parts == 1)
    return 0;
  RankedTensorType type = getTensor(info.anchor->getResult(0));
  double bytes = type.getElementTypeBitWidth() / 8;
  double moved = 2 * static_cast<double>(type.getNumElements()) * parts * bytes;
  return launch + std::max(moved / memoryBytes, parts * bytes * memoryWait / inFlight);
}

/// What the sums take where every thread has one of its own, and reads both factors of each
/// product.
double GpuScheduleSpace::getThreadSeconds() const {
  RankedTensorType type = getTensor(info.anchor->getResult(0));
  double products = static_cast<double>(type.getNumElements()) * contraction->depth;
  double bytes =
      static_cast<double>(rowWay.large + columnWay.large) * (type.getElementTypeBitWidth() / 8);
  double clocks =
      products * std::max(bytes / l2Bytes, (rowWay.steps + columnWay.steps) / threadSteps);
  return clocks / (numProcessors * clockRate);
}

/// What pointwise operations behind the sums take, and what is computed for them.
double GpuScheduleSpace::getEpilogueSeconds() const {
  llvm::SmallPtrSet<Operation *, 8> before;
  NestOpInterface anchor = info.anchor;
  for (Value operand : anchor->getOperands())
    for (NestOpInterface op : Factor::get(operand).ops)
      before.insert(op);
  double steps = 0;
  for (Operation &op : *anchor->getBlock())
    if (auto nestOp = dyn_cast<NestOpInterface>(op);
        nestOp && &op != anchor.getOperation() && !before.contains(&op))
      steps += static_cast<double>(countBody(nestOp));
  return steps * static_cast<double>(numResults) / (threadSteps * numProcessors * clockRate);
}

/// What threads wait for memory, if nothing else: a few loads each are under way.
double GpuScheduleSpace::getWaitingSeconds(const Product &product) const {
  auto blocks = static_cast<double>(getNumBlocks(product.schedule) * product.split.parts);
  double resident = std::min(blocks * product.schedule.block, numProcessors * residentThreads);
  return (rowWay.requests + columnWay.requests) * memoryWait /
         (resident / warpSize * h100::loadsInFlight);
}

static double getBytes(ValueRange values) {
  double bytes = 0;
  for (Value value : values) {
    RankedTensorType type = getTensor(value);
    bytes += static_cast<double>(type.getNumElements()) * type.getElementTypeBitWidth() / 8;
  }
  return bytes;
}

double GpuScheduleSpace::getSeconds(double precision) const {
  NestOpInterface anchor = info.anchor;
  auto group = anchor->getParentOfType<GroupOp>();
  double moving = getMovingSeconds(getBytes(group.getInputs()) + getBytes(group.getResults()));
  double steps = 0;
  if (contraction && isWorthTiles()) {
    std::string reason;
    Product product = chooseProduct(precision, reason);
    return std::max({product.seconds + getEpilogueSeconds(), getWaitingSeconds(product), moving});
  }
  for (Value operand : anchor->getOperands())
    for (NestOpInterface op : Factor::get(operand).ops)
      steps += static_cast<double>(countBody(op));
  double points = static_cast<double>(llvm::product_of(info.nest.sizes));
  double clocks = steps * points / (threadSteps * numProcessors);
  return std::max(clocks / clockRate + getEpilogueSeconds(), moving);
}

GpuScheduleSpace::Product GpuScheduleSpace::chooseProduct(double precision,
                                                          std::string &reason) const {
  StringRef instruction = chooseInstruction(precision);
  Product chosen;
  chosen.schedule = getContractionDefault(instruction);
  int64_t blocks = getNumBlocks(chosen.schedule);
  chosen.seconds = blocks < leastTiles ? getThreadSeconds() : getProductSeconds(chosen.schedule, 1);
  // Parts take memory, too: they are worth it where they save a tenth.
  double best = chosen.seconds * 0.9;
  const Nest &nest = info.nest;
  for (unsigned dim = nest.numParallel; dim < nest.getNumDims(); ++dim)
    for (int64_t parts = 2; parts <= nest.sizes[dim]; ++parts) {
      if (nest.sizes[dim] % parts != 0 || contraction->depth / parts < leastDepth)
        continue;
      for (const GpuSchedule &schedule : getTiles(instruction, parts)) {
        if (getNumBlocks(schedule) * parts < leastTiles)
          continue;
        double inParts = getProductSeconds(schedule, parts) + getAddingSeconds(parts);
        if (inParts >= best)
          continue;
        best = inParts;
        chosen = {schedule, {dim, parts}, inParts};
      }
    }
  reason = "whole, " + std::to_string(blocks) + " tiles would do all of it";
  return chosen;
}

GpuScheduleSpace GpuScheduleSpace::withoutPool() const {
  GpuScheduleSpace other = *this;
  other.info.pool = {};
  other.info.afterPool.clear();
  other.info.poolFactors.clear();
  other.factors.assign(info.nest.numParallel, 1);
  other.space = llvm::to_vector(ArrayRef(info.nest.sizes).take_front(info.nest.numParallel));
  other.numResults = llvm::product_of(other.space);
  other.findContraction();
  return other;
}

bool GpuScheduleSpace::isFasterApart(double precision, std::string &reason) const {
  GpuScheduleSpace product = withoutPool();
  if (!info.pool || !product.contraction || !product.isWorthTiles())
    return false;
  std::string text;
  Product sums = product.chooseProduct(precision, text);
  double apart = sums.seconds;
  if (sums.split.parts == 1 && product.choose(text, precision).algorithm != "contraction")
    return false;
  // What is pooled is read then, and written, if nothing else reads it.
  int64_t bytes = 0;
  NestOpInterface pool = info.pool;
  for (Value value : pool->getOperands()) {
    Operation *maker = value.getDefiningOp();
    if (maker != info.anchor && !llvm::is_contained(info.epilogue, maker))
      continue;
    bool isStored = llvm::any_of(value.getUsers(), llvm::IsaPred<YieldOp>);
    RankedTensorType type = getTensor(value);
    bytes += (isStored ? 1 : 2) * type.getNumElements() * (type.getElementTypeBitWidth() / 8);
  }
  apart += launch + getMovingSeconds(static_cast<double>(bytes));
  bool isTiled = choose(text, precision).algorithm == "contraction";
  double whole = isTiled ? getProductSeconds(getContractionDefault(chooseInstruction(precision)), 1)
                         : product.getThreadSeconds();
  reason = llvm::formatv("{0} the pooling: {1:F1} us, not {2:F1} us; apart, {3} more bytes are "
                         "written and read{4}",
                         apart < whole ? "apart from" : "with", std::min(apart, whole) * 1e6,
                         std::max(apart, whole) * 1e6, bytes,
                         isTiled        ? ""
                         : !contraction ? ", since " + whyNoContraction
                                        : ", and whole, there are too few tiles");
  return apart < whole;
}

DepthSplit GpuScheduleSpace::chooseSumSplit(std::string &reason) const {
  // A block with more points than this is worth being several, until there are enough to fill the
  // GPU.
  constexpr int64_t mostPoints = 65536, leastPoints = 8192, enoughBlocks = 8 * numProcessors;
  int64_t blocks = getNumBlocks(getReduceDefault());
  int64_t points = llvm::divideCeil(numResults, blocks) * numReduced;
  DepthSplit chosen;
  if (blocks >= 2 * numProcessors || points <= mostPoints)
    return chosen;
  const Nest &nest = info.nest;
  for (unsigned dim = nest.numParallel; dim < nest.getNumDims(); ++dim)
    for (int64_t parts = 2; parts <= nest.sizes[dim]; ++parts) {
      if (nest.sizes[dim] % parts != 0 || points / parts < leastPoints)
        continue;
      if (parts > chosen.parts && blocks * chosen.parts < enoughBlocks)
        chosen = {dim, parts};
    }
  reason = "whole, " + std::to_string(blocks) + (blocks == 1 ? " block" : " blocks") +
           " would add up " + std::to_string(points) + " points each";
  return chosen;
}

DepthSplit GpuScheduleSpace::chooseSplit(double precision, std::string &reason) const {
  if (contraction && isWorthTiles())
    return chooseProduct(precision, reason).split;
  return whyNot("reduce").empty() ? chooseSumSplit(reason) : DepthSplit();
}

std::string GpuScheduleSpace::findSplit(StringRef parts, DepthSplit &split) const {
  const Nest &nest = info.nest;
  ArrayRef<int64_t> extents = ArrayRef(nest.sizes).drop_front(nest.numParallel);
  int64_t number = 0;
  if (!parts.getAsInteger(10, number) && number >= 1)
    for (auto [dim, extent] : llvm::enumerate(extents))
      if (extent % number == 0) {
        split = {nest.numParallel + static_cast<unsigned>(dim), number};
        return "";
      }
  return "it divides none of the extents that are summed over, " + formatShape(extents);
}
