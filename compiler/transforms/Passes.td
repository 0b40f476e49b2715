// The passes from phase `cnn` to phase `fused`. Each description names the test that shows it.

#ifndef CNNC_COMPILER_TRANSFORMS_PASSES_TD
#define CNNC_COMPILER_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SinkReluPass : Pass<"cnn-sink-relu", "::mlir::ModuleOp"> {
  let summary = "Rectify behind a max pooling in place of before it";
  let description = [{
    `max_pool(relu(x))` is `relu(max_pool(x))`, and so are their gradients: a rectifier that nothing but a max
    pooling reads moves behind it. There are fewer elements to rectify, and the training step need not keep
    the rectifier's result in full size. Remarks of category `cnn-sink-relu` and the group's reason say so.
    Test: `test/lit/transforms/cnn-sink-relu.mlir`.

    ```mlir
    // before
    %0 = cnn.relu %x : tensor<8x4x6x6xf32>
    %1 = cnn.max_pool %0 {...} : tensor<8x4x6x6xf32> -> tensor<8x4x3x3xf32>
    // after
    %0 = cnn.max_pool %x {...} : tensor<8x4x6x6xf32> -> tensor<8x4x3x3xf32>
    %1 = cnn.relu %0 : tensor<8x4x3x3xf32>
    ```
  }];
  let statistics = [Statistic<"numSunk", "sunk", "Rectifiers that were moved">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def DifferentiatePass : Pass<"cnn-differentiate", "::mlir::ModuleOp"> {
  let summary = "Turn a network into its entry points, the training step among them";
  let description = [{
    Takes the function of a network and, where there is one, the recipe that trains it. In their place
    it leaves the entry points asked for, each with the body of the network inlined behind a
    `cnn.mask_rows` of every input:

    - `train_step(inputs, labels, rows, <scalars of the optimizer>[, seed, seed_high, step]) -> (loss, nonfinite.0, ...)`:
      forward pass, loss, gradients of all parameters, updates, and writes of the whole next state. What
      the optimizer keeps becomes state, `<parameter>.velocity` for SGD with momentum. Operations with
      `TrainingFormOpInterface` take that form; those that draw random numbers ask for the last three
      inputs. `nonfinite.<i>` is 0 where the gradient of parameter `i` is finite, else NaN: what is not shows in
      the updated parameter, which is looked at.
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
    %5 = cnn.sgd_update %w, %4 lr %lr : ...
    cnn.write @linear1.weight, %5 : tensor<2x3xf32>
    %6 = cnn.nonfinite %5 : tensor<2x3xf32> -> tensor<f32>
    return %2, %6 : tensor<f32>, tensor<f32>
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

def FoldBatchNormPass : Pass<"cnn-fold-batch-norm", "::mlir::ModuleOp"> {
  let summary = "Let convolutions and linear layers normalise in evaluation and inference";
  let description = [{
    A `cnn.batch_norm` by running statistics is linear in its input. What is left of `cnn.dropout`, which gives
    its input, is taken out first. Behind a convolution or a linear layer
    it scales the layer's weight, row by row, and gives it a bias:

    `w'[k] = w[k] s[k]`, `b'[k] = (b[k] - mean[k]) s[k] + bias[k]` with `s = weight / sqrt(variance + epsilon)`.

    The weights are state; `cnn-prepare` has them scaled once for all calls. Not where the input is no such
    layer's result, or where something else reads this result. A remark of category
    `cnn-fold-batch-norm` and the group's reason say so. The training step has `cnn.batch_norm_train`, which is never
    folded. Test: `test/lit/transforms/cnn-fold-batch-norm.mlir`.

    ```mlir
    // before
    %0 = cnn.conv %x, %w {...} : ...
    %1 = cnn.batch_norm %0, %weight, %bias, %mean, %variance {...} : ...
    // after
    %0 = cnn.scaled_weight %w, %weight, %variance {...} : ...
    %1 = cnn.conv %x, %0, %b {...} : ...
    ```
  }];
  let statistics = [Statistic<"numFolded", "folded", "Batch normalisations that were folded">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def MergeConvolutionsPass : Pass<"cnn-merge-convolutions", "::mlir::ModuleOp"> {
  let summary = "Let one convolution do the work of two with nothing between them";
  let description = [{
    A convolution of a convolution's result is a convolution of its input, with a kernel of `k1 + k2 - 1`
    where the first has stride 1 and none is dilated; in general of
    `((k2 - 1) d2 s1 + (k1 - 1) d1) / D + 1` taps at dilation `D = gcd(d2 s1, d1)`, stride `s1 s2` and
    padding `p1 + p2 s1`. Its weight is `w[m, c, t] = sum_{k, q, r} w2[m, k, q] w1[k, c, r]` over
    `q d2 s1 + r d1 = t D`, its bias `b[m] = b2[m] + sum_{k, q} w2[m, k, q] b1[k]`. Both are computed from
    the parameters by operations that `cnn-prepare` runs once for all calls.

    Not where

    - the result between them is used elsewhere, too;
    - the second reads its padding: there it finds zeros, where the first would give its bias, or what it sees
      of its input from there. Zeros are right if the first has no bias and all that it would see is padding
      (a 1 x 1 kernel, or one padded by its extent less 1);
    - the groups of the second are no groups of groups of the first;
    - it does not pay: one takes no fewer multiplications than both, where a
      3 x 3 convolution at stride 1 counts half, because Winograd's algorithm can compute it;
    - the entry point trains: the update of two weights is not that of their product.

    What was done, and why what was not, is said by remarks of category `cnn-merge-convolutions` and by the
    group's reason. Tests: `test/lit/transforms/cnn-merge-convolutions.mlir`, `-declines.mlir`.

    ```mlir
    // before
    %0 = cnn.conv %x, %w1 {...} : ..., tensor<64x3x3x3xf32> -> tensor<8x64x30x30xf32>
    %1 = cnn.conv %0, %w2 {...} : ..., tensor<4x64x3x3xf32> -> tensor<8x4x28x28xf32>
    // after
    %w = cnn.conv_data_grad %w2, %w1 {...} : ... -> tensor<4x3x5x5xf32>
    %1 = cnn.conv %x, %w {...} : ... -> tensor<8x4x28x28xf32>
    ```
  }];
  let statistics = [Statistic<"numMerged", "merged", "Pairs of convolutions that became one">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def TrimKernelsPass : Pass<"cnn-trim-kernels", "::mlir::ModuleOp"> {
  let summary = "Leave out the taps of kernels that meet nothing but padding";
  let description = [{
    On an image of 1 x 1, a kernel of 3 x 3 with padding 1 multiplies eight of its nine taps by zeros. A
    convolution and its gradient for the input read the part of the weight that meets the image; the gradient
    for the weight is zero elsewhere. Remarks of category `cnn-trim-kernels` and the group's reason say so.
    Not where no tap meets the image. Test: `test/lit/transforms/cnn-trim-kernels.mlir`.

    ```mlir
    // before
    %y = cnn.conv %x, %w {padding = array<i64: 1, 1, 1, 1>, ...} : tensor<8x4x1x1xf32>, tensor<5x4x3x3xf32> -> ...
    // after
    %v = cnn.pad %w {low = array<i64: 0, 0, -1, -1>, high = array<i64: 0, 0, -1, -1>, ...} : ... -> tensor<5x4x1x1xf32>
    %y = cnn.conv %x, %v {padding = array<i64: 0, 0, 0, 0>, ...} : tensor<8x4x1x1xf32>, tensor<5x4x1x1xf32> -> ...
    ```
  }];
  let statistics = [Statistic<"numTrimmed", "trimmed", "Convolutions and gradients with fewer taps">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
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

def RecomputePass : Pass<"cnn-recompute", "::mlir::ModuleOp"> {
  let summary = "Compute again what the backward pass needs, where the recipe asks for it";
  let description = [{
    A training step keeps what its backward pass reads of the forward pass. The module's `cnn.recompute`, which
    a recipe's key `recompute` sets, has less kept:

    - `"cheap"`: not what one pass over another kept value gives, point by point (a normalisation, an
      activation).
    - a list of names of blocks: nothing of what is computed inside of these, but for what leaves them, and for
      small values such as the statistics of a normalisation.

    The backward pass then reads copies, named `<layer>.recompute`, that stand in front of their first reader
    and are marked `cnn.recomputed`: nothing merges them with what they repeat, and `compiler/schedule` has
    them wait until they are read. Results have the same bits. Remarks of category `cnn-recompute` and the groups' reasons
    say what is computed again, and how many bytes are kept of how many. Tests: `test/lit/transforms/cnn-recompute.mlir`,
    `test/lit/transforms/recompute.test`.

    ```mlir
    // before
    %0 = cnn.sigmoid %x : ...
    %1 = cnn.conv %0, %w {...} : ...
    %2 = cnn.conv_weight_grad %0, %dy {...} : ...
    // after
    %0 = cnn.sigmoid %x : ...
    %1 = cnn.conv %0, %w {...} : ...
    %3 = cnn.sigmoid %x : ... {cnn.recomputed}
    %2 = cnn.conv_weight_grad %3, %dy {...} : ...
    ```
  }];
  let statistics = [Statistic<"numRecomputed", "recomputed", "Operations that were repeated">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def FusePass : Pass<"cnn-fuse", "::mlir::ModuleOp"> {
  let summary = "Gather operations into groups that become one kernel each";
  let description = [{
    Puts every operation with a nest into a `cnn.group`. A group has one anchor: an operation that reduces
    or scatters, else the last of its pointwise operations. With it go

    - the pointwise operations that follow it in the same shape (its epilogue), where they depend on nothing
      that depends on the group;
    - one pooling whose windows tile its operand, behind the epilogue, and what is pointwise behind that;
    - pointwise operations that compute its operands (its prologue), if only this group uses them, each
      element once, or if computing them again costs no more than reading them: constants, labels,
      row weights, masks.

    What else uses a value inside makes it a result of the group, so a value saved for the backward pass
    does not prevent fusion. Reductions are not fused with each other, but for the pooling; nothing is
    fused behind a scatter whose points meet in one element. All this is read from the nests: the
    pass knows no operation by name. A reshape between an operation and its epilogue is moved behind it;
    reshapes, reads and writes stay outside of groups.

    ```mlir
    // before
    %0 = cnn.conv %image, %w, %b {...} : ...
    %1 = cnn.sigmoid %0 : ...
    %2 = cnn.avg_pool %1 {...} : ...
    // after
    %first.forward = cnn.group "first.forward" (%x = %image, %y = %w, %z = %b) : (...) -> (...) {
      %0 = cnn.conv %x, %y, %z {...} : ...
      %1 = cnn.sigmoid %0 : ...
      %2 = cnn.avg_pool %1 {...} : ...
      cnn.yield %2 : ...
    }
    ```

    Groups are named after their anchors' layers; names are unique in the module. With `max-size=1` every
    operation becomes a group of its own. Remarks of category `cnn-fuse` say what was not fused, and why.
    Tests: `test/lit/transforms/cnn-fuse.mlir`, `test/lit/transforms/cnn-fuse-network.test`.
  }];
  let options = [
    Option<"maxSize", "max-size", "unsigned", /*default=*/"0",
           "The largest number of operations in a group (default: 0, any)">
  ];
  let statistics = [
    Statistic<"numGroups", "groups", "Groups that were formed">,
    Statistic<"numFused", "fused-ops", "Operations that share a group with another one">,
    Statistic<"numCopied", "copied-ops", "Copies of operations that several groups compute">
  ];
  let dependentDialects = [
    "::mlir::cnn::CnnDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"
  ];
}

#endif // CNNC_COMPILER_TRANSFORMS_PASSES_TD
