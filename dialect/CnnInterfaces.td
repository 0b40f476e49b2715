//===- CnnInterfaces.td - What an operation tells the compiler about itself ---------------------===//

#ifndef CNNC_DIALECT_CNN_INTERFACES_TD
#define CNNC_DIALECT_CNN_INTERFACES_TD

include "mlir/IR/OpBase.td"

def NestOpInterface : OpInterface<"NestOpInterface"> {
  let cppNamespace = "::mlir::cnn";
  let description = [{
    An operation that is a loop nest: an iteration space, affine maps into its operands and results,
    and a scalar body. Bodies are built from `arith` and `math` operations, which take scalars and
    vectors alike, so one body serves every target and every tile shape.
  }];
  let methods = [
    InterfaceMethod<"The iteration space and the maps.", "::mlir::cnn::Nest", "getNest">,
    InterfaceMethod<[{
      Builds the body for one point (or one tile of points) and returns one value per result: the
      new accumulators where the nest reduces, else the results. `operands` holds one value per
      operand, all of one shape; `accumulators` one per result (empty where nothing is reduced).
      `index(d)` gives the index of dimension `d` as i32 in that shape.
    }], "::llvm::SmallVector<::mlir::Value>", "buildBody",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$operands, "::mlir::ValueRange":$accumulators,
           "::llvm::function_ref<::mlir::Value(unsigned)>":$index)>,
    InterfaceMethod<[{
      Builds the initial accumulators, one per result, each of the type given. Not called where the
      nest has an `initOperand`.
    }], "::llvm::SmallVector<::mlir::Value>", "buildInit",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::llvm::ArrayRef<::mlir::Type>":$types), [{}], [{
        ::llvm::SmallVector<::mlir::Value> zeros;
        for (::mlir::Type type : types)
          zeros.push_back(::mlir::cnn::buildZero(builder, loc, type));
        return zeros;
      }]>,
    InterfaceMethod<[{
      Turns the final accumulators into the results; the identity by default. `index(d)` may be
      asked for dimensions that are not reduced.
    }], "::llvm::SmallVector<::mlir::Value>", "buildFinish",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$accumulators,
           "::llvm::function_ref<::mlir::Value(unsigned)>":$index), [{}], [{
        return ::llvm::SmallVector<::mlir::Value>(accumulators);
      }]>
  ];
}

def BackwardOpInterface : OpInterface<"BackwardOpInterface"> {
  let cppNamespace = "::mlir::cnn";
  let description = [{
    An operation that brings its own gradient. Whatever the backward pass needs of the forward one is
    an operand or a result of the operation.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds the gradients of the operands, given those of the results (null for a result that
      nothing depends on). Returns one value per operand; null where `needed[i]` is false or where
      the operand has no gradient.
    }], "::llvm::SmallVector<::mlir::Value>", "buildBackward",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$resultGradients,
           "::llvm::ArrayRef<bool>":$needed)>
  ];
}

def DecomposeOpInterface : OpInterface<"DecomposeOpInterface"> {
  let cppNamespace = "::mlir::cnn";
  let description = [{
    An operation that is expressed in terms of simpler ones before fusion (losses, updates).
  }];
  let methods = [
    InterfaceMethod<"Builds the replacement and returns one value per result.",
      "::llvm::SmallVector<::mlir::Value>", "decompose", (ins "::mlir::OpBuilder &":$builder)>
  ];
}

def TrainingFormOpInterface : OpInterface<"TrainingFormOpInterface"> {
  let cppNamespace = "::mlir::cnn";
  let description = [{
    An operation that computes something else in the training step than in evaluation and inference:
    it has state that training changes, or draws random numbers.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds what stands in place of the operation in the training step, and returns one value per
      result. `next` has one (null) value per operand: where an operand is read from a running
      statistic, the value that this has after the step goes there.
    }], "::llvm::SmallVector<::mlir::Value>", "buildTrainingForm",
      (ins "::mlir::OpBuilder &":$builder, "const ::mlir::cnn::TrainingStep &":$step,
           "::llvm::MutableArrayRef<::mlir::Value>":$next)>
  ];
}

#endif // CNNC_DIALECT_CNN_INTERFACES_TD
