//===- GpuContraction.cpp - Tiles, stages and instructions of products on a GPU --------------===//
//
// The part of GpuScheduleSpace that is about the algorithm `contraction`.
//
//===----------------------------------------------------------------------------------------===//

#include "compiler/schedule/GpuSchedule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace mlir::cnn;

/// The bytes of shared memory of a block that every GPU has without asking.
static constexpr int64_t mostShared = 48 << 10;
/// Products with fewer rows or columns, or with so few steps, leave most of a tile empty. The first
/// convolution of images of one channel has 9.
static constexpr int64_t leastExtent = 16, fewSteps = 8;

namespace {
/// What can multiply, from the slowest to the fastest.
struct Instruction {
  StringLiteral name;
  /// The relative error (RMS) of a sum of products whose signs vary, beyond that of sums in f32:
  /// sqrt(2) times that of rounding one operand to 11 or 8 digits, 2^-10 / sqrt(24) and 2^-7 /
  /// sqrt(24).
  double error;
  /// Steps of the depth of a tile, and of one instruction.
  int64_t depth, step;
};
} // namespace

static constexpr Instruction instructions[] = {
    {"fma", 0, 16, 1}, {"tf32", 2.9e-4, 16, 8}, {"bf16", 2.3e-3, 32, 16}};

static const Instruction *findInstruction(StringRef name) {
  const auto *found =
      llvm::find_if(instructions, [&](const Instruction &other) { return other.name == name; });
  return found == std::end(instructions) ? nullptr : found;
}

int64_t GpuSchedule::getTileThreads() const {
  if (tile.size() != 5 || llvm::any_of(tile, [](int64_t extent) { return extent < 1; }) ||
      tile[0] % tile[3] != 0 || tile[1] % tile[4] != 0)
    return 0;
  return tile[0] / tile[3] * (tile[1] / tile[4]) * (usesTensorCores() ? warpSize : 1);
}

/// Bytes of shared memory. Lines of a tile that is turned round have 4 elements more (see
/// nvptx/ContractionSide.h).
static int64_t getSharedBytes(const GpuSchedule &schedule, int64_t elementBytes) {
  int64_t bytes = schedule.instruction == "bf16" ? 2 : elementBytes;
  int64_t pad = schedule.usesTensorCores() ? 0 : 4;
  return (schedule.tile[0] + schedule.tile[1] + 2 * pad) * schedule.tile[2] * schedule.stages *
         bytes;
}

std::string GpuScheduleSpace::whyNotInstruction(StringRef instruction) const {
  if (!findInstruction(instruction))
    return "there is no such instruction; there are fma, tf32 and bf16";
  if (instruction == "fma")
    return "";
  if (!getTensor(info.anchor->getResult(0)).getElementType().isF32())
    return "its elements are not f32";
  if (capability < 80)
    return "sm_" + std::to_string(capability) + " has none; sm_80 and later have";
  return "";
}

StringRef GpuScheduleSpace::chooseInstruction(double precision) const {
  StringRef chosen = "fma";
  for (const Instruction &instruction : instructions)
    if (instruction.error <= precision && whyNotInstruction(instruction.name).empty())
      chosen = instruction.name;
  return chosen;
}

/// The digits of positions of a tile where nothing is pooled; see nvptx/TileProduct.cpp.
static SmallVector<TileDigit> getPlainDigits(const GpuSchedule &schedule, bool ofRows) {
  using Kind = TileDigit::Kind;
  int64_t own = schedule.tile[ofRows ? 3 : 4], others = schedule.tile[ofRows ? 0 : 1] / own;
  if (schedule.usesTensorCores() && ofRows)
    return {{Kind::Lanes, 8, /*distance=*/4}, {Kind::Registers, own / 8}, {Kind::Others, others}};
  if (schedule.usesTensorCores())
    return {
        {Kind::Registers, 2}, {Kind::Lanes, 4}, {Kind::Registers, own / 8}, {Kind::Others, others}};
  if (!ofRows) {
    int64_t lanes = std::min(others, warpSize);
    return {{Kind::Lanes, lanes}, {Kind::Others, others / lanes}, {Kind::Registers, own}};
  }
  int64_t along = schedule.tile[1] / schedule.tile[4];
  int64_t lanes = std::min(others, std::max<int64_t>(warpSize / along, 1));
  return {{Kind::Registers, own}, {Kind::Lanes, lanes, along}, {Kind::Others, others / lanes}};
}

SmallVector<TileDigit> GpuScheduleSpace::getTileDigits(const GpuSchedule &schedule,
                                                       bool ofRows) const {
  using Kind = TileDigit::Kind;
  SmallVector<TileDigit> digits = getPlainDigits(schedule, ofRows);
  int64_t left = ofRows ? contraction->rowWindow : contraction->columnWindow;
  auto take = [&](TileDigit &digit, int64_t wanted) {
    int64_t taken = std::gcd(digit.extent / digit.window, wanted);
    digit.window *= taken;
    left /= taken;
    return wanted / taken;
  };
  // Neighbouring columns are neighbours in memory, and stay so: within a row of a window they are
  // threads or registers beside each other. Rows are far apart anyway.
  if (!ofRows && left > 1) {
    int64_t row = 1;
    for (int64_t extent : contraction->columnWindows)
      row = extent > 1 ? extent : row;
    for (TileDigit &digit : digits) {
      if (row == 1 || digit.kind == Kind::Others)
        break;
      row = take(digit, row);
    }
  }
  for (Kind kind : {Kind::Registers, Kind::Lanes})
    for (TileDigit &digit : digits)
      if (digit.kind == kind && (kind == Kind::Registers || schedule.block >= warpSize))
        take(digit, left);
  if (left > 1)
    digits.clear();
  return digits;
}

int64_t GpuScheduleSpace::getWindowThreads(const GpuSchedule &schedule) const {
  int64_t threads = 1;
  for (bool ofRows : {true, false})
    for (const TileDigit &digit : getTileDigits(schedule, ofRows))
      if (digit.kind == TileDigit::Kind::Lanes)
        threads *= digit.window;
  return threads;
}

bool GpuScheduleSpace::hasWholeWindows(const GpuSchedule &schedule) const {
  return !getTileDigits(schedule, /*ofRows=*/true).empty() &&
         !getTileDigits(schedule, /*ofRows=*/false).empty();
}

/// Rows and columns of the tiles that are tried.
static constexpr std::pair<int64_t, int64_t> tileExtents[] = {
    {8, 64},  {64, 8},  {16, 64},  {64, 16},  {32, 32},  {64, 32},
    {32, 64}, {64, 64}, {128, 64}, {64, 128}, {128, 128}};

/// How much of a tile's rows or columns (`extent`; `other` is that of the others) a thread has: 8 x
/// 8 or 4 x 4 sums, and of narrow tiles what leaves a block four warps.
static int64_t getThreadExtent(int64_t extent, int64_t other) {
  if (extent > 64)
    return 8;
  return extent <= 16 || other <= 8 ? 2 : 4;
}

SmallVector<GpuSchedule> GpuScheduleSpace::getTiles(StringRef instruction, int64_t parts) const {
  Type element = getTensor(info.anchor->getResult(0)).getElementType();
  const Instruction &found = *findInstruction(instruction);
  GpuSchedule schedule;
  schedule.algorithm = "contraction";
  schedule.instruction = instruction.str();
  bool isMma = schedule.usesTensorCores();
  // While a tile is multiplied, others are on their way: copies by themselves, or, before sm_80 and
  // of operands that are converted, values in registers.
  int64_t most = capability >= 80 && instruction == "tf32" ? 3 : 2;
  SmallVector<GpuSchedule> schedules;
  for (auto [rows, columns] : tileExtents) {
    // Narrow tiles read more for each product: they are for what would leave the half of others
    // empty.
    constexpr int64_t narrow = 16;
    if ((rows <= narrow && (isMma || contraction->numRows > rows)) ||
        (columns <= narrow && (isMma || contraction->numColumns > columns)))
      continue;
    // Sums of 8 x 8 of a thread, or 8 x 4 of twice the size, leave too few registers for two
    // blocks.
    if (!isMma && rows * columns > (element.isF64() ? 64 : 128) * 64)
      continue;
    if (isMma) // of one warp
      schedule.tile = {rows, columns, found.depth, rows > 64 ? 64 : 32, 32};
    else // of one thread
      schedule.tile = {rows, columns, std::max(rows, columns) > 64 ? 8 : found.depth,
                       getThreadExtent(rows, columns), getThreadExtent(columns, rows)};
    schedule.block = schedule.getTileThreads();
    // What is converted is in registers meanwhile: with more of it than this, they do not suffice.
    constexpr int64_t mostHeld = 32;
    int64_t held = rows * rowWay.loaded + columns * columnWay.loaded;
    if (instruction == "bf16" && held * found.depth > mostHeld * schedule.block)
      schedule.tile[2] = found.step;
    schedule.stages =
        std::min<int64_t>(most, llvm::divideCeil(contraction->depth / parts, schedule.tile[2]));
    if (hasWholeWindows(schedule))
      schedules.push_back(schedule);
  }
  return schedules;
}

GpuSchedule GpuScheduleSpace::getContractionDefault(StringRef instruction) const {
  SmallVector<GpuSchedule> tiles = getTiles(instruction, /*parts=*/1);
  return *llvm::min_element(tiles, [&](const GpuSchedule &lhs, const GpuSchedule &rhs) {
    return getProductSeconds(lhs, 1) < getProductSeconds(rhs, 1);
  });
}

bool GpuScheduleSpace::isWorthTiles() const {
  // Where few results take many products each, it is reading that costs, and a tile reads less.
  constexpr int64_t leastResults = 64, deep = 128;
  const Contraction &product = *contraction;
  return (product.numRows >= leastExtent && product.numColumns >= leastExtent &&
          product.depth > fewSteps) ||
         (product.numRows * product.numColumns >= leastResults && product.depth >= deep);
}

std::string GpuScheduleSpace::getProductText(const GpuSchedule &schedule) const {
  return llvm::formatv(
             "{0} x {1} results{2}, each of {3} products: {4} tiles of {5} x {6}{7}",
             contraction->numRows, contraction->numColumns,
             contraction->numBatches > 1 ? " " + std::to_string(contraction->numBatches) + " times"
                                         : "",
             contraction->depth, getNumBlocks(schedule), schedule.tile[0], schedule.tile[1],
             schedule.usesTensorCores() ? " in " + schedule.instruction : "")
      .str();
}

/// The tile of a warp, and the lines of shared memory that its fragments are read from.
LogicalResult GpuScheduleSpace::verifyWarps(const GpuSchedule &schedule,
                                            function_ref<InFlightDiagnostic()> emitError) const {
  for (int64_t extent : schedule.tile)
    if (!llvm::isPowerOf2_64(extent))
      return emitError() << "a tile of tensor cores has extents that are powers of 2, not "
                         << extent;
  int64_t depth = schedule.tile[2], rows = schedule.tile[3], columns = schedule.tile[4];
  int64_t step = findInstruction(schedule.instruction)->step;
  if (depth < step || depth > 64)
    return emitError() << "a depth of " << depth << " is not between " << step << ", that of one "
                       << schedule.instruction << " instruction, and 64";
  if (rows < 32 || columns < 32 || rows * columns > 64 * 64)
    return emitError() << rows << " x " << columns
                       << " results of one warp are not between 32 x 32 and 64 x 64";
  return success();
}

bool GpuScheduleSpace::canCopy(const GpuSchedule &schedule, unsigned operand) const {
  NestOpInterface anchor = info.anchor;
  return schedule.stages > 1 && capability >= 80 && schedule.instruction != "bf16" &&
         isa<BlockArgument>(anchor->getOperand(operand)) && info.nest.padding == 0 &&
         getTensor(anchor->getResult(0)).getElementType().isF32();
}

/// The sums of a thread, and what it has read for the next tile, are in registers all the time.
LogicalResult
GpuScheduleSpace::verifyRegisters(const GpuSchedule &schedule,
                                  function_ref<InFlightDiagnostic()> emitError) const {
  constexpr int64_t allRegisters = 255, registerBits = 32;
  int64_t sums = schedule.tile[3] * schedule.tile[4], read = 0, places = 0;
  if (schedule.usesTensorCores())
    sums /= warpSize;
  auto addRead = [&](unsigned operand, int64_t extent, const FactorWay &way) {
    if (canCopy(schedule, operand))
      return;
    int64_t elements = extent * schedule.tile[2] * way.loaded / schedule.block;
    read += elements;
    // Of every other element that is loaded alone, where it lies or whether it is there waits, too:
    // what ptxas spills of 64 x 64 sums of a warp without this.
    if (!way.isWide && schedule.usesTensorCores())
      places += elements / 2;
  };
  addRead(contraction->rowOperand, schedule.tile[0], rowWay);
  addRead(contraction->columnOperand, schedule.tile[1], columnWay);
  Type element = getTensor(info.anchor->getResult(0)).getElementType();
  int64_t words = element.getIntOrFloatBitWidth() / registerBits;
  if ((sums + read) * words + places + workRegisters <= allRegisters)
    return success();
  return emitError() << sums << " sums of a thread and " << read
                     << " elements that it reads for the next tile are more than "
                     << (allRegisters - workRegisters - places) / words
                     << ", which its registers hold; with less depth, or more threads, they are "
                        "fewer";
}

LogicalResult GpuScheduleSpace::verifyTile(const GpuSchedule &schedule,
                                           function_ref<InFlightDiagnostic()> emitError) const {
  if (schedule.tile.size() != 5 ||
      llvm::any_of(schedule.tile, [](int64_t extent) { return extent < 1 || extent > 1024; }))
    return emitError() << "the tile of a contraction is five extents from 1 to 1024: rows, "
                          "columns, depth, and the rows and columns of a thread, or of a warp";
  if (std::string why = whyNotInstruction(schedule.instruction); !why.empty())
    return emitError() << "instruction '" << schedule.instruction << "' does not apply: " << why;
  bool isMma = schedule.usesTensorCores();
  int64_t rows = schedule.tile[0], columns = schedule.tile[1], depth = schedule.tile[2];
  int64_t ownRows = schedule.tile[3], ownColumns = schedule.tile[4];
  if (schedule.getTileThreads() != schedule.block)
    return emitError() << "a tile of " << rows << " x " << columns << " with " << ownRows << " x "
                       << ownColumns << " for each " << (isMma ? "warp" : "thread")
                       << " does not take " << schedule.block << " threads";
  if (isMma && failed(verifyWarps(schedule, emitError)))
    return failure();
  if (!hasWholeWindows(schedule))
    return emitError() << "a tile of " << rows << " x " << columns << " with " << ownRows << " x "
                       << ownColumns << " for each " << (isMma ? "warp" : "thread")
                       << " has no whole windows of the pooling within a warp";
  if (rows * depth % schedule.block != 0 || columns * depth % schedule.block != 0)
    return emitError() << "a depth of " << depth << " does not give each of " << schedule.block
                       << " threads as many elements to read";
  if (!isMma && ownRows * ownColumns > 64)
    return emitError() << ownRows << " x " << ownColumns
                       << " elements of one thread are more than 64, which its registers hold";
  if (schedule.stages < 1 || schedule.stages > 8)
    return emitError() << schedule.stages << " stages; expected 1 to 8";
  if (failed(verifyRegisters(schedule, emitError)))
    return failure();
  Type element = getTensor(info.anchor->getResult(0)).getElementType();
  int64_t bytes = getSharedBytes(schedule, element.getIntOrFloatBitWidth() / 8);
  if (bytes > mostShared)
    return emitError() << "the tile takes " << bytes << " bytes of shared memory; at most "
                       << mostShared;
  return success();
}
