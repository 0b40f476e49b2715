//===- Pointwise.h - What pointwise operations have in common --------------------------------===//
//
// Nests, result types and layers of operations on single elements, for the files that define such
// operations.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_POINTWISE_H
#define CNNC_DIALECT_POINTWISE_H

#include "dialect/CnnDialect.h"

namespace mlir::cnn {

/// The nest over a result of type `result`: every operand is read at the result's index, aligned at
/// the last dimensions, and repeated where its extent is 1.
Nest getPointwiseNest(RankedTensorType result, ValueRange operands);

/// Two shapes aligned at their last dimensions, extents of 1 repeated; nothing where others differ.
std::optional<Shape> broadcastShapes(ArrayRef<int64_t> a, ArrayRef<int64_t> b);

/// The result type of an operation on two tensors that are broadcast together: one element type
/// (C2), extents that are equal or 1 (C1).
LogicalResult inferBroadcast(std::optional<Location> loc, ValueRange operands,
                             SmallVectorImpl<Type> &types);

/// Sums `gradient` over what was repeated of an operand of type `type`.
Value unbroadcast(OpBuilder &builder, Location loc, Value gradient, RankedTensorType type);

/// The shape of two samples that are broadcast together, as a layer infers it.
FailureOr<LayerShape> inferBroadcastLayer(ArrayRef<Shape> inputs, const LayerArgs &args,
                                          LayerProblem &problem);

/// Batches of samples as operands that are broadcast together: samples of lower rank get extents of
/// 1 behind the batch, which else would meet another dimension. An extent of 1 in place of a batch
/// may meet any.
SmallVector<Value> alignSamples(OpBuilder &builder, Location loc, ValueRange inputs);

/// The layer of an operation that keeps the shape of its one tensor; `build` makes it.
LayerDef
makeUnaryLayer(StringRef name, StringRef doc, SmallVector<LayerArg> args,
               std::function<Value(OpBuilder &, Location, Value, const LayerArgs &)> build);

/// The layer of a function of one tensor, or of two that are broadcast, without hyperparameters.
template <typename Op> LayerDef makeFunction(StringRef name, StringRef doc, unsigned count) {
  LayerDef layer;
  layer.name = layer.stem = name;
  layer.doc = doc;
  layer.numInputs = count;
  layer.isFunction = true;
  layer.mixesBatch = true;
  layer.isElementwise = count == 1;
  layer.infer = inferBroadcastLayer;
  layer.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                   const LayerArgs &) -> Value {
    return Op::create(builder, loc, alignSamples(builder, loc, inputs)).getResult();
  };
  return layer;
}

/// Writes the bodies of operations as formulas over values of one type (a scalar or a vector).
class BodyBuilder {
public:
  BodyBuilder(OpBuilder &builder, Location loc, Value like)
      : b(builder), loc(loc), type(like.getType()) {}

  Value number(double value) { return buildFloat(b, loc, type, value); }
  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value div(Value x, Value y);
  Value neg(Value x);
  Value exp(Value x);
  /// 1 / (1 + exp(-x)).
  Value sigmoid(Value x);
  /// Comparisons are false where an operand is not a number.
  Value isLess(Value x, Value y);
  Value isEqual(Value x, Value y);
  Value select(Value condition, Value yes, Value no);
  /// `x` between two numbers; what is no number stays it.
  Value clamp(Value x, double low, double high);

private:
  OpBuilder &b;
  Location loc;
  Type type;
};

} // namespace mlir::cnn

/// Result type and nest of an operation on elements of one shape: that of its first operand.
#define CNN_POINTWISE_OP(OP)                                                                       \
  LogicalResult OP::inferReturnTypes(MLIRContext *, std::optional<Location>, ValueRange operands,  \
                                     DictionaryAttr, OpaqueProperties, RegionRange,                \
                                     SmallVectorImpl<Type> &types) {                               \
    types.push_back(dropLayout(cast<RankedTensorType>(operands[0].getType())));                    \
    return success();                                                                              \
  }                                                                                                \
  Nest OP::getNest() {                                                                             \
    return getPointwiseNest(cast<RankedTensorType>(getResult().getType()),                         \
                            getOperation()->getOperands());                                        \
  }

/// Result type and nest of an operation on two tensors that are broadcast together.
#define CNN_BROADCAST_OP(OP)                                                                       \
  LogicalResult OP::inferReturnTypes(MLIRContext *, std::optional<Location> loc,                   \
                                     ValueRange operands, DictionaryAttr, OpaqueProperties,        \
                                     RegionRange, SmallVectorImpl<Type> &types) {                  \
    return inferBroadcast(loc, operands, types);                                                   \
  }                                                                                                \
  Nest OP::getNest() {                                                                             \
    return getPointwiseNest(cast<RankedTensorType>(getResult().getType()),                         \
                            getOperation()->getOperands());                                        \
  }

#endif // CNNC_DIALECT_POINTWISE_H
