// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=conv_weight_grad=instruction:bf16;tile:64x128x32x32x32;split:1 override=linear=instruction:bf16;tile:64x128x32x32x32;split:1 override=u.weight_grad=instruction:tf32;tile:64x128x16x32x32;split:1" --cnn-plan --cnn-build-gpu-kernels | FileCheck %s
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=w.weight_grad=instruction:bf16;tile:128x128x32x64x64;split:1" 2>&1 | FileCheck --check-prefix=ALONE %s
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=linear=instruction:bf16;tile:128x128x32x64x64;split:1" | FileCheck --check-prefix=WIDE %s
// Breaks if ptxas is told to keep two blocks of a product on a multiprocessor where their registers do not suffice, so that it spills.

// Of elements that are loaded one by one, what says where they lie takes registers, too; not of four at a time.
// ALONE: error: group 'w.weight_grad': 128 sums of a thread and 64 elements that it reads for the next tile are more than 183, which its registers hold
// WIDE: cnn.group "l.forward" {{.*}} tile = [128, 128, 32, 64, 64], instruction = "bf16"
module @m attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  func.func @infer(%x: tensor<128x1x48x48xf32>, %dy: tensor<128x64x24x24xf32>, %a: tensor<512x512xf32>, %b: tensor<512x512xf32>,
      %z: tensor<128x256x2x2xf32>, %dz: tensor<128x256x2x2xf32>, %p0: tensor<256x256x3x3xf32>, %v0: tensor<256x256x3x3xf32>, %decay: tensor<f32>, %momentum: tensor<f32>, %lr: tensor<f32>)
      -> (tensor<64x1x7x7xf32>, tensor<512x512xf32>, tensor<256x256x3x3xf32>, tensor<256x256x3x3xf32>) {
    // Elements of windows are read one by one, 16 of 4096 each by a thread: besides 32 sums, 24 elements on their way have 16 addresses.
    // CHECK-LABEL: gpu.func @w_weight_grad(
    // CHECK-SAME: nvvm.minctasm = 1 : i32
    %w = cnn.group "w.weight_grad" (%p = %x, %q = %dy) : (tensor<128x1x48x48xf32>, tensor<128x64x24x24xf32>) -> tensor<64x1x7x7xf32> {
      %y = cnn.conv_weight_grad %p, %q {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 3, 3, 3, 3>, stride = array<i64: 2, 2>} : tensor<128x1x48x48xf32>, tensor<128x64x24x24xf32> -> tensor<64x1x7x7xf32>
      cnn.yield %y : tensor<64x1x7x7xf32>
    }
    // Four at a time of the same tile: 24 elements, and 6 addresses that are made as they are needed.
    // CHECK-LABEL: gpu.func @l_forward(
    // CHECK-SAME: nvvm.minctasm = 2 : i32
    %l = cnn.group "l.forward" (%p = %a, %q = %b) : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32> {
      %y = cnn.linear %p, %q : tensor<512x512xf32>, tensor<512x512xf32> -> tensor<512x512xf32>
      cnn.yield %y : tensor<512x512xf32>
    }
    // Five inputs are read behind 32 sums, which lie in rows of eight and pairs of columns.
    // CHECK-LABEL: gpu.func @u_weight_grad(
    // CHECK-SAME: nvvm.minctasm = 1 : i32
    %u:2 = cnn.group "u.weight_grad" (%p = %z, %q = %dz, %w0 = %p0, %v = %v0, %d = %decay, %m = %momentum, %r = %lr) : (tensor<128x256x2x2xf32>, tensor<128x256x2x2xf32>, tensor<256x256x3x3xf32>, tensor<256x256x3x3xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<256x256x3x3xf32>, tensor<256x256x3x3xf32>) {
      %y = cnn.conv_weight_grad %p, %q {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<128x256x2x2xf32>, tensor<128x256x2x2xf32> -> tensor<256x256x3x3xf32>
      %0 = cnn.mul %w0, %d : tensor<256x256x3x3xf32>, tensor<f32> -> tensor<256x256x3x3xf32>
      %1 = cnn.add %y, %0 : tensor<256x256x3x3xf32>, tensor<256x256x3x3xf32> -> tensor<256x256x3x3xf32>
      %2 = cnn.mul %v, %m : tensor<256x256x3x3xf32>, tensor<f32> -> tensor<256x256x3x3xf32>
      %3 = cnn.add %2, %1 : tensor<256x256x3x3xf32>, tensor<256x256x3x3xf32> -> tensor<256x256x3x3xf32>
      %4 = cnn.mul %3, %r : tensor<256x256x3x3xf32>, tensor<f32> -> tensor<256x256x3x3xf32>
      %5 = cnn.sub %w0, %4 : tensor<256x256x3x3xf32>, tensor<256x256x3x3xf32> -> tensor<256x256x3x3xf32>
      cnn.yield %3, %5 : tensor<256x256x3x3xf32>, tensor<256x256x3x3xf32>
    }
    return %w, %l, %u#0, %u#1 : tensor<64x1x7x7xf32>, tensor<512x512xf32>, tensor<256x256x3x3xf32>, tensor<256x256x3x3xf32>
  }
}
