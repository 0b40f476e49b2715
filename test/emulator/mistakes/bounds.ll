; DEFINE: %{run} = env CNN_FAKECUDA_CHECK=1 %emulate %s --block 8
; RUN: %{run} --kernel right f32:8=iota f32:8
; RUN: not %{run} --kernel load_above f32:8=iota f32:8 2>&1 | FileCheck %s --check-prefix=ABOVE
; RUN: not %{run} --kernel load_below f32:8=iota f32:8 2>&1 | FileCheck %s --check-prefix=BELOW
; RUN: not %{run} --kernel store_above f32:8=iota f32:16 2>&1 | FileCheck %s --check-prefix=STORE
; RUN: not %{run} --kernel no_extent f32:8=iota f32:8 2>&1 | FileCheck %s --check-prefix=ALLOCATION
; RUN: not %{run} --kernel shared_above f32:8=iota f32:8 2>&1 | FileCheck %s --check-prefix=SHARED
; RUN: not %{run} --kernel either f32:8=iota f32:8 2>&1 | FileCheck %s --check-prefix=EITHER
; RUN: not %{run} --kernel write_constant f32:8=iota f32:8 2>&1 | FileCheck %s --check-prefix=CONSTANT
; RUN: not %{run} --kernel write_readonly f32:8=iota f32:8 2>&1 | FileCheck %s --check-prefix=READONLY
; RUN: %{run} --kernel in_place f32:8=iota @0 f32:8=iota @2
; RUN: not %{run} --kernel misaligned f32:8=iota f32:8 2>&1 | FileCheck %s --check-prefix=ALIGN
; RUN: not %{run} --kernel shared_misaligned f32:8=iota f32:8 2>&1 | FileCheck %s --check-prefix=PITFALL
; RUN: not %{run} --kernel unwritten f32:8 f32:8 2>&1 | FileCheck %s --check-prefix=UNWRITTEN
; RUN: not %{run} --kernel fill f32:8=iota f32:8 2>&1 | FileCheck %s --check-prefix=FILL
; If this fails, the checker misses an access that is out of bounds, misaligned or of memory that was never written.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@first = internal addrspace(3) global [8 x float] undef, align 16
@second = internal addrspace(3) global [8 x float] undef, align 16
@unaligned = internal addrspace(3) global [8 x float] undef
@literal = internal addrspace(1) constant [8 x float] zeroinitializer, align 16

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define ptx_kernel void @right(ptr dereferenceable(32) %x, ptr dereferenceable(32) %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr %x, i32 %t
  %v = load float, ptr %p, align 4
  %s = getelementptr float, ptr addrspace(3) @first, i32 %t
  store float %v, ptr addrspace(3) %s, align 4
  %w = load float, ptr addrspace(3) %s, align 4
  %q = getelementptr float, ptr %y, i32 %t
  store float %w, ptr %q, align 4
  ret void
}

; ABOVE: kernel 'load_above', block (0,0,0), thread (7,0,0): a load of 4 bytes out of bounds: offset 32 of argument 0, which has 32 bytes
; ABOVE-NEXT: at: %v = load float, ptr %p
; ABOVE: CUDA_ERROR_ILLEGAL_ADDRESS
define ptx_kernel void @load_above(ptr dereferenceable(32) %x, ptr dereferenceable(32) %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %i = add i32 %t, 1
  %p = getelementptr float, ptr %x, i32 %i
  %v = load float, ptr %p, align 4
  ret void
}

; BELOW: thread (0,0,0): a load of 4 bytes out of bounds: offset -4 of argument 0
define ptx_kernel void @load_below(ptr dereferenceable(32) %x, ptr dereferenceable(32) %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %i = sub i32 %t, 1
  %p = getelementptr float, ptr %x, i32 %i
  %v = load float, ptr %p, align 4
  ret void
}

; The allocation is longer: what counts is what the parameter says.
; STORE: a store of 4 bytes out of bounds: offset 32 of argument 1, which has 32 bytes
define ptx_kernel void @store_above(ptr dereferenceable(32) %x, ptr dereferenceable(32) %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %i = add i32 %t, 1
  %p = getelementptr float, ptr %y, i32 %i
  store float 1.0, ptr %p, align 4
  ret void
}

; ALLOCATION: a store of 4 bytes out of bounds: offset 32 of argument 1, which has 32 bytes
define ptx_kernel void @no_extent(ptr %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %i = add i32 %t, 1
  %p = getelementptr float, ptr %y, i32 %i
  store float 1.0, ptr %p, align 4
  ret void
}

; SHARED: a store of 4 bytes out of bounds: offset 32 of shared memory 'first', which has 32 bytes
define ptx_kernel void @shared_above(ptr %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %i = add i32 %t, 1
  %q = getelementptr float, ptr addrspace(3) @second, i32 %t
  store float 1.0, ptr addrspace(3) %q, align 4
  %p = getelementptr float, ptr addrspace(3) @first, i32 %i
  store float 1.0, ptr addrspace(3) %p, align 4
  ret void
}

; EITHER: a load of 4 bytes out of bounds: memory of no argument
define ptx_kernel void @either(ptr dereferenceable(32) %x, ptr dereferenceable(32) %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %c = icmp ult i32 %t, 4
  %b = select i1 %c, ptr %x, ptr %y
  %i = mul i32 %t, 100000000
  %p = getelementptr float, ptr %b, i32 %i
  %v = load float, ptr %p, align 4
  ret void
}

; CONSTANT: a store of 4 bytes to read-only memory: offset 0 of global 'literal'
define ptx_kernel void @write_constant(ptr %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr addrspace(1) @literal, i32 %t
  store float 1.0, ptr addrspace(1) %p, align 4
  ret void
}

; READONLY: a store of 4 bytes to read-only memory: offset 0 of argument 0
; A result may lie where an input does that is only read by its own name; whose store it is does not show.
define ptx_kernel void @in_place(ptr readonly dereferenceable(32) %x, ptr dereferenceable(32) %xx, ptr readonly dereferenceable(32) %y, ptr dereferenceable(32) %yy) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %c = icmp ult i32 %t, 4
  %b = select i1 %c, ptr %xx, ptr %yy
  %p = getelementptr float, ptr %b, i32 %t
  store float 1.0, ptr %p, align 4
  ret void
}
define ptx_kernel void @write_readonly(ptr readonly dereferenceable(32) %x, ptr %y) {
  store float 1.0, ptr %x, align 4
  ret void
}

; ALIGN: a load of 8 bytes not aligned to 8 bytes: offset 4 of argument 0
; ALIGN: CUDA_ERROR_MISALIGNED_ADDRESS
define ptx_kernel void @misaligned(ptr align 16 %x, ptr %y) {
  %p = getelementptr float, ptr %x, i32 1
  %v = load <2 x float>, ptr %p, align 8
  ret void
}

; A shared variable without an alignment: LLVM takes 16 bytes, PTX says 4.
; PITFALL: a store of 16 bytes not aligned to 16 bytes: offset 0 of shared memory 'unaligned'
define ptx_kernel void @shared_misaligned(ptr %x, ptr %y) {
  store <4 x float> zeroinitializer, ptr addrspace(3) @unaligned, align 16
  ret void
}

; UNWRITTEN: read of memory that was never written: offset 0 of argument 0
define ptx_kernel void @unwritten(ptr %x, ptr %y) {
  %v = load float, ptr %x, align 4
  ret void
}

; FILL: a store of 36 bytes out of bounds: offset 0 of argument 1, which has 32 bytes
define ptx_kernel void @fill(ptr %x, ptr %y) {
  call void @llvm.memset.p0.i64(ptr %y, i8 0, i64 36, i1 false)
  ret void
}
