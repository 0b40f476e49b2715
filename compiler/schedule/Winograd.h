//===- Winograd.h - Winograd's algorithm in place of a convolution ---------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_WINOGRAD_H
#define CNNC_COMPILER_SCHEDULE_WINOGRAD_H

#include "compiler/schedule/GroupInfo.h"
#include "compiler/schedule/Machine.h"
#include "compiler/schedule/Prepare.h"
#include "dialect/Winograd.h"

#include <optional>
#include <string>

namespace mlir::cnn {

/// How Winograd's algorithm computes a convolution: tiles of `tile` x `tile` outputs, gathered in
/// `blocks` (rows, columns) of `inBlock` tiles each.
struct WinogradPlan {
  int64_t tile = 0;
  int64_t blocks[2] = {1, 1};
  int64_t inBlock[2] = {1, 1};
  /// Estimated cycles of one core for the whole batch.
  double cycles = 0;
  std::string reason;
};

/// A convolution, or the gradient of its input, as Winograd's algorithm sees it.
class WinogradCandidate {
public:
  /// None where the group's anchor is another operation. Weights among `prepared` are transformed
  /// at no cost to the entry point.
  static std::optional<WinogradCandidate>
  get(GroupOp group, const GroupInfo &info, const PreparedValues &prepared, const Machine &machine);
  /// Why tiles of `tile` outputs are not possible; empty where they are.
  std::string whyNot(int64_t tile) const;
  /// The relative error that is to be expected of such tiles.
  double getError(int64_t tile) const;
  /// Whether that is much above the error of other tiles.
  bool isCoarse(int64_t tile) const { return getForm(tile).isCoarse(); }
  /// The cheapest plan with such tiles. `inBlock`, if given, fixes the tiles of a block.
  WinogradPlan plan(int64_t tile, ArrayRef<int64_t> inBlock = {}) const;
  /// Whether the plan is worth while; if not, why.
  bool isFaster(const WinogradPlan &plan, std::string &reason) const;
  /// Replaces the group. Its results and its name go to the group of the last part.
  void rewrite(const WinogradPlan &plan);

private:
  WinogradForm getForm(int64_t tile) const { return {tile, stride, turned, taps}; }
  /// Products for each pair of channels and tile.
  int64_t countPoints(int64_t tile) const {
    return getForm(tile).getPoints() * getForm(tile).getPoints();
  }
  /// The weight as the group gets it, before it is copied for the direct algorithm; it must be an
  /// input of the group.
  Value getWeightSource() const;
  /// Whether the gradient of an input reads the weights that the convolution has transformed, by
  /// columns. Where these are large, it has its own: by columns they meet few sets of the first
  /// cache, which takes twice the time with 512 channels, and they would be kept from the forward
  /// pass.
  bool readsTransposed(int64_t tile) const;
  /// The transformed weights for such tiles.
  RankedTensorType getWeightsType(int64_t tile) const;
  /// The group in front that transforms the same weights for such tiles (the convolution's, where
  /// this is the gradient of its input); null if there is none.
  GroupOp findWeights(int64_t tile) const;
  double getDirectStridedCycles() const;
  double getDirectChannelCycles() const;
  double getChannelCycles(const WinogradPlan &plan) const;
  double getCycles(const WinogradPlan &plan) const;

  GroupOp group;
  Operation *anchor = nullptr;
  const Machine *machine = nullptr;
  Value input, weight, bias;
  RankedTensorType result;
  bool turned = false, isPrepared = false;
  std::string shapeProblem;
  SmallVector<int64_t> poolFactors;
  int64_t padding[2] = {0, 0}, stride = 1, taps = 3;
  int64_t batch = 0, channels = 0, outputs = 0;
  /// Estimated cycles of one core for the direct algorithm.
  double directCycles = 0;
  /// Images that lie in one vector, and channels; 1 in plain layouts.
  int64_t block = 1, channelBlock = 1;
  /// Whether the input has its channels in blocks.
  bool isInputBlocked = false;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_WINOGRAD_H
