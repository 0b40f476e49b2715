//===- CnnActivationOps.td - Activations beyond relu, sigmoid and tanh --------------------------===//

#ifndef CNNC_DIALECT_CNN_ACTIVATION_OPS_TD
#define CNNC_DIALECT_CNN_ACTIVATION_OPS_TD

include "dialect/CnnPointwiseOps.td"

/// An activation with attributes, which its gradient takes too.
class Cnn_ActivationOp<string mnemonic, string name, string formula, dag attrs = (ins)>
    : Cnn_LayerUnaryOp<mnemonic, name, formula> {
  let arguments = !con((ins Cnn_FloatTensor:$input), attrs);
}

/// The gradient of an activation. `value` is the forward result where the formula is in terms of
/// `y`, the operand where it is in terms of `x`.
class Cnn_ActivationGradientOp<string mnemonic, string formula, dag attrs = (ins)>
    : Cnn_NestOp<mnemonic> {
  let summary = "gradient of an activation: " # mnemonic;
  let description = "`" # formula # "`, where `dy` is the gradient of the forward result.";
  let arguments = !con((ins Cnn_FloatTensor:$value, Cnn_FloatTensor:$gradient), attrs);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$value `,` $gradient `:` type($value) `,` type($gradient) `->` type($result) attr-dict";
}

defvar Cnn_Slope = (ins F64Attr:$slope);
def Cnn_LeakyReluOp : Cnn_ActivationOp<"leaky_relu", "the leaky rectifier", "x > 0 ? x : slope * x", Cnn_Slope>;
def Cnn_LeakyReluGradOp : Cnn_ActivationGradientOp<"leaky_relu_grad",
    "x > 0 ? dy : slope * dy, and the same in terms of y where the slope is not negative", Cnn_Slope>;

defvar Cnn_Alpha = (ins F64Attr:$alpha);
def Cnn_EluOp : Cnn_ActivationOp<"elu", "the exponential linear unit",
    "x > 0 ? x : alpha * (exp(x) - 1)", Cnn_Alpha>;
def Cnn_EluGradOp : Cnn_ActivationGradientOp<"elu_grad", "x > 0 ? dy : dy * alpha * exp(x)", Cnn_Alpha>;

def Cnn_Relu6Op : Cnn_ActivationOp<"relu6", "the rectifier up to 6", "min(max(x, 0), 6)">;
def Cnn_Relu6GradOp : Cnn_ActivationGradientOp<"relu6_grad", "0 < y < 6 ? dy : 0">;

def Cnn_SiluOp : Cnn_ActivationOp<"silu", "the sigmoid linear unit", "x / (1 + exp(-x))">;
def Cnn_SiluGradOp : Cnn_ActivationGradientOp<"silu_grad",
    "dy * s * (1 + x * (1 - s)) with s = 1 / (1 + exp(-x))">;

def Cnn_HardswishOp : Cnn_ActivationOp<"hardswish", "silu in straight lines",
    "x * min(max(x + 3, 0), 6) / 6">;
def Cnn_HardswishGradOp : Cnn_ActivationGradientOp<"hardswish_grad",
    "x <= -3 ? 0 : x >= 3 ? dy : dy * (x / 3 + 1/2)">;

defvar Cnn_Approximate = (ins DefaultValuedAttr<BoolAttr, "false">:$approximate);
def Cnn_GeluOp : Cnn_ActivationOp<"gelu", "the Gaussian error linear unit",
    "x / 2 * (1 + erf(x / sqrt(2))), or with approximate x / 2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))",
    Cnn_Approximate>;
def Cnn_GeluGradOp : Cnn_ActivationGradientOp<"gelu_grad",
    "dy times the derivative of `cnn.gelu` at x", Cnn_Approximate>;

#endif // CNNC_DIALECT_CNN_ACTIVATION_OPS_TD
