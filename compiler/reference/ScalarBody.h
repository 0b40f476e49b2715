// Scalar bodies of operations, interpreted: `arith` and `math` operations on single numbers become
// a list of instructions over numbered registers, all in double and 64-bit integers.
#ifndef CNNC_COMPILER_REFERENCE_SCALARBODY_H
#define CNNC_COMPILER_REFERENCE_SCALARBODY_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

#include <cstdint>
#include <vector>

namespace cnn {

/// A register: which member counts follows from the type of the value.
struct Scalar {
  double number = 0;
  int64_t integer = 0;
};

/// The operations of one block as instructions.
class ScalarBody {
public:
  /// Translates `block`, whose values of interest are `results`. Fails with an error at an
  /// operation that is no scalar arithmetic.
  static mlir::FailureOr<ScalarBody> create(mlir::Block &block, mlir::ValueRange results);

  /// Computes the results from the block's arguments.
  void run(llvm::ArrayRef<Scalar> arguments, llvm::MutableArrayRef<Scalar> results);

private:
  struct Instruction {
    using Function = void (*)(const Scalar *, const unsigned *operands, Scalar &result);
    Function function;
    unsigned operands[3];
    unsigned result;
    unsigned bits; // of an integer result: it wraps around at this width
  };
  mlir::LogicalResult add(mlir::Operation *op);
  /// Appends what computes result number `result` of `op`.
  void add(mlir::Operation *op, unsigned result, Instruction::Function function);
  unsigned registerOf(mlir::Value value);

  llvm::DenseMap<mlir::Value, unsigned> numbers; // while it is translated
  std::vector<Scalar> registers;
  std::vector<Instruction> instructions;
  std::vector<unsigned> results;
  unsigned arguments = 0;
};

} // namespace cnn

#endif // CNNC_COMPILER_REFERENCE_SCALARBODY_H
