//===- GpuSchedule.h - Legal schedules of a group on a GPU, and the one to take --------------===//

#ifndef CNNC_COMPILER_SCHEDULE_GPUSCHEDULE_H
#define CNNC_COMPILER_SCHEDULE_GPUSCHEDULE_H

#include "compiler/schedule/Contraction.h"
#include "compiler/schedule/GroupInfo.h"

#include <optional>
#include <string>

namespace mlir::cnn {

/// On a module that is compiled for a GPU: "nvptx". Others are for a CPU.
inline constexpr llvm::StringLiteral targetAttr = "cnn.target";

/// Whether the module is compiled for a GPU.
bool isForGpu(ModuleOp module);

/// The compute capability that the module is compiled for, times ten: 80 of sm_80. 75, the lowest,
/// where it does not say.
int64_t getCapability(ModuleOp module);

/// The threads of a warp, of every GPU.
inline constexpr int64_t warpSize = 32;

/// A schedule in plain numbers; see `#cnn.gpu_schedule`.
struct GpuSchedule {
  std::string algorithm;
  int64_t block = 0;
  SmallVector<int64_t> tile;
  std::string instruction = "fma";
  int64_t stages = 1;
  int64_t vector = 1;

  /// The threads that share one element of a reduction's result.
  int64_t getSharing() const { return tile.empty() ? block : tile.front(); }
  /// The threads beside each other that have neighbouring elements of a reduction's result, and
  /// `vector` of them each; 0 where threads beside each other share an element.
  int64_t getAcross() const { return tile.size() == 2 ? tile.back() : 0; }
  /// Whether threads of a reduction pass their sums through shared memory.
  bool sharesMemory() const {
    return algorithm == "reduce" && (getAcross() > 0 || getSharing() > warpSize);
  }
  /// Whether it is computed by `mma.sync`; the tile is then of warps, not of threads.
  bool usesTensorCores() const { return instruction != "fma"; }
  /// The threads that a contraction's tile takes; 0 where it is none.
  int64_t getTileThreads() const;

  static GpuSchedule get(GpuScheduleAttr attr);
  GpuScheduleAttr toAttr(MLIRContext *context) const;
};

/// A digit of a position within the tile of a contraction, along rows or columns: what numbers the
/// registers of a thread, threads of a warp, or neither.
struct TileDigit {
  enum class Kind { Registers, Lanes, Others } kind;
  int64_t extent;
  /// Of lanes: the difference between the numbers of threads that are neighbours.
  int64_t distance = 1;
  /// How many of its values are places in a window of the pooling that follows: position `p` is in
  /// window `p / window` at `p % window`.
  int64_t window = 1;
};

/// Sums in `parts` parts of the reduced dimension `dim` of the nest, whose extent they divide; one
/// part is the whole.
struct DepthSplit {
  unsigned dim = 0;
  int64_t parts = 1;
};

/// The schedules of one group on a GPU. Layouts of tensors permute their dimensions, no more.
class GpuScheduleSpace {
public:
  static FailureOr<GpuScheduleSpace> get(GroupOp group);

  /// Checks a schedule; the error names what is wrong and what is allowed.
  LogicalResult verify(const GpuSchedule &schedule,
                       function_ref<InFlightDiagnostic()> emitError) const;
  /// Whether some group is computed by `algorithm`.
  static bool isAlgorithm(StringRef algorithm) {
    return llvm::is_contained({"point", "reduce", "contraction"}, algorithm);
  }
  /// Why the group cannot be computed by `algorithm`; empty where it can.
  std::string whyNot(StringRef algorithm) const;
  /// Why a contraction cannot be computed with `instruction`; empty where it can.
  std::string whyNotInstruction(StringRef instruction) const;
  /// The schedule to take unasked, and why. `precision`: the largest relative error that
  /// instructions may have (RMS); 0 for full precision.
  GpuSchedule choose(std::string &reason, double precision = 0) const;
  /// The same where `algorithm`, which applies, is asked for.
  GpuSchedule getDefault(StringRef algorithm) const;
  /// The same of a contraction with an instruction that applies.
  GpuSchedule getContractionDefault(StringRef instruction) const;
  /// How to cut the sums of a contraction or reduction that has too few blocks to keep a GPU busy,
  /// and why; not at all where that takes longer. `precision` as above.
  DepthSplit chooseSplit(double precision, std::string &reason) const;
  /// The split that is asked for by a number of parts; why there is none, else empty.
  std::string findSplit(StringRef parts, DepthSplit &split) const;
  /// Whether a product that a pooling follows is faster as a group of its own. `reason`: why, or
  /// why not, where that is a question.
  bool isFasterApart(double precision, std::string &reason) const;
  /// What the poolings behind a product, which has such a schedule, add to its time.
  double getPoolSeconds(const GpuSchedule &schedule) const;
  /// What reading or writing so many bytes takes.
  static double getMovingSeconds(double bytes);
  /// What the group takes, as a kernel of its own. `precision` as above.
  double getSeconds(double precision) const;
  /// Whether the anchor is a product that tiles are for.
  bool isWorthTiles() const;
  /// The inputs as large as the factor of a product's rows, or columns, that it is computed from;
  /// itself one where it is an input.
  int64_t getNumLarge(bool ofRows) const { return (ofRows ? rowWay : columnWay).large; }
  /// The group as it would be without its pooling.
  GpuScheduleSpace withoutPool() const;
  /// The digits of a position of a contraction's tile along rows or columns, from the fastest to
  /// the slowest; none where the tile has no whole windows that a warp could see.
  SmallVector<TileDigit> getTileDigits(const GpuSchedule &schedule, bool ofRows) const;
  /// Whether a multiprocessor can copy the tiles of that operand to shared memory by itself:
  /// elements that are there, as they are. Others pass through registers.
  bool canCopy(const GpuSchedule &schedule, unsigned operand) const;
  /// Registers that a thread of a contraction has for addresses and factors.
  static constexpr int64_t workRegisters = 56;
  /// The threads that have the points of a window between them.
  int64_t getWindowThreads(const GpuSchedule &schedule) const;
  /// Blocks of the grid.
  int64_t getNumBlocks(const GpuSchedule &schedule) const;

  const GroupInfo &getInfo() const { return info; }
  /// The extents of what threads are numbered by: the elements of the result of a scatter, else the
  /// parallel dimensions of the nest, without those of the windows of a pooling.
  ArrayRef<int64_t> getSpace() const { return space; }
  /// The dimensions of the space, from the one along which elements of the result lie farthest
  /// apart to the one along which they are neighbours.
  ArrayRef<unsigned> getOrder() const { return order; }
  /// The reduced dimensions in the same way, by what the largest input is read along. Where their
  /// order counts, as they stand.
  ArrayRef<unsigned> getReducedOrder() const { return reducedOrder; }
  /// By how much the pooling divides a parallel dimension.
  int64_t getPoolFactor(unsigned dim) const { return factors[dim]; }
  /// Products of the extents of the space, and of the reduced dimensions.
  int64_t getNumResults() const { return numResults; }
  int64_t getNumReduced() const { return numReduced; }
  /// How many of the last reduced dimensions some input is read along neighbour by neighbour, the
  /// last one innermost.
  unsigned getNumRun() const { return numRun; }
  int64_t getTargetCapability() const { return capability; }
  /// What the anchor is as a product of two tensors, where it is one.
  const std::optional<Contraction> &getContraction() const { return contraction; }

  /// With fewer tiles of a contraction than this, most of a GPU would have nothing to do.
  static constexpr int64_t leastTiles = 64;
  /// The most threads of a block on every GPU.
  static constexpr int64_t mostThreads = 1024;

private:
  /// What a factor takes on its way to tiles.
  struct FactorWay {
    /// For each element, values that are loaded ahead, and inputs that these are of.
    int64_t loaded = 1, large = 1;
    /// Whether neighbours are loaded at once.
    bool isWide = false;
    /// Instructions that compute an element, in place of a copy.
    double steps = 0;
    /// Accesses of a warp that read all of its inputs once.
    double requests = 0;
  };
  /// The tiles of a product, and what they take.
  struct Product {
    GpuSchedule schedule;
    DepthSplit split;
    double seconds = 0;
  };

  void findOrders(GroupOp group);
  void findContraction();
  FactorWay getWay(unsigned operand) const;
  void findRun(GroupOp group);
  /// The points of the dimensions that `numRun` counts.
  int64_t getRunPoints() const;
  int64_t getWidestVector() const;
  /// Whether threads should share the sums of an element.
  bool isWorthSharing() const;
  bool isWorthColumns() const;
  GpuSchedule getPointDefault() const;
  GpuSchedule getReduceDefault() const;
  LogicalResult verifyShares(const GpuSchedule &schedule,
                             function_ref<InFlightDiagnostic()> emitError) const;
  LogicalResult verifyTile(const GpuSchedule &schedule,
                           function_ref<InFlightDiagnostic()> emitError) const;
  LogicalResult verifyRegisters(const GpuSchedule &schedule,
                                function_ref<InFlightDiagnostic()> emitError) const;
  bool hasWholeWindows(const GpuSchedule &schedule) const;
  LogicalResult verifyWarps(const GpuSchedule &schedule,
                            function_ref<InFlightDiagnostic()> emitError) const;
  /// Schedules of a contraction with that instruction, one for each tile that is tried, where the
  /// depth is in `parts` parts.
  SmallVector<GpuSchedule> getTiles(StringRef instruction, int64_t parts) const;
  /// What the tiles of a contraction in `parts` parts take, and what adding the parts up does.
  double getProductSeconds(const GpuSchedule &schedule, int64_t parts) const;
  double getAddingSeconds(int64_t parts) const;
  double getThreadSeconds() const;
  double getEpilogueSeconds() const;
  double getWaitingSeconds(const Product &product) const;
  double getPoolClocks(const GpuSchedule &schedule) const;
  Product chooseProduct(double precision, std::string &reason) const;
  DepthSplit chooseSumSplit(std::string &reason) const;
  /// The fastest instruction whose error is below the bound.
  StringRef chooseInstruction(double precision) const;
  std::string getProductText(const GpuSchedule &schedule) const;

  GroupInfo info;
  SmallVector<int64_t> space, factors;
  SmallVector<unsigned> order, reducedOrder;
  int64_t numResults = 1, numReduced = 1;
  unsigned numRun = 0;
  /// Whether all that is read along reduced dimensions is read neighbour by neighbour.
  bool readsRows = false;
  /// Whether the largest input is read neighbour by neighbour along the result, not along reduced
  /// dimensions.
  bool readsColumns = false;
  int64_t capability = 75;
  std::optional<Contraction> contraction;
  FactorWay rowWay, columnWay;
  std::string whyNoContraction;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_GPUSCHEDULE_H
