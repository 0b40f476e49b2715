// RUN: cnn-opt %s --cnn-build-gpu-kernels --verify-diagnostics --split-input-file
// Breaks if kernels are built of what has not gone through the phases before, or for a CPU.

// expected-error @below {{the module is not compiled for a GPU; its attribute cnn.target must be "nvptx"}}
module {
}

// -----

module attributes {cnn.target = "nvptx"} {
  func.func @f(%x: memref<3xf32>) {
    // expected-error @below {{'none' is no kernel of this module}}
    cnn.launch @none items 1(%x, %x) : memref<3xf32>, memref<3xf32>
    return
  }
}

// -----

module attributes {cnn.target = "nvptx"} {
  func.func @f(%x: memref<3xf32>) {
    // expected-error @below {{the launch of 'k' passes other arguments than the kernel takes}}
    cnn.launch @k items 1(%x) : memref<3xf32>
    return
  }
  func.func private @k(%item: index, %scratch: memref<64xi8>, %x: memref<3xf32>, %y: memref<3xf32>) attributes {cnn.kernel} {
    return
  }
}

// -----

module attributes {cnn.target = "nvptx"} {
  func.func @f(%x: memref<3xf32>) {
    cnn.launch @k items 1(%x, %x) : memref<3xf32>, memref<3xf32>
    return
  }
  // expected-error @below {{kernel 'k' holds no group, or none between two barriers}}
  func.func private @k(%item: index, %scratch: memref<64xi8>, %x: memref<3xf32>, %y: memref<3xf32>) attributes {cnn.kernel} {
    return
  }
}

// -----

module attributes {cnn.target = "nvptx"} {
  func.func @f(%x: memref<3xf32>) {
    cnn.launch @k items 1(%x, %x) : memref<3xf32>, memref<3xf32>
    return
  }
  func.func private @k(%item: index, %scratch: memref<64xi8>, %x: memref<3xf32>, %y: memref<3xf32>) attributes {cnn.kernel} {
    %t = cnn.from_buffer %x : memref<3xf32> -> tensor<3xf32>
    // expected-error @below {{group 'k': has no schedule for a GPU}}
    %r = cnn.group "k" (%a = %t) : (tensor<3xf32>) -> tensor<3xf32> {
      %v = cnn.relu %a : tensor<3xf32> -> tensor<3xf32>
      cnn.yield %v : tensor<3xf32>
    }
    cnn.to_buffer %r, %y : tensor<3xf32> -> memref<3xf32>
    return
  }
}

// -----

module attributes {cnn.target = "nvptx"} {
  func.func @f(%x: memref<3xf32>) {
    cnn.launch @k items 1(%x, %x) : memref<3xf32>, memref<3xf32>
    return
  }
  func.func private @k(%item: index, %scratch: memref<64xi8>, %x: memref<3xf32>, %y: memref<3xf32>) attributes {cnn.kernel} {
    %t = cnn.from_buffer %x : memref<3xf32> -> tensor<3xf32>
    // expected-error @below {{group 'k': algorithm 'reduce' does not apply: nothing is summed}}
    %r = cnn.group "k" (%a = %t) : (tensor<3xf32>) -> tensor<3xf32> schedule #cnn.gpu_schedule<"reduce", block = 32> {
      %v = cnn.relu %a : tensor<3xf32> -> tensor<3xf32>
      cnn.yield %v : tensor<3xf32>
    }
    cnn.to_buffer %r, %y : tensor<3xf32> -> memref<3xf32>
    return
  }
}

// -----

module attributes {cnn.target = "nvptx"} {
  func.func @f(%x: memref<3xf32>) {
    cnn.launch @k items 1(%x, %x) : memref<3xf32>, memref<3xf32>
    return
  }
  // expected-error @below {{the groups of kernel 'k' have blocks of 32 and 64 threads}}
  func.func private @k(%item: index, %scratch: memref<64xi8>, %x: memref<3xf32>, %y: memref<3xf32>) attributes {cnn.kernel} {
    %t = cnn.from_buffer %x : memref<3xf32> -> tensor<3xf32>
    %r = cnn.group "k" (%a = %t) : (tensor<3xf32>) -> tensor<3xf32> schedule #cnn.gpu_schedule<"point", block = 32> {
      %v = cnn.relu %a : tensor<3xf32> -> tensor<3xf32>
      cnn.yield %v : tensor<3xf32>
    }
    cnn.to_buffer %r, %y : tensor<3xf32> -> memref<3xf32>
    cnn.barrier
    %s = cnn.group "l" (%a = %t) : (tensor<3xf32>) -> tensor<3xf32> schedule #cnn.gpu_schedule<"point", block = 64> {
      %v = cnn.sigmoid %a : tensor<3xf32> -> tensor<3xf32>
      cnn.yield %v : tensor<3xf32>
    }
    cnn.to_buffer %s, %y : tensor<3xf32> -> memref<3xf32>
    return
  }
}

// -----

module attributes {cnn.target = "nvptx"} {
  func.func @f(%x: memref<3xf32>) {
    cnn.launch @k items 1(%x, %x) : memref<3xf32>, memref<3xf32>
    return
  }
  func.func private @k(%item: index, %scratch: memref<64xi8>, %x: memref<3xf32>, %y: memref<3xf32>) attributes {cnn.kernel} {
    %t = cnn.from_buffer %x : memref<3xf32> -> tensor<3xf32>
    // expected-error @below {{group 'k': gives what goes to no buffer of its kernel}}
    %r = cnn.group "k" (%a = %t) : (tensor<3xf32>) -> tensor<3xf32> schedule #cnn.gpu_schedule<"point", block = 32> {
      %v = cnn.relu %a : tensor<3xf32> -> tensor<3xf32>
      cnn.yield %v : tensor<3xf32>
    }
    return
  }
}
