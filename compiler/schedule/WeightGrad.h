//===- WeightGrad.h - The gradient of a kernel, step by step -------------------------------===//
//
// Winograd's algorithm F(3, m): the gradient of a kernel's 3 x 3 taps from m x m outputs' gradients
// and the (m + 2) x (m + 2) pixels that they see. With vectors along channels:
//
//   V[p, q, t, c] = B' x    transformed windows of the input; t counts tiles of all images
//   Z[p, q, t, k] = G dy    transformed tiles of the outputs' gradient
//   U[p, q, k, c] += sum over t of Z V
//   dw = A' U               at the end
//
// A chunk of k and c goes through all images, some tiles at a step: V and Z of a point stay in
// the second-level cache, U passes through in order, and only dw leaves the worker.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_WEIGHTGRAD_H
#define CNNC_COMPILER_SCHEDULE_WEIGHTGRAD_H

#include "compiler/schedule/GroupInfo.h"
#include "compiler/schedule/Machine.h"

#include <random>

namespace mlir::cnn {

/// Tiles of one output: steps without transforms.
constexpr int64_t plainTile = 1;

/// What an operand's elements have next to them: pixels in plain layouts.
enum class Innermost { Pixels, Images, Channels };

/// What one step of one chunk takes.
struct WeightGradStep {
  int64_t outputs = 0;   ///< k of a chunk: whole vectors
  int64_t channels = 0;  ///< c of a chunk: whole vectors
  int64_t images = 0;    ///< images of a step
  int64_t tiles[2] = {}; ///< rows and columns of tiles of a step
  double cycles = 0;     ///< of one core for the whole batch, estimated
};

/// Where a worker keeps the values of a step, in bytes from the begin of its scratch memory.
struct WeightGradScratch {
  int64_t window = 0, input = 0, gradient = 0, sum = 0, turned = 0, row = 0, bytes = 0;
};

/// The ways to compute one gradient with tiles of a given size.
class WeightGradSpace {
public:
  /// The algorithm's name: `winograd2` to `winograd4`, or `steps`.
  static std::string getName(int64_t tile);
  /// Why a gradient cannot be computed from tiles of `tile` outputs; empty where it can. `lanes`
  /// are those of the machine's vectors.
  static std::string whyNot(ConvWeightGradOp grad, int64_t tile, int64_t lanes);
  /// Whether what else a group computes of its anchor, a gradient, can be computed where that is
  /// complete: an update reads the elements of other tensors at the same index, or single numbers.
  static bool canFollow(const GroupInfo &info);
  /// `slices` and `tile` may differ from those of `grad`. `sliced`: it runs on one slice of an
  /// outer group at a time.
  WeightGradSpace(ConvWeightGradOp grad, int64_t slices, int64_t tile, int64_t lanes,
                  const Machine &machine, bool sliced);

  /// The cheapest step by the cost model.
  WeightGradStep choose() const;
  WeightGradStep chooseRandom(std::mt19937_64 &random) const;
  /// Cycles of one core for the whole batch in such steps.
  double getCycles(const WeightGradStep &step) const;
  /// Cycles of the direct algorithm.
  double getDirectCycles() const;

  /// A step as the tile of a schedule of the nest (slice, k, c, r, s | n, i, j), c in vectors;
  /// without slices the first entry is missing.
  SmallVector<int64_t> getTile(const WeightGradStep &step) const;
  WeightGradStep getStep(ArrayRef<int64_t> tile) const;
  /// Checks such a tile; the error says what is allowed.
  LogicalResult verify(ArrayRef<int64_t> tile, function_ref<InFlightDiagnostic()> emitError) const;

  int64_t getNumChunks(const WeightGradStep &step, bool ofOutputs) const;
  /// Work items of a kernel of its own: slices times chunks.
  int64_t getNumItems(const WeightGradStep &step) const;
  WeightGradScratch getScratch(const WeightGradStep &step) const;
  /// Outputs between one tile and the next, or pixels of the input.
  int64_t getTileStep(int axis, bool ofInput) const { return tile * (ofInput ? stride[axis] : 1); }
  /// Points that a tile is transformed to.
  int64_t getNumPoints() const { return alpha[0] * alpha[1]; }
  /// Points of the gradient that differ: without transforms, all taps meet the same.
  int64_t getNumGradientPoints() const { return tile == plainTile ? 1 : getNumPoints(); }
  /// Pixels of a step of one image: rows and columns of the window of the input, or of the
  /// gradient's tiles.
  int64_t getExtent(const WeightGradStep &step, int axis, bool ofInput) const;
  /// How often an element of the input, or of the gradient, is read.
  double countReads(const WeightGradStep &step, bool ofInput) const;
  /// Elements between images of the window, padded against conflicts in the cache.
  int64_t getWindowStride(const WeightGradStep &step, bool ofInput) const;
  /// The kernel's taps.
  int64_t getNumTaps() const { return kernel[0] * kernel[1]; }
  /// Whether the input and the gradient lie so.
  bool areBoth(Innermost of) const { return innermost[0] == of && innermost[1] == of; }
  /// Tiles of a step times images.
  int64_t getDepth(const WeightGradStep &step) const;

  int64_t tile, lanes;
  /// Points of a tile, rows and columns.
  int64_t alpha[2];
  int64_t kernel[2], stride[2], dilation[2];
  int64_t slices, batch, channels, outputs;
  /// Whether the result has a dimension of slices.
  bool hasSlices;
  int64_t image[2], result[2], padding[2];
  /// Tiles of an image, rows and columns.
  int64_t tiles[2];
  /// Of the input and of the gradient.
  Innermost innermost[2];
  /// Images that lie in one vector; 1 where none do.
  int64_t block = 1;

private:
  void forEach(function_ref<void(const WeightGradStep &)> visit) const;

  int64_t elementBytes;
  int64_t level1, level2, level3, cores;
  bool sliced;
};

/// The gradient of a convolution's weight, as the choice of algorithms sees it.
class WeightGradCandidate {
public:
  WeightGradCandidate(GroupOp group, ConvWeightGradOp grad, int64_t lanes, const Machine &machine);
  std::string whyNot(int64_t tile);
  /// The relative error that is to be expected of such tiles.
  double getError(int64_t tile);
  struct Plan {
    int64_t tile = 0, slices = 0;
    double cycles = 0;
    std::string reason;
  };
  /// The cheapest plan with such tiles.
  Plan plan(int64_t tile);
  /// Whether the plan is worth while; if not, why.
  bool isFaster(const Plan &plan, std::string &reason);
  void rewrite(const Plan &plan);

private:
  bool moveToReader();

  GroupOp group;
  ConvWeightGradOp grad;
  int64_t lanes;
  const Machine &machine;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_WEIGHTGRAD_H
