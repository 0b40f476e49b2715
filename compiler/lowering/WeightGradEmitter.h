//===- WeightGradEmitter.h - The gradient of a kernel, step by step ------------------------===//

#ifndef CNNC_COMPILER_LOWERING_WEIGHTGRADEMITTER_H
#define CNNC_COMPILER_LOWERING_WEIGHTGRADEMITTER_H

#include "compiler/lowering/IndexBuilder.h"
#include "compiler/schedule/Schedules.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::cnn {

/// Emits the code of a kernel whose group is a weight's gradient computed step by step
/// (schedule/WeightGrad.h), in place of the group. By Winograd's algorithm:
///
///     for each chunk of k and c                       a work item, or all within one slice
///       U = 0
///       for images, for blocks of tiles               steps
///         for 16 channels of c
///           window = x, images and channels turned round, zeros outside
///           V = B' window B                            for each image and tile
///         for 16 channels of k
///           window = dy, turned round;  Z = G window G'
///         for p, q                                     points
///           for k in steps of 6, c in steps of 4 vectors
///             U[p, q, k, c] += sum over t of Z[p, q, t, k] V[p, q, t, c]
///       dw = A U A', and what follows it: an update of the weight
///
/// Without transforms p and q are the kernel's taps, V has the pixels that each meets, and all of
/// them share Z.
class WeightGradEmitter : IndexBuilder {
public:
  WeightGradEmitter(func::FuncOp kernel, GroupOp group, const ScheduleSpace &scheduleSpace,
                    const NestSchedule &schedule, const Machine &machine);
  void emit();

private:
  /// One of the two operands, and what becomes of it.
  struct Source {
    Value value;                ///< an argument of the group, or what a prologue makes of some
    bool ofInput;               ///< else the gradient
    int64_t count;              ///< channels
    int64_t chunk;              ///< channels of a chunk
    SmallVector<double> matrix; ///< empty without transforms
    Value points;               ///< V or Z
  };
  Source getSource(Value operand, bool ofInput);

  /// What the lanes of a vector hold: one channel of a block of images, or channels of one image.
  struct Pixel {
    Value block, whole;          ///< images in vectors: within the current slice, and of the batch
    Value image;                 ///< of the block; null where the lanes are its images
    SmallVector<Value> channels; ///< one, or one for each lane
    Value row, column;
  };
  Value evaluate(Value value, ArrayRef<LinearForm> forms, const Pixel &pixel);
  Value loadLanes(unsigned argument, ArrayRef<LinearForm> forms, const Pixel &pixel);
  Value getIndex(const LinearForm &form, const Pixel &pixel, bool local, int64_t lane);

  void emitChunk(Value slice, Value firstOutput, Value firstChannel);
  void emitTransforms(const Source &source, Value firstChannel, Value block, Value whole,
                      Value firstTile, Value tileRow, Value tileColumn);
  void emitPixel(const Source &source, const Pixel &pixel, Value at);
  SmallVector<Value> turn(SmallVector<Value> rows);
  void emitProducts();
  void emitProduct(Value p, Value q, Value output, int64_t outputs, Value vector, int64_t vectors);
  void emitResult(Value slice, Value firstOutput, Value firstChannel);
  void emitRow(Value output);
  void emitFollowing(ArrayRef<Value> place, Value at, int64_t count);

  Value view(int64_t offset, ArrayRef<int64_t> shape);
  /// Calls `body` with 0, step, ... below `end`: a number, or a value.
  void loop(Value end, int64_t step, function_ref<void(Value)> body);
  void loop(int64_t end, int64_t step, function_ref<void(Value)> body);
  VectorType getTile(ArrayRef<int64_t> extents) const;
  Value load(Value buffer, ArrayRef<Value> indices, ArrayRef<AffineExpr> exprs, VectorType type);
  void store(Value value, Value buffer, ArrayRef<Value> indices, ArrayRef<AffineExpr> exprs,
             bool nontemporal = false);

  GroupOp group;
  ConvWeightGradOp grad;
  const WeightGradSpace &space;
  WeightGradStep step;
  bool sliced, transforms;
  Type element;
  int64_t lanes, registers;
  Source input, gradient;
  Value window, sum, turned, row;
  SmallVector<double> outputMatrix;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_LOWERING_WEIGHTGRADEMITTER_H
