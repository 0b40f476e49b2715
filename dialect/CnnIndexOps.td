//===- CnnIndexOps.td - Functions by index, and literals ----------------------------------------===//

#ifndef CNNC_DIALECT_CNN_INDEX_OPS_TD
#define CNNC_DIALECT_CNN_INDEX_OPS_TD

include "dialect/CnnPointwiseOps.td"

def Cnn_GenericOp : Cnn_Op<"generic", [Pure, IsolatedFromAbove, SingleBlock,
    DeclareOpInterfaceMethods<NestOpInterface, ["buildInit"]>, Cnn_Backward]> {
  let summary = "a function by index";
  let description = [{
    A loop nest that says what it computes: `sizes` are the extents of its dimensions, of which the first
    `parallel` are kept and the others reduced (`reduction` is `none`, `sum` or `max`), `maps` gives for each
    operand, and last for the result, the indices in terms of the dimensions. The region computes the term of
    one point from the operands' elements and the indices (as i32). An index outside of an operand reads 0.

    The function `corr2d` of the books, without a batch:

    ```mlir
    %y = cnn.generic %x, %k sizes [2, 2, 2, 2] parallel 2 reduction sum
        maps [affine_map<(i, j, a, b) -> (i + a, j + b)>, affine_map<(i, j, a, b) -> (a, b)>,
              affine_map<(i, j, a, b) -> (i, j)>]
        : (tensor<3x3xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> {
    ^bb0(%u: f32, %v: f32, %i: i32, %j: i32, %a: i32, %b: i32):
      %p = arith.mulf %u, %v : f32
      cnn.term %p : f32
    }
    ```

    With `scatter` the result starts from zero, and every point of the kept dimensions adds to the element that
    the last map names; what falls outside is dropped. Gradients are of that form, or sums where each element
    of the operand is read at one point of the kept dimensions.

    A maximum may give a second result: the position, in row-major order of the reduced dimensions, of the
    first element that is as large as the largest (the first NaN, if there is one). The gradient of a maximum
    goes to that element alone, as with `cnn.max_pool`.

    Constraints:
    - C1: there is a map for every operand and one for the result, each over all dimensions, with as many
      linear results (sums of dimensions times constants) as the tensor has dimensions.
    - C2: `sizes` are positive, `parallel` is at most their number, and the result's map uses kept
      dimensions only.
    - C3: `reduction` is `none` exactly where all dimensions are kept; the result of a reduction or a scatter
      is of a float type.
    - C4: without `scatter` the result's map is the identity on the kept dimensions, whose sizes are the result's shape.
    - C5: only a maximum that does not scatter has positions; they are i32 of the result's shape.
    - C6: the region takes an element of each operand and an i32 for each dimension, consists of elementwise
      operations on scalars and constants, and gives an element of the result.
  }];
  let arguments = (ins Variadic<Cnn_Tensor>:$inputs, DenseI64ArrayAttr:$sizes, I64Attr:$parallel,
                       StrAttr:$reduction, AffineMapArrayAttr:$maps,
                       DefaultValuedAttr<BoolAttr, "false">:$scatter);
  let results = (outs Cnn_Tensor:$result, Optional<Cnn_IntTensor>:$positions);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    ($inputs^)? `sizes` $sizes `parallel` $parallel `reduction` custom<Keyword>($reduction) `maps` $maps
    attr-dict `:` functional-type(operands, results) $body
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// Functions of tensors that are built as functions by index.
    static std::vector<::mlir::cnn::LayerDef> getLayers();
    AffineMap getInputMap(unsigned input);
    AffineMap getResultMap();
    TermOp getTerm();
    /// Builds the operation with its region; `build` gets the elements of the inputs and the indices.
    static GenericOp make(OpBuilder &builder, Location loc, RankedTensorType result, ValueRange inputs,
                           ArrayRef<int64_t> sizes, int64_t parallel, StringRef reduction,
                           ArrayRef<AffineMap> maps, bool scatter, bool positions,
                           llvm::function_ref<Value(OpBuilder &, ValueRange, ValueRange)> build);
  }];
}

def Cnn_TermOp : Cnn_Op<"term", [Pure, Terminator, HasParent<"GenericOp">]> {
  let summary = "ends the region of a function by index";
  let arguments = (ins AnyTypeOf<[F32, F64, I32]>:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Cnn_LiteralOp : Cnn_Op<"literal", [Pure, InferTypeOpAdaptor]> {
  let summary = "a tensor whose numbers are written down";
  let description = [{
    Its data lies in the object, among the constants.

    ```mlir
    %k = cnn.literal dense<[[0.0, 1.0], [2.0, 3.0]]> : tensor<2x2xf32>
    ```

    Constraints:
    - C1: the value has the type of the result, with no layout.
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Cnn_Tensor:$result);
  let assemblyFormat = "$value attr-dict";
  let hasVerifier = 1;
}

#endif // CNNC_DIALECT_CNN_INDEX_OPS_TD
