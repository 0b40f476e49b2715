; DEFINE: %{run} = env CNN_FAKECUDA_CHECK=1 %emulate %s --block 32
; RUN: %{run} --kernel right f32:128=iota f32:128
; RUN: not %{run} --kernel no_wait f32:128=iota f32:128 2>&1 | FileCheck %s --check-prefix=NOWAIT
; RUN: not %{run} --kernel wait_too_few f32:128=iota f32:128 2>&1 | FileCheck %s --check-prefix=NOWAIT
; RUN: not %{run} --kernel no_barrier f32:128=iota f32:128 2>&1 | FileCheck %s --check-prefix=NOBARRIER
; RUN: not %{run} --kernel overwrite f32:128=iota f32:128 2>&1 | FileCheck %s --check-prefix=OVERWRITE
; RUN: not %{run} --kernel at_exit f32:128=iota f32:128 2>&1 | FileCheck %s --check-prefix=EXIT
; RUN: not %{run} --kernel source_above f32:128=iota f32:128 2>&1 | FileCheck %s --check-prefix=SOURCE
; RUN: not %{run} --kernel misaligned f32:128=iota f32:128 2>&1 | FileCheck %s --check-prefix=ALIGN
; If this fails, the checker misses a cp.async that is not waited for or goes to the wrong place.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@tile = internal addrspace(3) global [128 x float] undef, align 16

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3), ptr addrspace(1))
declare void @llvm.nvvm.cp.async.commit.group()
declare void @llvm.nvvm.cp.async.wait.group(i32)
declare void @llvm.nvvm.cp.async.wait.all()

define internal void @issue(ptr %x, i32 %to, i32 %from) noinline {
  %g = addrspacecast ptr %x to ptr addrspace(1)
  %p = getelementptr float, ptr addrspace(1) %g, i32 %from
  %q = getelementptr <4 x float>, ptr addrspace(3) @tile, i32 %to
  call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) %q, ptr addrspace(1) %p)
  call void @llvm.nvvm.cp.async.commit.group()
  ret void
}

; Copies to y what lane 31 - t copied.
define internal void @take(ptr %y, i32 %t) noinline {
  %o = sub i32 31, %t
  %p = getelementptr <4 x float>, ptr addrspace(3) @tile, i32 %o
  %v = load <4 x float>, ptr addrspace(3) %p, align 16
  %q = getelementptr <4 x float>, ptr %y, i32 %t
  store <4 x float> %v, ptr %q, align 16
  ret void
}

define ptx_kernel void @right(ptr dereferenceable(512) %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %f = mul i32 %t, 4
  call void @issue(ptr %x, i32 %t, i32 %f)
  call void @llvm.nvvm.cp.async.wait.group(i32 0)
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  call void @take(ptr %y, i32 %t)
  ret void
}

; NOWAIT: read of memory that a cp.async is writing (missing wait): offset {{[0-9]+}} of shared memory 'tile'
define ptx_kernel void @no_wait(ptr dereferenceable(512) %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %f = mul i32 %t, 4
  call void @issue(ptr %x, i32 %t, i32 %f)
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  call void @take(ptr %y, i32 %t)
  call void @llvm.nvvm.cp.async.wait.all()
  ret void
}

define ptx_kernel void @wait_too_few(ptr dereferenceable(512) %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %f = mul i32 %t, 4
  call void @issue(ptr %x, i32 %t, i32 %f)
  call void @llvm.nvvm.cp.async.wait.group(i32 1)
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  call void @take(ptr %y, i32 %t)
  call void @llvm.nvvm.cp.async.wait.all()
  ret void
}

; Its own copy is done; another lane's may not be, or not be seen.
; NOBARRIER: {{read of memory that was never written|race: read after write}}: offset {{[0-9]+}} of shared memory 'tile'
define ptx_kernel void @no_barrier(ptr dereferenceable(512) %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %f = mul i32 %t, 4
  call void @issue(ptr %x, i32 %t, i32 %f)
  call void @llvm.nvvm.cp.async.wait.group(i32 0)
  call void @take(ptr %y, i32 %t)
  ret void
}

; The next copy begins while lanes may still read the first.
; OVERWRITE: race: {{write after read|read after write}}: offset {{[0-9]+}} of shared memory 'tile'
define ptx_kernel void @overwrite(ptr dereferenceable(512) %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %f = mul i32 %t, 4
  call void @issue(ptr %x, i32 %t, i32 %f)
  call void @llvm.nvvm.cp.async.wait.group(i32 0)
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  call void @take(ptr %y, i32 %t)
  call void @issue(ptr %x, i32 %t, i32 %f)
  call void @llvm.nvvm.cp.async.wait.group(i32 0)
  ret void
}

; EXIT: exits with a cp.async not waited for
define ptx_kernel void @at_exit(ptr dereferenceable(512) %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %f = mul i32 %t, 4
  call void @issue(ptr %x, i32 %t, i32 %f)
  ret void
}

; SOURCE: thread (31,0,0): a load of 16 bytes out of bounds
define ptx_kernel void @source_above(ptr dereferenceable(512) %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %f = mul i32 %t, 4
  %g = add i32 %f, 4
  call void @issue(ptr %x, i32 %t, i32 %g)
  call void @llvm.nvvm.cp.async.wait.all()
  ret void
}

; ALIGN: misaligned cp.async
define ptx_kernel void @misaligned(ptr dereferenceable(512) %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  call void @issue(ptr %x, i32 %t, i32 %t)
  call void @llvm.nvvm.cp.async.wait.all()
  ret void
}
