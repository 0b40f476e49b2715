//===- CnnPartialOps.td - Sums in several parts -------------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_PARTIAL_OPS_TD
#define CNNC_DIALECT_CNN_PARTIAL_OPS_TD

include "dialect/CnnStructureOps.td"

def Cnn_PartialSumsOp : Cnn_Op<"partial_sums", [Pure, IsolatedFromAbove, SingleBlock,
    DeclareOpInterfaceMethods<NestOpInterface>]> {
  let summary = "the sums of an operation, each in several parts";
  let description = [{
    The region holds one operation that adds up products or elements. Its reduced dimension `dim` (a number
    among all dimensions of its nest) is cut into `parts` equal parts, each with sums of its own, which stand
    one behind the other in a new first dimension of the result. Schedules make it where whole sums are too
    few to keep a processor busy; a `cnn.reduce_sum` adds the parts up.

    ```mlir
    %s = cnn.partial_sums %x dim 1 parts 8 : (tensor<64x512xf32>) -> tensor<8x64xf32> {
    ^bb0(%a: tensor<64x512xf32>):
      %y = cnn.reduce_sum %a dims [1] : tensor<64x512xf32> -> tensor<64xf32>
      cnn.yield %y : tensor<64xf32>
    }
    ```

    Constraints:
    - C1: the region's arguments have the operands' shapes, and it yields what its only operation gives.
    - C2: the operation adds up (`addsUp`).
    - C3: `dim` is one of its reduced dimensions, and `parts` divides its extent.
    - C4: the result has the shape of the operation's behind `parts`.
  }];
  let arguments = (ins Variadic<Cnn_Tensor>:$inputs, I64Attr:$dim, I64Attr:$parts);
  let results = (outs Cnn_FloatTensor:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $inputs `dim` $dim `parts` $parts attr-dict `:` functional-type($inputs, $result) $body
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The operation whose sums these are.
    NestOpInterface getWhole();
    /// Whether the only result of `op` is a sum, from zero, of what each point adds, in any order.
    static bool addsUp(NestOpInterface op);
  }];
}

#endif // CNNC_DIALECT_CNN_PARTIAL_OPS_TD
