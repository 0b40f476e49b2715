//===- CnnPointwiseOps.td - Operations on single elements ---------------------------------------===//

#ifndef CNNC_DIALECT_CNN_POINTWISE_OPS_TD
#define CNNC_DIALECT_CNN_POINTWISE_OPS_TD

include "dialect/CnnStructureOps.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

/// Result types follow from the operands; a result may also carry a layout. `nestMethods` are those
/// methods of the nest with a default that the operation overrides.
class Cnn_NestOp<string mnemonic, list<Trait> traits = [], list<string> nestMethods = []>
    : Cnn_Op<mnemonic, !listconcat([Pure, DeclareOpInterfaceMethods<NestOpInterface, nestMethods>,
        DeclareOpInterfaceMethods<InferTypeOpInterface, ["inferReturnTypes"]>], traits)> {
  string extraNestDeclaration = "";
  let extraClassDeclaration = !strconcat([{
    /// Layouts are no part of the inferred type: only shape and element type must agree.
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual) {
      return ::mlir::cnn::haveSameShapes(inferred, actual);
    }
  }], extraNestDeclaration);
}

/// An operation with a nest whose result type is given.
class Cnn_TypedNestOp<string mnemonic, list<Trait> traits = []>
    : Cnn_Op<mnemonic, !listconcat([Pure, DeclareOpInterfaceMethods<NestOpInterface>], traits)>;

defvar Cnn_Backward = DeclareOpInterfaceMethods<BackwardOpInterface, ["buildBackward"]>;
defvar Cnn_Decompose = DeclareOpInterfaceMethods<DecomposeOpInterface, ["decompose"]>;

class Cnn_UnaryOp<string mnemonic, string name, string formula, list<Trait> traits = []>
    : Cnn_NestOp<mnemonic, !listconcat([Cnn_Backward], traits)> {
  let summary = name;
  let description = "`" # formula # [{`, element by element. Any shape; f32 or f64.}];
  let arguments = (ins Cnn_FloatTensor:$input);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input `:` type($input) `->` type($result) attr-dict";
}

class Cnn_LayerUnaryOp<string mnemonic, string name, string formula>
    : Cnn_UnaryOp<mnemonic, name, formula> {
  let extraNestDeclaration = "static ::mlir::cnn::LayerDef getLayer();";
}

def Cnn_SigmoidOp : Cnn_LayerUnaryOp<"sigmoid", "the logistic function", "1 / (1 + exp(-x))">;
def Cnn_TanhOp : Cnn_LayerUnaryOp<"tanh", "the hyperbolic tangent", "tanh(x)">;
def Cnn_ReluOp : Cnn_LayerUnaryOp<"relu", "the rectifier", "max(x, 0)">;
def Cnn_ExpOp : Cnn_LayerUnaryOp<"exp", "the exponential function", "exp(x)">;
def Cnn_LogOp : Cnn_LayerUnaryOp<"log", "the natural logarithm", "log(x)">;
def Cnn_NegOp : Cnn_LayerUnaryOp<"neg", "negation", "-x"> {
  let hasFolder = 1;
}

/// Gradients of activations in terms of their result `y`, so that the input need not be kept.
class Cnn_ActivationGradOp<string mnemonic, string formula> : Cnn_NestOp<mnemonic> {
  let summary = "gradient of " # mnemonic;
  let description = "`" # formula # "`, where `y` is the forward result and `dy` its gradient.";
  let arguments = (ins Cnn_FloatTensor:$output, Cnn_FloatTensor:$gradient);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$output `,` $gradient `:` type($output) `,` type($gradient) `->` type($result) attr-dict";
}
def Cnn_SigmoidGradOp : Cnn_ActivationGradOp<"sigmoid_grad", "dy * y * (1 - y)">;
def Cnn_TanhGradOp : Cnn_ActivationGradOp<"tanh_grad", "dy * (1 - y * y)">;
def Cnn_ReluGradOp : Cnn_ActivationGradOp<"relu_grad", "y > 0 ? dy : 0">;

/// An operation on two tensors that are broadcast together.
class Cnn_BroadcastOp<string mnemonic, string name, string formula, string more = "">
    : Cnn_NestOp<mnemonic, [Cnn_Backward]> {
  let summary = name;
  let description = "`" # formula # [{`, element by element, with NumPy's broadcasting: shapes are aligned at
    their last dimensions, and an extent of 1 (or none) is repeated.}] # more # [{

    Constraints:
    - C1: extents that meet are equal, or one of them is 1.
    - C2: both operands have the same element type.}];
  let arguments = (ins Cnn_FloatTensor:$lhs, Cnn_FloatTensor:$rhs);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs `:` type($lhs) `,` type($rhs) `->` type($result) attr-dict";
  let extraNestDeclaration = "static ::mlir::cnn::LayerDef getLayer();";
}

class Cnn_BinaryOp<string mnemonic, string name, string sign>
    : Cnn_BroadcastOp<mnemonic, name, "a " # sign # " b", [{ Adding or subtracting the constant 0 and
    multiplying or dividing by 1 folds away.}]> {
  let hasFolder = 1;
}
def Cnn_AddOp : Cnn_BinaryOp<"add", "addition", "+">;
def Cnn_SubOp : Cnn_BinaryOp<"sub", "subtraction", "-">;
def Cnn_MulOp : Cnn_BinaryOp<"mul", "multiplication", "*">;
def Cnn_DivOp : Cnn_BinaryOp<"div", "division", "/">;

def Cnn_ConstantOp : Cnn_TypedNestOp<"constant", [ConstantLike]> {
  let summary = "one number, in a given shape";
  let description = [{
    Never stored: it is computed where it is used.

    ```mlir
    %half = cnn.constant 5.0e-01 : tensor<1xf32>
    ```
  }];
  let arguments = (ins F64Attr:$value);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$value `:` type($result) attr-dict";
  let hasFolder = 1;
}

def Cnn_OneHotOp : Cnn_TypedNestOp<"one_hot"> {
  let summary = "1 at the label's class, 0 elsewhere";
  let description = [{
    `result[n, k] = labels[n] == k`. Never stored: it is computed where it is used.

    Constraints:
    - C1: `labels` is `[n]` of i32, the result `[n, k]` of a float type.
  }];
  let arguments = (ins Cnn_IntTensor:$labels);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$labels `:` type($labels) `->` type($result) attr-dict";
  let hasVerifier = 1;
}

def Cnn_MaskRowsOp : Cnn_NestOp<"mask_rows", [Cnn_Backward]> {
  let summary = "zeros in the rows of a batch that are not used";
  let description = [{
    `result[n, ...] = n < rows ? input[n, ...] : 0`. What lies in the unused rows of a short batch may be
    anything, also not a number.

    Constraints:
    - C1: `rows` is `tensor<i32>`.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, Cnn_IntTensor:$rows);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input `,` $rows `:` type($input) `,` type($rows) `->` type($result) attr-dict";
  let hasVerifier = 1;
}

def Cnn_AllRowsOp : Cnn_TypedNestOp<"all_rows"> {
  let summary = "how many rows of a batch are used, where that is all of them";
  let description = [{
    `result = count`. Entry points are called with batches that are not full: in these, their argument `rows`
    stands in its place (`cnn-differentiate`).

    ```mlir
    %rows = cnn.all_rows {count = 128 : i64} : tensor<i32>
    ```

    Constraints:
    - C1: `count` is positive, and the result `tensor<i32>`.
  }];
  let arguments = (ins I64Attr:$count);
  let results = (outs Cnn_IntTensor:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Cnn_RowWeightOp : Cnn_TypedNestOp<"row_weight"> {
  let summary = "the weight of each row in a mean over the rows of a batch that are used";
  let description = [{
    `result[n, 0] = n < rows ? 1 / rows : 0`; with `sum`, 1 instead of `1 / rows`.

    Constraints:
    - C1: `rows` is `tensor<i32>`, the result `[n, 1]` of a float type.
  }];
  let arguments = (ins Cnn_IntTensor:$rows, DefaultValuedAttr<BoolAttr, "false">:$sum);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$rows `:` type($rows) `->` type($result) attr-dict";
  let hasVerifier = 1;
}

def Cnn_ConvertLayoutOp : Cnn_TypedNestOp<"convert_layout"> {
  let summary = "the same tensor in another layout";
  let description = [{
    Input and result have the same shape and element type; their encodings differ.

    Constraints:
    - C1: input and result have the same shape and element type.
  }];
  let arguments = (ins Cnn_Tensor:$input);
  let results = (outs Cnn_Tensor:$result);
  let assemblyFormat = "$input `:` type($input) `->` type($result) attr-dict";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Cnn_ReshapeOp : Cnn_Op<"reshape", [Pure, Cnn_Backward]> {
  let summary = "the same elements in another shape";
  let description = [{
    Row-major order of the logical indices is kept. Between groups it costs nothing: it is another view
    of the same buffer.

    Constraints:
    - C1: input and result have the same number of elements and the same element type.
  }];
  let arguments = (ins Cnn_Tensor:$input);
  let results = (outs Cnn_Tensor:$result);
  let assemblyFormat = "$input `:` type($input) `->` type($result) attr-dict";
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDeclaration = "static ::std::vector<::mlir::cnn::LayerDef> getLayers();";
}

#endif // CNNC_DIALECT_CNN_POINTWISE_OPS_TD
