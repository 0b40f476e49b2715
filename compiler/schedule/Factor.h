//===- Factor.h - What a factor of a product is computed from --------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_FACTOR_H
#define CNNC_COMPILER_SCHEDULE_FACTOR_H

#include "compiler/schedule/GroupInfo.h"

namespace mlir::cnn {

/// A factor of a product: an input of the group, or what pointwise operations make of some.
struct Factor {
  /// An input that is read for it.
  struct Input {
    BlockArgument argument;
    /// Its indices in terms of those of the factor.
    SmallVector<LinearForm> forms;
    /// Whether it has an element for each of the factor. Others, such as a number for each channel,
    /// are few.
    bool isLarge;
    /// Whether neighbours read the same element; `isContiguous` finds it out.
    bool isEven = false;
  };

  Value value;
  /// The operations that compute it, in order; none of what is read as it is.
  SmallVector<NestOpInterface> ops;
  SmallVector<Input> inputs;
  /// The indices that bodies of `ops` compute with, in terms of those of the factor.
  SmallVector<LinearForm> indices;
  /// Whether each input is read at one place for an element, which lies inside of it where the
  /// element lies inside of the factor.
  bool isRegular = true;

  static Factor get(Value value);

  /// Elements of an access to neighbours: 16 bytes of f32.
  static constexpr int64_t wide = 4;
  /// Whether every `wide` neighbours, from a multiple of as many on, of the points that the
  /// dimensions `along` of the nest number lie inside of the factor, or outside, together; and side
  /// by side from a multiple of 16 bytes on in each input that they read different elements of.
  /// The factor is operand `operand` of the group's anchor; `getAlignment` gives the bytes that the
  /// memory of an input is aligned to.
  bool isContiguous(const GroupInfo &info, unsigned operand, ArrayRef<unsigned> along,
                    function_ref<int64_t(unsigned)> getAlignment);

  bool isComputed() const { return !ops.empty(); }
  int64_t getNumLarge() const {
    return llvm::count_if(inputs, [](const Input &input) { return input.isLarge; });
  }
  /// Whether a product with that nest loads what the factor is computed from and computes it in two
  /// steps; else it does both at once.
  bool isInSteps(const Nest &nest) const { return isComputed() && isRegular && nest.padding == 0; }
  /// The values that are loaded ahead for each element, which wait in registers.
  int64_t getNumLoaded(const Nest &nest) const { return isInSteps(nest) ? getNumLarge() : 1; }
};

/// Calls `visit` for each operation of the body of `op`, on single elements. `usedDims`: the
/// dimensions of its nest whose indices it computes with.
void visitBody(NestOpInterface op, function_ref<void(Operation &)> visit,
               SmallVectorImpl<unsigned> *usedDims = nullptr);

/// The operations that the body of `op` has, constants aside, which are instructions for each
/// element. `usedDims` as above.
int64_t countBody(NestOpInterface op, SmallVectorImpl<unsigned> *usedDims = nullptr);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_FACTOR_H
