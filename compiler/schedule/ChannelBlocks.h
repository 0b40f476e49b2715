//===- ChannelBlocks.h - Images with their channels in blocks of one vector ------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_CHANNELBLOCKS_H
#define CNNC_COMPILER_SCHEDULE_CHANNELBLOCKS_H

#include "compiler/schedule/GroupInfo.h"
#include "compiler/schedule/Machine.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::cnn {

/// A layout with `block` elements (more than 1) of dimension `dim` innermost.
LayoutAttr getBlockedLayout(MLIRContext *context, int64_t rank, int64_t dim, int64_t block);

/// Finds the images of an entry point (tensors [n, c, h, w] with a row for every image) that can
/// lie as [n][c / V][h][w][V]: every group that touches one of them has a dimension along which
/// vectors are whole blocks of each of its images, or one element of it in all lanes.
class ChannelBlocks {
public:
  /// `block`: the lanes V. Unless `always`, channels must fill at least half of their vectors.
  ChannelBlocks(func::FuncOp entry, const Machine &machine, int64_t block, bool always);

  /// Whether the value has its channels in blocks.
  bool contains(Value value) const { return images.contains(value); }
  bool empty() const { return images.empty(); }
  unsigned size() const { return images.size(); }
  /// A copy of an input takes its place.
  void replace(Value argument, Value copy);
  /// The dimension of the nest of `group` that vectors run along; -1 where no image is in blocks.
  int64_t getVector(GroupOp group, const GroupInfo &info) const;
  /// The dimension of an operand, read at `forms`, that has to be in blocks for vectors along
  /// dimension `vector` of the nest to be consecutive; -1 where they are, or where none serves.
  int64_t getBlockedDim(ArrayRef<LinearForm> forms, int64_t vector) const;
  /// Whether the channels of such a tensor fill enough of their vectors.
  bool isWorthwhile(RankedTensorType type) const;

private:
  bool isLegal(GroupOp group, const GroupInfo &info, int64_t vector, bool &any) const;
  bool fits(ArrayRef<LinearForm> forms, int64_t vector, bool store) const;

  int64_t vectorBits, block;
  bool always;
  llvm::DenseSet<Value> images;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_CHANNELBLOCKS_H
