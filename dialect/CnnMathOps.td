//===- CnnMathOps.td - Functions of numbers, element by element ---------------------------------===//

#ifndef CNNC_DIALECT_CNN_MATH_OPS_TD
#define CNNC_DIALECT_CNN_MATH_OPS_TD

include "dialect/CnnActivationOps.td"

def Cnn_AbsOp : Cnn_LayerUnaryOp<"abs", "the absolute value", "|x|">;
def Cnn_AbsGradOp : Cnn_ActivationGradientOp<"abs_grad", "x > 0 ? dy : x < 0 ? -dy : 0">;
def Cnn_SqrtOp : Cnn_LayerUnaryOp<"sqrt", "the square root", "sqrt(x)">;

def Cnn_SinOp : Cnn_LayerUnaryOp<"sin", "the sine", "sin(x)">;
def Cnn_CosOp : Cnn_LayerUnaryOp<"cos", "the cosine", "cos(x)">;

def Cnn_PowOp : Cnn_ActivationOp<"pow", "a power with a constant exponent",
    "x^exponent, by multiplication where the exponent is an integer of at most 64, else exp(exponent * log(x))",
    (ins F64Attr:$exponent)>;

def Cnn_MaximumOp : Cnn_BroadcastOp<"maximum", "the larger of two numbers", "max(a, b)">;
def Cnn_MinimumOp : Cnn_BroadcastOp<"minimum", "the smaller of two numbers", "min(a, b)">;

def Cnn_LargerShareOp : Cnn_NestOp<"larger_share"> {
  let summary = "what the larger of two operands gets of a gradient";
  let description = [{
    `a > b ? dy : a == b ? dy / 2 : 0`, element by element, as PyTorch shares the gradient of `maximum`; `a` and `b`
    are broadcast to the shape of `dy`.

    Constraints:
    - C1: extents that meet are equal, or that of `a` or `b` is 1.
  }];
  let arguments = (ins Cnn_FloatTensor:$lhs, Cnn_FloatTensor:$rhs, Cnn_FloatTensor:$gradient);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $gradient `:` type($lhs) `,` type($rhs) `,` type($gradient) `->` type($result) attr-dict
  }];
  let hasVerifier = 1;
}

#endif // CNNC_DIALECT_CNN_MATH_OPS_TD
