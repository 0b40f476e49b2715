// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when a step of Adam accepts tensors that do not fit.

// cnn.adam_update C1
func.func @f(%p: tensor<4x3xf32>, %q: tensor<3xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'cnn.adam_update' op has a tensor of type 'tensor<3xf32>', expected 'tensor<4x3xf32>' (C1)}}
  %0, %1, %2 = cnn.adam_update %p, %p moments %q, %p step_size %s mean_share %s square_decay %s square_share %s correction %s eps %s : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>)
  return
}

// -----

// cnn.adam_update C2
func.func @f(%p: tensor<4x3xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'cnn.adam_update' op has both a weight decay and a shrinkage (C2)}}
  %0, %1, %2 = cnn.adam_update %p, %p moments %p, %p step_size %s mean_share %s square_decay %s square_share %s correction %s eps %s decay %s shrinkage %s : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>)
  return
}

// -----

// cnn.adam_ratio C1
func.func @f(%p: tensor<4x3xf32>, %s: tensor<f32>) {
  // expected-error@+2 {{operands are 'tensor<4x3xf32>', 'tensor<4x3xf32>', 'tensor<4x3xf32>', 'tensor<f32>'; expected two of one type and two of rank 0 (C1)}}
  // expected-error@+1 {{'cnn.adam_ratio' op failed to infer returned types}}
  %0 = cnn.adam_ratio %p, %p, %p, %s : tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32> -> tensor<4x3xf32>
  return
}

// -----

// cnn.adam_update C3
func.func @f(%p: tensor<4x3xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'cnn.adam_update' op largest and the fourth result come together (C3)}}
  %0, %1, %2 = cnn.adam_update %p, %p moments %p, %p step_size %s mean_share %s square_decay %s square_share %s correction %s eps %s largest %p : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>)
  return
}
