// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when a malformed parameter, recipe, group or layout is not refused at its line.

// cnn.param C1
// expected-error@+1 {{'cnn.param' op kind is 'weight', expected parameter, optimizer, running or prepared (C1)}}
cnn.param @w : tensor<3xf32> weight <"constant">

// -----

// cnn.param C2
// expected-error@+1 {{'cnn.param' op type 'tensor<?xf32>' must have a static shape and float elements (C2)}}
cnn.param @w : tensor<?xf32> parameter <"constant">

// -----

// cnn.param C2
// expected-error@+1 {{'cnn.param' op type 'tensor<3xi32>' must have a static shape and float elements (C2)}}
cnn.param @w : tensor<3xi32> parameter <"constant">

// -----

// expected-error@+1 {{expected fan_in, fan_out, value or second, not 'gain'}}
cnn.param @w : tensor<3xf32> parameter <"constant", gain = 2>

// -----

// cnn.read C1
func.func @f() {
  // expected-error@+1 {{'cnn.read' op 'w' is no cnn.param (C1)}}
  %0 = cnn.read @w : tensor<3xf32>
  return
}

// -----

// cnn.read C2
// expected-note@+1 {{'w' is 'tensor<4xf32>'}}
cnn.param @w : tensor<4xf32> parameter <"constant">
func.func @f() {
  // expected-error@+1 {{'cnn.read' op type 'tensor<3xf32>' differs from the parameter's (C2)}}
  %0 = cnn.read @w : tensor<3xf32>
  return
}

// -----

// cnn.write C1
func.func @f(%x: tensor<3xf32>) {
  // expected-error@+1 {{'cnn.write' op 'f' is no cnn.param (C1)}}
  cnn.write @f, %x : tensor<3xf32>
  return
}

// -----

// cnn.write C2
// expected-note@+1 {{'w' is 'tensor<3xf64>'}}
cnn.param @w : tensor<3xf64> parameter <"constant">
func.func @f(%x: tensor<3xf32>) {
  // expected-error@+1 {{'cnn.write' op type 'tensor<3xf32>' differs from the parameter's (C2)}}
  cnn.write @w, %x : tensor<3xf32>
  return
}

// -----

// cnn.recipe C1
// expected-error@+1 {{'cnn.recipe' op loss is 'hinge', expected one of cross_entropy, mse, sse (C1)}}
cnn.recipe @r net @n loss "hinge" optimizer "sgd"

// -----

// cnn.recipe C1
// expected-error@+1 {{'cnn.recipe' op loss 'mse' has no hyperparameter 'label_smoothing' of value 1.000000e-01 : f64 (C1)}}
cnn.recipe @r net @n loss "mse" optimizer "sgd" {loss_args = {label_smoothing = 0.1 : f64}}

// -----

// cnn.recipe C2
// expected-error@+1 {{'cnn.recipe' op optimizer is 'rmsprop', expected one of adam, adamw, sgd (C2)}}
cnn.recipe @r net @n loss "cross_entropy" optimizer "rmsprop"

// -----

// cnn.recipe C2
// expected-error@+1 {{'cnn.recipe' op attribute 'momentum = true' is no flag of optimizer 'adam' (C2)}}
cnn.recipe @r net @n loss "cross_entropy" optimizer "adam" {momentum = true}

// -----

// cnn.group C1
func.func @f(%x: tensor<3xf32>) {
  // expected-error@+1 {{'cnn.group' op region arguments must have the inputs' types, in order (C1)}}
  %0 = "cnn.group"(%x) <{name = "g"}> ({
  ^bb0(%a: tensor<4xf32>):
    "cnn.yield"(%a) : (tensor<4xf32>) -> ()
  }) : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

// cnn.group C2
func.func @f(%x: tensor<3xf32>) {
  // expected-error@+1 {{'cnn.group' op yields values of types 'tensor<3xf32>', 'tensor<3xf32>', expected 'tensor<3xf32>' (C2)}}
  %0 = cnn.group "g" (%a = %x) : (tensor<3xf32>) -> tensor<3xf32> {
    cnn.yield %a, %a : tensor<3xf32>, tensor<3xf32>
  }
  return
}

// -----

// cnn.group C3
func.func @f(%x: tensor<3xf32>) {
  // expected-error@+1 {{'cnn.group' op schedule is #cnn.slices<block = 3, count = 1>, expected #cnn.nest or #cnn.gpu_schedule (C3)}}
  %0 = cnn.group "g" (%a = %x) : (tensor<3xf32>) -> tensor<3xf32> schedule #cnn.slices<block = 3, count = 1> {
    cnn.yield %a : tensor<3xf32>
  }
  return
}

// -----

// cnn.group C3
func.func @f(%x: tensor<3xf32>) {
  // expected-error@+1 {{'cnn.group' op schedule is #cnn.nest<"direct", vector = 0, tile = [1], order = [0]>, expected #cnn.slices (C3)}}
  %0 = cnn.group "g" (%a = %x) : (tensor<3xf32>) -> tensor<3xf32> schedule #cnn.nest<"direct", vector = 0, tile = [1], order = [0]> {
    %1 = cnn.group "h" (%b = %a) : (tensor<3xf32>) -> tensor<3xf32> {
      cnn.yield %b : tensor<3xf32>
    }
    cnn.yield %1 : tensor<3xf32>
  }
  return
}

// -----

// A group sees nothing but its inputs.
func.func @f(%x: tensor<3xf32>) {
  // expected-note@+1 {{required by region isolation constraints}}
  cnn.group "g" () : () -> () {
    // expected-error@+1 {{'cnn.relu' op using value defined outside the region}}
    %0 = cnn.relu %x : tensor<3xf32> -> tensor<3xf32>
    cnn.yield
  }
  return
}

// -----

// expected-error@+1 {{layout splits dimensions 0 and 1; at most one can be split (C1)}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 1, 0, 1], block = 2>>)

// -----

// expected-error@+1 {{layout names dimension 0 three times (C1)}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 1, 0, 0], block = 2>>)

// -----

// expected-error@+1 {{layout order names dimension 2 of 2}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 2], block = 1>>)

// -----

// expected-error@+1 {{layout leaves out dimension 0 (C1)}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [1, 1], block = 2>>)

// -----

// expected-error@+1 {{split dimension 0 must stand last in the order (C2)}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 0, 1], block = 2>>)

// -----

// expected-error@+1 {{block is 4, expected 1 without a split (C2)}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 1], block = 4>>)

// -----

// expected-error@+1 {{block is 1, expected more than 1 for a split dimension (C2)}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 1, 0], block = 1>>)

// -----

// expected-error@+1 {{halo has 1 entries for 2 dimensions (C3)}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 1], block = 1, halo = [1]>>)

// -----

// expected-error@+1 {{pad has 1 entries for 2 dimensions (C4)}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 1], block = 1, pad = [1]>>)

// -----

// expected-error@+1 {{pad of dimension 1 is -2 (C4)}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 1], block = 1, pad = [0, -2]>>)

// -----

// expected-error@+1 {{expected halo or pad, not 'gap'}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 1], block = 1, gap = [1, 1]>>)

// -----

// expected-error@+1 {{halo of dimension 0 is 1 (C3)}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0, 1, 0], block = 2, halo = [1, 0]>>)

// -----

// expected-error@+1 {{layout has 1 dimensions, the tensor 2}}
func.func private @f(tensor<4x4xf32, #cnn.layout<order = [0], block = 1>>)

// -----

// expected-error@+1 {{slices have positive block and count, and no tiles or two positive numbers of them (C1)}}
func.func private @f() attributes {s = #cnn.slices<block = 16, count = 2, tiles = [3]>}
