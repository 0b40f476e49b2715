// RUN: cnn-opt %s --cnn-count-gpu-work --split-input-file | FileCheck %s
// Breaks if a launch is said to ask for other sectors, turns of banks or instructions than the warps of its kernel do.

// 3 blocks of 64 threads; each thread copies an element: 6 warps load and store 128 bytes side by side, 4 sectors each.
// Instructions: an addition goes along with the multiplication, then load and store: 3 of each warp.
// CHECK-LABEL: @neighbours_entry
// CHECK: cnn.launch @neighbours {{.*}}cnn.work = {flops = 7 : i64, instructions = 18 : i64, passes = 0 : i64, requests = 12 : i64, sectors = 48 : i64}
module attributes {cnn.target = "nvptx"} {
  func.func @neighbours_entry(%a: memref<192xf32>, %b: memref<192xf32>) {
    cnn.launch @neighbours items 3 (%a, %b) : memref<192xf32>, memref<192xf32> {cnn.work = {flops = 7 : i64}}
    return
  }
  gpu.module @kernels {
    gpu.func @neighbours(%a: memref<192xf32>, %b: memref<192xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
      %t = gpu.thread_id x
      %block = gpu.block_id x
      %c64 = arith.constant 64 : index
      %first = arith.muli %block, %c64 : index
      %i = arith.addi %first, %t : index
      %x = memref.load %a[%i] : memref<192xf32>
      memref.store %x, %b[%i] : memref<192xf32>
      gpu.return
    }
  }
}

// -----

// Threads that are a row of 8 elements apart touch a sector each, 32 of the warp; those that load 16 bytes, 16 sectors; of a
// buffer that need not lie at a multiple of 32 bytes, 17.
// CHECK-LABEL: @strides_entry
// CHECK: cnn.launch @strides {{.*}}requests = 3 : i64, sectors = 65 : i64}
module attributes {cnn.target = "nvptx"} {
  func.func @strides_entry(%a: memref<256xf32>, %b: memref<256xf32>) {
    cnn.launch @strides items 1 (%a, %b) : memref<256xf32>, memref<256xf32>
    return
  }
  gpu.module @kernels {
    gpu.func @strides(%a: memref<256xf32>, %b: memref<256xf32> {llvm.align = 16 : i64}) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %t = gpu.thread_id x
      %c4 = arith.constant 4 : index
      %c8 = arith.constant 8 : index
      %i = arith.muli %t, %c8 : index
      %j = arith.muli %t, %c4 : index
      %x = memref.load %a[%i] : memref<256xf32>
      %y = vector.load %a[%j] : memref<256xf32>, vector<4xf32>
      %z = vector.load %b[%j] : memref<256xf32>, vector<4xf32>
      gpu.return
    }
  }
}

// -----

// Threads beyond the end do nothing: half a warp, 2 sectors. What does not change in a loop stands before it: of 100 iterations,
// all have a multiplication with the addition, the load and the branch back; one has the other multiplication. The store has two more, for the condition.
// CHECK-LABEL: @loop_entry
// CHECK: cnn.launch @loop {{.*}}instructions = 304 : i64, passes = 0 : i64, requests = 101 : i64, sectors = 402 : i64}
module attributes {cnn.target = "nvptx"} {
  func.func @loop_entry(%a: memref<3200xf32>) {
    cnn.launch @loop items 1 (%a) : memref<3200xf32>
    return
  }
  gpu.module @kernels {
    gpu.func @loop(%a: memref<3200xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %t = gpu.thread_id x
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c16 = arith.constant 16 : index
      %c32 = arith.constant 32 : index
      %c100 = arith.constant 100 : index
      %zero = arith.constant 0.0 : f32
      %below = arith.cmpi ult, %t, %c16 : index
      scf.if %below {
        memref.store %zero, %a[%t] : memref<3200xf32>
      }
      scf.for %k = %c0 to %c100 step %c1 {
        %row = arith.muli %t, %c1 : index
        %at = arith.muli %k, %c32 : index
        %i = arith.addi %at, %row : index
        %x = memref.load %a[%i] : memref<3200xf32>
      }
      gpu.return
    }
  }
}

// -----

// Shared memory: words side by side take one turn of the banks; two words apart two; a column of rows of 32 words 32. Four loads
// that follow each other are one of 16 bytes, which takes four turns, a quarter of the warp each.
// CHECK-LABEL: @banks_entry
// CHECK: cnn.launch @banks {{.*}}passes = 39 : i64, requests = 0 : i64, sectors = 0 : i64}
module attributes {cnn.target = "nvptx"} {
  func.func @banks_entry(%a: memref<4xf32>) {
    cnn.launch @banks items 1 (%a) : memref<4xf32>
    return
  }
  gpu.module @kernels {
    gpu.func @banks(%a: memref<4xf32>) workgroup(%s: memref<1024xf32, #gpu.address_space<workgroup>>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %t = gpu.thread_id x
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %c4 = arith.constant 4 : index
      %c32 = arith.constant 32 : index
      %zero = arith.constant 0.0 : f32
      %two = arith.muli %t, %c2 : index
      %rows = arith.muli %t, %c32 : index
      memref.store %zero, %s[%t] : memref<1024xf32, #gpu.address_space<workgroup>>
      memref.store %zero, %s[%two] : memref<1024xf32, #gpu.address_space<workgroup>>
      memref.store %zero, %s[%rows] : memref<1024xf32, #gpu.address_space<workgroup>>
      %i0 = arith.muli %t, %c4 : index
      %i1 = arith.addi %i0, %c1 : index
      %i2 = arith.addi %i0, %c2 : index
      %i3 = arith.addi %i0, %c3 : index
      %x0 = memref.load %s[%i0] : memref<1024xf32, #gpu.address_space<workgroup>>
      %x1 = memref.load %s[%i1] : memref<1024xf32, #gpu.address_space<workgroup>>
      %x2 = memref.load %s[%i2] : memref<1024xf32, #gpu.address_space<workgroup>>
      %x3 = memref.load %s[%i3] : memref<1024xf32, #gpu.address_space<workgroup>>
      gpu.return
    }
  }
}

// -----

// What is only read is loaded once, and before a loop in which its index stays; what is written is loaded again.
// CHECK-LABEL: @constants_entry
// CHECK: cnn.launch @constants {{.*}}requests = 22 : i64
module attributes {cnn.target = "nvptx"} {
  func.func @constants_entry(%a: memref<32xf32>, %b: memref<32xf32>) {
    cnn.launch @constants items 1 (%a, %b) : memref<32xf32>, memref<32xf32>
    return
  }
  gpu.module @kernels {
    gpu.func @constants(%a: memref<32xf32> {llvm.readonly}, %b: memref<32xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %t = gpu.thread_id x
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c10 = arith.constant 10 : index
      %v = memref.load %a[%t] : memref<32xf32>
      scf.for %k = %c0 to %c10 step %c1 {
        %w = memref.load %a[%t] : memref<32xf32>
        %x = memref.load %a[%c0] : memref<32xf32>
        %y = memref.load %b[%t] : memref<32xf32>
        memref.store %y, %b[%t] : memref<32xf32>
      }
      gpu.return
    }
  }
}
