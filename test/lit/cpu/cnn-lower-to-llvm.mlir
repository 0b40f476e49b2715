// RUN: cnn-opt %s --cnn-lower-to-llvm --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s --enable-var-scope
// Breaks if entry points leave the C interface, workers share items wrongly, or names and lines get lost.

module @net attributes {cnn.cpu = "haswell"} {
  // CHECK-NOT: cnn.param
  cnn.param @fc.weight : tensor<4xf32> parameter <"xavier_uniform", fan_in = 4, fan_out = 4>

  // CHECK: llvm.mlir.global internal constant @cnn.serial_context

  // Buffers that no call mixes are noalias; the frame is named after the layer.
  // CHECK-LABEL: llvm.func internal @fc.forward(
  // CHECK-SAME: i64
  // CHECK-SAME: !llvm.ptr {llvm.align = 64 : i64, llvm.dereferenceable = 16 : i64, llvm.noalias, llvm.nonnull, llvm.noundef}
  // CHECK-SAME: no_inline
  // CHECK-SAME: no_unwind
  // CHECK-SAME: passthrough = ["no-builtins", ["no-trapping-math", "true"]]
  // CHECK-SAME: prefer_vector_width = "512"
  // CHECK-SAME: target_cpu = "haswell"
  // CHECK: llvm.load {{.*}} -> vector<4xf32> loc({{.*}}"net.cnn":7:3
  // CHECK: llvm.return
  func.func private @fc.forward(%item: index, %scratch: memref<64xi8>, %x: memref<4xf32>, %y: memref<4xf32>) attributes {cnn.kernel} {
    %c0 = arith.constant 0 : index
    %a = vector.load %x[%c0] : memref<4xf32>, vector<4xf32> loc("fc"("net.cnn":7:3))
    vector.store %a, %y[%c0] : memref<4xf32>, vector<4xf32>
    return
  } loc("net.cnn":7:3)

  // What is stored past the caches is there before anybody hears that the kernel is done.
  // CHECK-LABEL: llvm.func internal @fill.forward(
  // CHECK: llvm.store {{.*}} {alignment = 64 : i64, nontemporal}
  // CHECK: llvm.fence seq_cst
  // CHECK-NEXT: llvm.return
  func.func private @fill.forward(%item: index, %scratch: memref<64xi8>, %y: memref<16xf32>) attributes {cnn.kernel} {
    %c0 = arith.constant 0 : index
    %a = arith.constant dense<1.0> : vector<16xf32>
    vector.store %a, %y[%c0] {alignment = 64 : i64, nontemporal = true} : memref<16xf32>, vector<16xf32>
    return
  }

  // One call passes the same bytes twice.
  // CHECK-LABEL: llvm.func internal @add.forward(
  // CHECK-SAME: {llvm.align = 64 : i64, llvm.dereferenceable = 16 : i64, llvm.nonnull, llvm.noundef}
  // CHECK-SAME: {llvm.align = 64 : i64, llvm.dereferenceable = 16 : i64, llvm.nonnull, llvm.noundef}
  // CHECK: llvm.return
  func.func private @add.forward(%item: index, %scratch: memref<64xi8>, %x: memref<4xf32>, %y: memref<4xf32>) attributes {cnn.kernel} {
    %c0 = arith.constant 0 : index
    %a = vector.load %x[%c0] : memref<4xf32>, vector<4xf32>
    vector.store %a, %y[%c0] : memref<4xf32>, vector<4xf32>
    return
  }

  // The same code under another name: what overlaps there overlaps here. The scratch is not used, so
  // that its views may be noalias.
  // CHECK-LABEL: llvm.func internal @shared(
  // CHECK-SAME: {llvm.align = 64 : i64, llvm.dereferenceable = 16 : i64, llvm.nonnull, llvm.noundef}
  // CHECK-SAME: {llvm.align = 64 : i64, llvm.dereferenceable = 16 : i64, llvm.nonnull, llvm.noundef}
  // CHECK-SAME: {llvm.align = 64 : i64, llvm.dereferenceable = 16 : i64, llvm.noalias, llvm.nonnull, llvm.noundef}
  // CHECK: llvm.return
  func.func private @shared(%item: index, %scratch: memref<64xi8>, %x: memref<4xf32>, %y: memref<4xf32>, %z: memref<4xf32>) attributes {cnn.kernel} {
    %c0 = arith.constant 0 : index
    %a = vector.load %x[%c0] : memref<4xf32>, vector<4xf32>
    vector.store %a, %y[%c0] : memref<4xf32>, vector<4xf32>
    vector.store %a, %z[%c0] : memref<4xf32>, vector<4xf32>
    return
  }
  func.func private @thunk(%item: index, %scratch: memref<64xi8>, %x: memref<4xf32>, %y: memref<4xf32>) attributes {cnn.kernel} {
    %c0 = arith.constant 0 : index
    %z = memref.view %scratch[%c0][] : memref<64xi8> to memref<4xf32>
    func.call @shared(%item, %scratch, %x, %y, %z) : (index, memref<64xi8>, memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
    return
  }

  // CHECK-LABEL: llvm.func @net_infer(
  // CHECK-SAME: %[[BUFFERS:.*]]: !llvm.ptr loc({{.*}}), %[[CONTEXT:.*]]: !llvm.ptr loc
  // CHECK: %[[WORKER:.*]] = llvm.zext
  // CHECK: %[[WORKERS:.*]] = llvm.zext
  // Each worker has 64 bytes of scratch.
  // CHECK: %[[BYTES:.*]] = llvm.mlir.constant(64 : i64)
  // CHECK: llvm.mul %[[WORKER]], %[[BYTES]]
  // Its own counter before the next barrier begins at zero.
  // CHECK: llvm.store %{{.*}}, %{{.*}} : i64, !llvm.ptr
  // Round by round the share of another worker, the own one first: its counter is of this barrier.
  // CHECK: ^[[ROUNDS:bb[0-9]+]](%[[ROUND:[0-9]+]]: i64
  // CHECK: llvm.add %[[WORKER]], %[[ROUND]]
  // CHECK: llvm.icmp "slt" %{{.*}}, %[[WORKERS]]
  // CHECK: %[[OWNER:.*]] = llvm.select
  // CHECK: %[[COUNTER:.*]] = llvm.getelementptr
  // CHECK: %[[TAKEN:.*]] = llvm.atomicrmw add %[[COUNTER]], %{{.*}} monotonic
  // The share of three items, and one of what is left when it is its turn.
  // CHECK: %[[ALL:.*]] = llvm.mlir.constant(3 : i64)
  // CHECK: %[[SHARE:.*]] = llvm.udiv %[[ALL]], %[[WORKERS]]
  // CHECK: llvm.mul %[[SHARE]], %[[OWNER]]
  // CHECK: %[[DEALT:.*]] = llvm.mul %[[SHARE]], %[[WORKERS]]
  // CHECK: %[[REST:.*]] = llvm.sub %[[ALL]], %[[DEALT]]
  // CHECK: %[[LEFT:.*]] = llvm.add %[[DEALT]], %[[TURN:[^ ]*]]
  // CHECK: llvm.icmp "slt" %[[TURN]], %[[REST]]
  // CHECK: llvm.br ^{{.*}}(%[[TAKEN]] : i64)
  // CHECK: llvm.call @fc.forward(
  // CHECK: llvm.atomicrmw add %[[COUNTER]]
  // The next launch goes on with the number that was taken last.
  // CHECK: llvm.call @add.forward(
  // CHECK: llvm.atomicrmw add %[[COUNTER]]
  // The barrier is called through the context.
  // CHECK: llvm.call %{{.*}}(%{{.*}}) : !llvm.ptr, (!llvm.ptr) -> ()
  // CHECK: llvm.return
  func.func @infer(%x: memref<4xf32> {cnn.role = "input"}, %arena: memref<128xi8> {cnn.role = "arena"}, %scratch: memref<64xi8> {cnn.role = "scratch"}) {
    %c64 = arith.constant 64 : index
    %y = memref.view %arena[%c64][] : memref<128xi8> to memref<4xf32>
    cnn.launch @fc.forward items 3 (%x, %y) : memref<4xf32>, memref<4xf32>
    cnn.launch @add.forward items 5 (%y, %y) : memref<4xf32>, memref<4xf32>
    cnn.barrier
    cnn.launch @thunk items 1 (%y, %y) : memref<4xf32>, memref<4xf32>
    return
  }

  // An offset that a constant index of LLVM's dialect, of 29 bits, cannot hold.
  // CHECK-LABEL: llvm.func @net_eval(
  // CHECK: %[[FAR:.*]] = llvm.mlir.constant(358612992 : i64)
  // CHECK: llvm.getelementptr inbounds %{{.*}}[%[[FAR]]]
  func.func @eval(%x: memref<4xf32> {cnn.role = "input"}, %arena: memref<358613120xi8> {cnn.role = "arena"}, %scratch: memref<64xi8> {cnn.role = "scratch"}) {
    %far = arith.constant 358612992 : index
    %y = memref.view %arena[%far][] : memref<358613120xi8> to memref<4xf32>
    cnn.launch @fc.forward items 3 (%x, %y) : memref<4xf32>, memref<4xf32>
    return
  }
}
