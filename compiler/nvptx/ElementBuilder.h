//===- ElementBuilder.h - The values of a group at one point ---------------------------------===//
//
// What all kernels of a GPU have in common: loads and stores of elements with the checks that the
// ranges of their indices leave, and the group's operations, computed by one thread for one element
// from their nests and bodies (dialect/Nest.h).
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_ELEMENTBUILDER_H
#define CNNC_COMPILER_NVPTX_ELEMENTBUILDER_H

#include "compiler/nvptx/RangedIndices.h"
#include "compiler/schedule/GpuSchedule.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

#include <map>
#include <tuple>

namespace mlir::cnn {

class ElementBuilder : public RangedIndices {
public:
  /// The memory of an input or result, as one dimension, and the bytes that it is aligned to.
  struct Buffer {
    Value memory;
    int64_t alignment;
  };

  /// Builds where `at` does. `buffers` are those of the group's inputs and results; `block` is the
  /// number of the block among those of the group, null where the grid has no others.
  ElementBuilder(const OpBuilder &at, GroupOp group, const GpuScheduleSpace &space,
                 ArrayRef<Buffer> buffers, Value block);

  const GpuScheduleSpace &space;
  const GroupInfo &info;
  const Nest &nest;

  //===--- Places ----------------------------------------------------------------------------===//

  /// The number of the thread in its block, and of the block among those of the group.
  Index getThread(int64_t block);
  Index getBlock(int64_t blocks);
  /// How many points the dimensions `of` of the nest have.
  int64_t getExtent(ArrayRef<unsigned> of) const;
  /// The values of the dimensions `of` of the nest, of which `number` counts the points.
  void place(SmallVectorImpl<Index> &dims, ArrayRef<unsigned> of, Index number);
  /// The same where `number` counts windows of the extents `windows`, and `within` the points of
  /// one.
  void place(SmallVectorImpl<Index> &dims, ArrayRef<unsigned> of, ArrayRef<int64_t> windows,
             Index number, Index within);
  //===--- Control flow ----------------------------------------------------------------------===//

  /// Runs `body` for 0 to `size` - 1 with values carried from one to the next.
  SmallVector<Value> loop(int64_t size, ArrayRef<Value> values,
                          function_ref<SmallVector<Value>(Index, ArrayRef<Value>)> body);
  /// The same for all points of a space of extents `sizes`, the last dimension innermost.
  SmallVector<Value> loops(ArrayRef<int64_t> sizes, ArrayRef<Value> values,
                           function_ref<SmallVector<Value>(ArrayRef<Index>, ArrayRef<Value>)> body);
  /// Runs `body` where the condition holds, which null always does.
  void guarded(Value condition, function_ref<void()> body);
  /// What `body` gives where the condition holds, which null always does, else zeros.
  SmallVector<Value> select(Value condition, function_ref<SmallVector<Value>()> body);

  //===--- Values ----------------------------------------------------------------------------===//

  /// `value` of the group at the logical indices `at`: what `bind` has set, else loaded, or
  /// computed from what it is computed from. `padding` where the indices lie outside.
  Value evaluate(Value value, ArrayRef<Index> at, double padding);
  GroupOp getGroup() const { return group; }
  /// The buffer of an input, and the number of an element in it; 0 where `inside`, to which the
  /// condition is added that the indices are inside of the input, does not hold.
  Value getInput(unsigned argument) const { return inputs[argument].memory; }
  Value getNumber(unsigned argument, ArrayRef<Index> at, Value &inside);
  /// What the anchor gives at a point of its parallel dimensions, before anything follows.
  SmallVector<Value> computeAnchor(ArrayRef<Index> parallel);
  /// The accumulators that the anchor starts from at that point; where `shared`, several threads
  /// start, and its initial operand is left out.
  SmallVector<Value> startAnchor(ArrayRef<Index> parallel, bool shared);
  /// One step of the anchor's reduction, or its body where nothing is reduced.
  SmallVector<Value> stepAnchor(ArrayRef<Index> dims, ValueRange accumulators);
  SmallVector<Value> finishAnchor(ArrayRef<Index> parallel, ValueRange accumulators);
  /// What a pooling reads as operand `number` at the point `dims` of its nest `window`: results of
  /// other operations as they are at the current point, inputs where its maps say.
  Value readPool(NestOpInterface pool, const Nest &window, unsigned number, ArrayRef<Index> dims);
  /// The accumulators that a pooling starts from, one step of it, and what they become.
  SmallVector<Value> startPool(NestOpInterface pool);
  SmallVector<Value> stepPool(NestOpInterface pool, ArrayRef<Index> dims, ValueRange operands,
                              ValueRange accumulators);
  SmallVector<Value> finishPool(NestOpInterface pool, ArrayRef<Index> dims,
                                ValueRange accumulators);
  /// Two partial results of a nest in one, as its `combine` says.
  Value combine(const Nest &of, Value lhs, Value rhs);
  /// The value of another thread of the warp: of the one whose number differs in the bits `by`
  /// (XOR), or of number `by` (IDX).
  Value shuffle(Value value, Value by, gpu::ShuffleMode mode);
  /// Says what the results of `op`, or a value, are at the current point, until `unbind`.
  void bind(Operation *op, ValueRange results);
  void bind(Value value, Value result) { known[value] = result; }
  void unbind() { known.clear(); }
  /// Computes the pointwise operations `ops` at the indices `at`.
  void follow(ArrayRef<Operation *> ops, ArrayRef<Index> at);
  /// Stores what the group yields of the results of `ops` at the indices `at`.
  void store(llvm::function_ref<bool(Operation *)> isMeant, ArrayRef<Index> at);
  /// The bytes that the memory of input `argument` is aligned to.
  int64_t getAlignment(unsigned argument) const { return inputs[argument].alignment; }

  //===--- Several elements of one thread ----------------------------------------------------===//

  /// Runs `body` once for each of `lanes` elements that one thread has. Of elements that are
  /// neighbours in memory, and aligned to `lanes` of them, loads and stores become one access;
  /// stores come after all loads.
  void forLanes(int64_t lanes, function_ref<void(int64_t)> body);

private:
  /// A store that waits for those of the other lanes.
  struct Store {
    unsigned output;
    Index address;
    Value value;
  };
  Index toAddress(RankedTensorType type, ArrayRef<Index> logical);
  Value toIndex(Value address);
  Value load(unsigned argument, ArrayRef<Index> at, double padding);
  bool isAligned(const Buffer &buffer, const Index &address) const;
  Value loadLane(unsigned argument, const Index &address);
  void flush();
  Value getPadding(Type type, double padding);

  GroupOp group;
  SmallVector<Buffer> inputs, outputs;
  Value ownBlock;
  llvm::DenseMap<Value, Value> known;

  Block *laneBlock = nullptr;
  std::vector<Store> stores;
  /// Vectors that were loaded, by block, input, base of the address and first shift.
  std::map<std::tuple<Block *, unsigned, void *, int64_t>, Value> loaded;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_NVPTX_ELEMENTBUILDER_H
