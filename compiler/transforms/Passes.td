// The passes from phase `cnn` to phase `fused`. Each description names the test that shows it.

#ifndef CNNC_COMPILER_TRANSFORMS_PASSES_TD
#define CNNC_COMPILER_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def DifferentiatePass : Pass<"cnn-differentiate", "::mlir::ModuleOp"> {
  let summary = "Turn a network into its entry points, the training step among them";
  let description = [{
    Takes the function of a network and, where there is one, the recipe that trains it. In their place
    it leaves the entry points asked for, each with the body of the network inlined behind a
    `cnn.mask_rows` of every input:

    - `train_step(inputs, labels, rows, lr[, momentum][, weight_decay]) -> (loss, nonfinite.0, ...)`: forward
      pass, loss, gradients of all parameters, updates, and writes of the whole next state. A recipe with
      momentum adds a state tensor `<parameter>.velocity` for each parameter. `nonfinite.<i>` is 0
      where the gradient of parameter `i` is finite, else NaN.
    - `eval(inputs, labels, rows) -> (loss_sum, logits)`
    - `infer(inputs, rows) -> (results of the network)`

    Gradients come from `BackwardOpInterface`; nothing is computed that no parameter needs. What the
    backward pass adds is named after the layer: `conv1.data_grad`, `conv1.weight_grad`,
    `conv1.bias_grad`, `conv1.update`, `pool1.backward`.

    ```mlir
    // before
    func.func @net(%x: tensor<4x3xf32> {cnn.name = "x"}) -> (tensor<4x2xf32> {cnn.name = "y"}) {
      %w = cnn.read @linear1.weight : tensor<2x3xf32>
      %y = cnn.linear %x, %w : tensor<4x3xf32>, tensor<2x3xf32> -> tensor<4x2xf32>
      return %y : tensor<4x2xf32>
    }
    // after, the training step
    %0 = cnn.mask_rows %x, %rows : tensor<4x3xf32>, tensor<i32> -> tensor<4x3xf32>
    %1 = cnn.linear %0, %w : ...
    %2 = cnn.cross_entropy %1, %labels, %rows : ...
    %3 = cnn.cross_entropy_grad %1, %labels, %rows : ...
    %4 = cnn.matmul %3, %0 : ... {transpose_a = true}
    %5 = cnn.nonfinite %4 : tensor<2x3xf32> -> tensor<f32>
    %6 = cnn.sgd_update %w, %4 lr %lr : ...
    cnn.write @linear1.weight, %6 : tensor<2x3xf32>
    return %2, %5 : tensor<f32>, tensor<f32>
    ```

    Fails where the network or the recipe is missing, where an operation between a parameter and the
    loss has no gradient, and where the network's signature does not fit. Test:
    `test/lit/transforms/cnn-differentiate.mlir`.
  }];
  let options = [
    ListOption<"entries", "entries", "std::string",
               "Entry points to make, of train_step, eval, infer (default: all three)">,
    Option<"recipe", "recipe", "std::string", /*default=*/"\"\"",
           "The cnn.recipe to train by (default: the first one)">
  ];
  let statistics = [
    Statistic<"numForward", "forward-ops", "Operations that gradients flow through">,
    Statistic<"numBackward", "backward-ops", "Operations that compute gradients">
  ];
  let dependentDialects = ["::mlir::cnn::CnnDialect", "::mlir::func::FuncDialect"];
}

def GradientPass : Pass<"cnn-gradient", "::mlir::ModuleOp"> {
  let summary = "Add to every function one that computes its gradient";
  let description = [{
    For `@f(args) -> (results)` adds `@f_grad(args, d results) -> (d args)`, with one gradient for every
    result and argument of a float type: the chain rule through `BackwardOpInterface`, for the tests of
    gradients. The gradient of an argument that no result depends on is zero. Test:
    `test/lit/transforms/cnn-gradient.mlir`.
  }];
  let dependentDialects = ["::mlir::cnn::CnnDialect", "::mlir::func::FuncDialect"];
}

def DecomposePass : Pass<"cnn-decompose", "::mlir::ModuleOp"> {
  let summary = "Express losses and updates in terms of simpler operations";
  let description = [{
    Replaces every operation that has `DecomposeOpInterface` by what the interface builds, until none is
    left: losses become reductions and arithmetic, updates arithmetic. Test:
    `test/lit/transforms/cnn-decompose.mlir`.

    ```mlir
    // before
    %0 = cnn.sgd_update %p, %g lr %lr : (tensor<6xf32>, tensor<6xf32>, tensor<f32>) -> tensor<6xf32>
    // after
    %0 = cnn.mul %g, %lr : tensor<6xf32>, tensor<f32> -> tensor<6xf32>
    %1 = cnn.sub %p, %0 : tensor<6xf32>, tensor<6xf32> -> tensor<6xf32>
    ```
  }];
  let statistics = [Statistic<"numDecomposed", "decomposed-ops", "Operations that were replaced">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

#endif // CNNC_COMPILER_TRANSFORMS_PASSES_TD
