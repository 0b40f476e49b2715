//===- FactorReader.h - How threads read a factor of a product -------------------------------===//
//
// A factor is an input, or what pointwise operations make of some: images that are normalised and
// rectified on the way. What is as large as the factor is loaded well before it is needed; numbers
// of channels and the like, which a multiprocessor has in its own memory, when the factor is
// computed. Neighbours are loaded at once where they lie so.
//
//===----------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_FACTORREADER_H
#define CNNC_COMPILER_NVPTX_FACTORREADER_H

#include "compiler/nvptx/ElementBuilder.h"
#include "compiler/schedule/Factor.h"

namespace mlir::cnn {

/// A pointer to the memory of `buffer` in the address space 3 (shared memory) or 1 (global).
Value getPointer(ImplicitLocOpBuilder &b, Value buffer, unsigned space);

/// The address of an element behind a pointer.
Value getElement(ImplicitLocOpBuilder &b, Value pointer, Type type, Value number);

class FactorReader {
public:
  FactorReader(ElementBuilder &e, unsigned operand);

  /// The input that is read as it is; -1 where something is computed.
  int64_t getArgument() const;
  /// Whether what is loaded and what is computed of it are two steps; else `load` does both.
  bool isInSteps() const { return factor.isInSteps(e.nest); }
  /// Values that `load` gives, without the condition.
  int64_t getNumLoaded() const { return factor.getNumLoaded(e.nest); }
  /// Whether four neighbours of the points that the dimensions `along` of the nest number can be
  /// loaded at once (Factor.h).
  bool isContiguous(ArrayRef<unsigned> along);

  /// Loads what the elements from `at` on need, `width` of them: 1, or four, which have to be
  /// contiguous. Nothing where the condition `inside` does not hold, which null always does.
  SmallVector<Value> load(ArrayRef<Index> at, Value inside, int64_t width);
  /// The elements, a vector where they are several; takes from `loaded` what `load` gave of the
  /// same. Zeros where `inside` does not hold, or the indices lie outside of the factor.
  Value compute(ArrayRef<Index> at, Value inside, int64_t width, ArrayRef<Value> &loaded);

private:
  bool mayBeOutside(ArrayRef<Index> at) const;
  SmallVector<Index> getInside(ArrayRef<Index> at) const;
  Value loadSmall(const Factor::Input &input, ArrayRef<Index> at, int64_t width);

  ElementBuilder &e;
  unsigned operand;
  Factor factor;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_NVPTX_FACTORREADER_H
