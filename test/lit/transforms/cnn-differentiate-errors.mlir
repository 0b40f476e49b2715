// RUN: cnn-opt %s -cnn-differentiate --split-input-file --verify-diagnostics
// RUN: not cnn-opt %S/Inputs/lenet.mlir -cnn-differentiate=entries=train 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: not cnn-opt %S/Inputs/lenet.mlir -cnn-differentiate=entries=infer,infer 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not cnn-opt %S/Inputs/lenet.mlir -cnn-differentiate=recipe=on_cifar 2>&1 | FileCheck %s --check-prefix=RECIPE
// RUN: not cnn-opt %S/Inputs/no-gradient.mlir -cnn-differentiate 2>&1 | FileCheck %s --check-prefix=GRADIENT
// Fails when a network that cannot be trained is not refused, or not at its place in the .cnn file.

// ENTRY: error: unknown entry point 'train', expected train_step, eval or infer
// TWICE: error: entry point 'infer' is asked for twice
// RECIPE: error: there is no recipe 'on_cifar'
// RECIPE: lenet.cnn:14:1: note: a recipe is 'on_fashion'
// RECIPE: lenet.cnn:20:1: note: a recipe is 'with_momentum'

// GRADIENT: net.cnn:7:3: error: layer 'largest1' has no gradient: operation 'cnn.reduce_max' cannot be differentiated

// expected-error@+1 {{the module has no network}}
module {
}

// -----

// expected-error@+1 {{network 'net' has no recipe to train it by}}
func.func @net(%x: tensor<4x3xf32> {cnn.name = "x"}) -> (tensor<4x3xf32> {cnn.name = "y"}) {
  return %x : tensor<4x3xf32>
}

// -----

// expected-error@+1 {{recipe 'r' trains 'other', which is no network of the module}}
cnn.recipe @r net @other loss "cross_entropy" optimizer "sgd"

// -----

cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
// expected-error@+1 {{network 'net' must have a body of one block}}
func.func private @net(tensor<4x3xf32>)

// -----

cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
// expected-error@+1 {{network 'net': it has no input}}
func.func @net() {
  return
}

// -----

cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
// expected-error@+1 {{network 'net': it has no output}}
func.func @net(%x: tensor<4x3xf32> {cnn.name = "x"}) {
  return
}

// -----

cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
// expected-error@+1 {{network 'net': input 0 has no cnn.name}}
func.func @net(%x: tensor<4x3xf32>) -> (tensor<4x3xf32> {cnn.name = "y"}) {
  return %x : tensor<4x3xf32>
}

// -----

cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
// expected-error@+1 {{network 'net': output 0 has no cnn.name}}
func.func @net(%x: tensor<4x3xf32> {cnn.name = "x"}) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}

// -----

cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
// expected-error@+1 {{network 'net': an input cannot be called 'rows', which is the name of an input of the training step}}
func.func @net(%x: tensor<4x3xf32> {cnn.name = "rows"}) -> (tensor<4x3xf32> {cnn.name = "y"}) {
  return %x : tensor<4x3xf32>
}

// -----

cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
// expected-error@+1 {{network 'net': input 'x' must be a tensor of static shape with a batch}}
func.func @net(%x: tensor<f32> {cnn.name = "x"}) -> (tensor<f32> {cnn.name = "y"}) {
  return %x : tensor<f32>
}

// -----

cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
// expected-error@+1 {{network 'net': input 'y' has a batch of 5, another one of 4}}
func.func @net(%x: tensor<4x3xf32> {cnn.name = "x"}, %y: tensor<5x3xf32> {cnn.name = "y"}) -> (tensor<4x3xf32> {cnn.name = "z"}) {
  return %x : tensor<4x3xf32>
}

// -----

// expected-error@+1 {{loss 'cross_entropy' needs a network with one output [batch, classes]}}
cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
// expected-note@+1 {{network 'net' has 1 output, the first of type 'tensor<4x3x1xf32>'}}
func.func @net(%x: tensor<4x3x1xf32> {cnn.name = "x"}) -> (tensor<4x3x1xf32> {cnn.name = "y"}) {
  return %x : tensor<4x3x1xf32>
}

// -----

// expected-warning@+1 {{parameter 'idle.weight' does not influence the loss, so it is not trained}}
cnn.param @idle.weight : tensor<1xf32> parameter <"constant">
cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
func.func @net(%x: tensor<4x3xf32> {cnn.name = "x"}) -> (tensor<4x3xf32> {cnn.name = "y"}) {
  return %x : tensor<4x3xf32>
}

// -----

// expected-error@+1 {{the name 'infer' is that of an entry point}}
cnn.param @infer : tensor<1xf32> running <"constant">
cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
func.func @net(%x: tensor<4x3xf32> {cnn.name = "x"}) -> (tensor<4x3xf32> {cnn.name = "y"}) {
  return %x : tensor<4x3xf32>
}

// -----

cnn.param @w : tensor<1xf32> parameter <"constant">
// expected-error@+1 {{the name 'w.velocity' is that of optimizer state}}
cnn.param @w.velocity : tensor<1xf32> running <"constant">
cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd" {momentum = true}
func.func @net(%x: tensor<4x3xf32> {cnn.name = "x"}) -> (tensor<4x3xf32> {cnn.name = "y"}) {
  return %x : tensor<4x3xf32>
}
