//===- Schedules.h - Legal schedules of a group, and the cheapest one ------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_SCHEDULES_H
#define CNNC_COMPILER_SCHEDULE_SCHEDULES_H

#include "compiler/schedule/GroupInfo.h"
#include "compiler/schedule/Machine.h"
#include "compiler/schedule/WeightGrad.h"

#include <optional>
#include <random>

namespace mlir::cnn {

/// How the consecutive elements of a vector lie in a tensor.
enum class Stride { Unit, Zero, Strided };

/// A schedule in plain numbers; see `#cnn.nest`.
struct NestSchedule {
  std::string algorithm;
  int64_t vector = 0;
  SmallVector<int64_t> tile, order;
  int64_t chunk = 0, collapse = 1;

  static NestSchedule get(NestScheduleAttr attr);
  NestScheduleAttr toAttr(MLIRContext *context) const;
};

/// The schedules of one inner group on one machine.
class ScheduleSpace {
public:
  /// `sliced`: the group is a member of an outer group and runs on one slice at a time.
  static FailureOr<ScheduleSpace> get(GroupOp group, const Machine &machine, bool sliced);

  using EmitError = function_ref<InFlightDiagnostic()>;
  /// Checks a schedule; the error names what is wrong and what is allowed.
  LogicalResult verify(const NestSchedule &schedule, EmitError emitError) const;
  /// Elements of the group's widest type in one vector.
  static int64_t getLanes(GroupOp group, const Machine &machine);
  /// The cheapest schedule by the cost model, and why.
  NestSchedule choose(std::string &reason) const;
  /// Cycles that the cost model expects of one core for the whole group.
  double getCycles(const NestSchedule &schedule) const;
  /// How often an element of input `argument` is loaded.
  double countReads(const NestSchedule &schedule, unsigned argument) const;
  /// A random legal schedule.
  NestSchedule chooseRandom(std::mt19937_64 &random) const;

  const GroupInfo &getInfo() const { return info; }
  int64_t getLanes() const { return lanes; }
  /// Extent of a dimension in tiles of one element: vectors for the vector dimension.
  int64_t getUnits(unsigned dim, int64_t vector) const;
  /// Whether every step along a parallel dimension is code of its own: it counts remainders of an
  /// index that a reduced dimension counts in steps, and some lie outside of their operand.
  bool isPhase(unsigned dim) const { return phases[dim]; }
  /// Register tiles along a dimension.
  int64_t getSteps(const NestSchedule &schedule, int64_t dim) const;
  /// Work items of a kernel of its own.
  int64_t getNumItems(const NestSchedule &schedule) const;
  /// Bytes of scratch memory that the kernel takes for itself.
  int64_t getScratchBytes(const NestSchedule &schedule) const;
  /// How many elements ahead of its use to ask for an operand of type `type`, read at `forms`; 0
  /// where the processor sees by itself what comes. `isEdge(dim)`: whether the load stands at the
  /// first or the last point of all unrolled reduced dimensions but `dim`.
  int64_t getPrefetch(const NestSchedule &schedule, ArrayRef<LinearForm> forms,
                      RankedTensorType type, function_ref<bool(int64_t)> isEdge) const;
  /// Rows along the reduced dimension whose elements all lanes share, one behind the other in
  /// memory: `count` of them in a tile. The next tile's are `ahead` elements behind these; a line
  /// of the caches holds `perLine` elements.
  struct SharedRows {
    int64_t count = 1, perLine = 1, ahead = 0;
  };
  /// The rows of an operand of a product, of type `type` and read at `forms`, that come from beyond
  /// the second cache as fast as they are used; none where they do not.
  std::optional<SharedRows> getSharedRows(const NestSchedule &schedule, ArrayRef<LinearForm> forms,
                                          RankedTensorType type) const;
  /// Where the anchor is a weight's gradient by Winograd's algorithm, its sizes.
  const std::optional<WeightGradSpace> &getWeightGrad() const { return weightGrad; }
  /// Sets the form of the anchor that the algorithm asks for.
  static void applyAlgorithm(GroupOp group, StringRef algorithm);
  /// Why the anchor's group cannot take the form `algorithm`; empty where it can.
  static std::string whyNotForm(GroupOp group, StringRef algorithm);
  /// Sets the cheaper form of the anchor, where it has several, and tells why.
  static std::string chooseForm(GroupOp group);
  /// The algorithm that the anchor stands for as it is.
  static std::string getForm(Operation *anchor);

private:
  struct TensorAccess {
    SmallVector<LinearForm> forms;
    RankedTensorType type;
    bool pooled;
    bool store;
    /// Set by setStrides.
    LayoutAttr layout = {};
    /// Bytes from one element of each dimension of the nest to the next, and from one vector to the
    /// next if vectors run along that dimension.
    SmallVector<int64_t> strides = {}, vectorStrides = {};
  };
  struct Cost {
    /// With what is fetched, and without.
    double cycles = 0, computing = 0;
    int64_t accumulators = 0;
    double loads = 0;
  };
  /// How the first cache gets what a tile reads of an operand: the share of its sets, and how much
  /// longer it takes than for one stream.
  struct Delivery {
    double shareOfSets = 1, times = 1;
  };
  struct Candidate {
    NestSchedule schedule;
    Cost cost;
  };

  /// Points that may be unrolled into one loop body, and the operations this may make: an element
  /// of a strided vector is one of its own.
  static constexpr int64_t maxUnrolled = 256, maxOperations = 1536;

  LogicalResult verifyWeightGrad(const NestSchedule &schedule, EmitError emitError) const;
  LogicalResult verifyOrder(const NestSchedule &schedule, EmitError emitError) const;
  LogicalResult verifyTile(const NestSchedule &schedule, EmitError emitError) const;
  LogicalResult verifyVectors(const NestSchedule &schedule, EmitError emitError) const;
  LogicalResult verifySlice(const NestSchedule &schedule, EmitError emitError) const;
  LogicalResult verifyBlocks(const NestSchedule &schedule, EmitError emitError) const;
  LogicalResult verifyItems(const NestSchedule &schedule, EmitError emitError) const;
  Stride classify(const TensorAccess &access, int64_t vector) const;
  static void setStrides(TensorAccess &access, unsigned numDims, int64_t lanes);
  int64_t getPlaces(const NestSchedule &schedule) const;
  /// Whether one dimension is summed over, as in products of matrices.
  bool isProduct() const {
    return info.nest.getNumDims() == info.nest.numParallel + 1 && !info.nest.scatter;
  }
  bool readsAlong(const NestSchedule &schedule, unsigned dim) const;
  Delivery getDelivery(const TensorAccess &access, const NestSchedule &schedule) const;
  int64_t getOperations(const NestSchedule &schedule) const;
  bool ownsResults(int64_t dim, int64_t vector) const;
  bool mayCollapse(ArrayRef<int64_t> order) const;
  bool storesInOrder(const NestSchedule &schedule) const;
  NestSchedule getWeightGradSchedule(const WeightGradStep &step) const;
  double getBytes(const TensorAccess &access, const NestSchedule &schedule,
                  function_ref<bool(int64_t)> whole) const;
  double getTileTraffic(const NestSchedule &schedule) const;
  double getTraffic(const NestSchedule &schedule, double capacity,
                    function_ref<double(const TensorAccess &)> weight) const;
  double getTrafficToFirst(const NestSchedule &schedule) const;
  double getTraffic(const NestSchedule &schedule) const;
  static double addUp(double computing, double toFirst, double toSecond);
  int64_t getPoints(const NestSchedule &schedule) const;
  bool isLegal(const NestSchedule &schedule) const;
  Cost estimate(const NestSchedule &schedule) const;
  /// Of the points of one tile: vectors loaded and cycles for each, the vectors of that operand
  /// which has the fewest, and whether windows overlap so much that vectors wait in registers for
  /// their next use.
  struct TileCost {
    double loads = 0, perPoint = 0;
    int64_t fewest = 64;
    bool slides = false;
  };
  TileCost estimateTile(const NestSchedule &schedule) const;
  double getShareInside(const NestSchedule &schedule) const;
  Cost estimateTransforms(const NestSchedule &schedule, double outputs) const;
  void setUnroll(NestSchedule &schedule) const;
  /// Bytes from one unit of a dimension to the next.
  static int64_t getStep(const NestSchedule &schedule, const TensorAccess &access, int64_t dim) {
    return dim == schedule.vector ? access.vectorStrides[dim] : access.strides[dim];
  }
  /// Whether the second cache does not hold a tensor.
  bool isBeyondSecond(RankedTensorType type) const;
  std::pair<int64_t, int64_t> getExtent(const NestSchedule &schedule,
                                        const TensorAccess &access) const;
  bool findPhase(unsigned dim) const;
  bool jumps(const NestSchedule &schedule) const;
  int64_t getNextTile(const NestSchedule &schedule, const TensorAccess &access) const;
  double countStoreRuns(const NestSchedule &schedule) const;
  void setOrder(NestSchedule &schedule, double computing) const;
  void enumerateTiles(NestSchedule &schedule, unsigned dim, int64_t accumulators,
                      SmallVectorImpl<Candidate> &candidates) const;

  GroupInfo info;
  Machine machine;
  SmallVector<TensorAccess> accesses;
  SmallVector<int64_t> factors;
  SmallVector<bool> phases;
  std::optional<WeightGradSpace> weightGrad;
  int64_t lanes = 1;
  bool sliced = false;
  /// Images of one slice, where an outer group tells.
  int64_t sliceBlock = 0;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_SCHEDULES_H
