; DEFINE: %{run} = env CNN_FAKECUDA_CHECK=1 %emulate %s --block 64
; RUN: %{run} --kernel right --expect "b[0] == [63 - t for t in range(64)]" i32:64
; RUN: not %{run} --kernel no_barrier i32:64 2>&1 | FileCheck %s --check-prefix=MISSING
; RUN: not %{run} --kernel reused i32:64 2>&1 | FileCheck %s --check-prefix=REUSED
; RUN: not %{run} --kernel same_word i32:64 2>&1 | FileCheck %s --check-prefix=WRITES
; RUN: not %{run} --kernel never i32:64 2>&1 | FileCheck %s --check-prefix=NEVER
; RUN: %{run} --kernel warp_right i32:64
; RUN: not %{run} --kernel warp_missing i32:64 2>&1 | FileCheck %s --check-prefix=WARP
; RUN: not %{run} --kernel warp_across i32:64 2>&1 | FileCheck %s --check-prefix=ACROSS
; RUN: %{run} --kernel blocks_right --grid 2 i32:128
; RUN: not %{run} --kernel blocks --grid 2 i32:128 2>&1 | FileCheck %s --check-prefix=BLOCKS
; RUN: %{run} --kernel atomics --grid 2 --expect "b[0][0] == 128" i32:64=zero
; RUN: not %{run} --kernel atomic_and_load --grid 2 i32:64=zero 2>&1 | FileCheck %s --check-prefix=ATOMIC
; RUN: %emulate %s --block 64 --kernel no_barrier i32:64
; If this fails, the checker misses a race or an uninitialised read, or finds one that is none. (The last line: without it, nothing is found.)
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@tile = internal addrspace(3) global [64 x i32] undef, align 16

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare void @llvm.nvvm.bar.warp.sync(i32)

; Writes its word, and after a barrier reads that of thread 63 - t.
define ptx_kernel void @right(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr i32, ptr addrspace(3) @tile, i32 %t
  store i32 %t, ptr addrspace(3) %p, align 4
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %other = sub i32 63, %t
  %q = getelementptr i32, ptr addrspace(3) @tile, i32 %other
  %v = load i32, ptr addrspace(3) %q, align 4
  %to = getelementptr i32, ptr %y, i32 %t
  store i32 %v, ptr %to, align 4
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  store i32 0, ptr addrspace(3) %q, align 4
  ret void
}

; In ascending order, thread 32 is the first to read what another one wrote.
; MISSING: {{read of memory that was never written|race: read after write}}: offset
define ptx_kernel void @no_barrier(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr i32, ptr addrspace(3) @tile, i32 %t
  store i32 %t, ptr addrspace(3) %p, align 4
  %other = xor i32 %t, 1
  %q = getelementptr i32, ptr addrspace(3) @tile, i32 %other
  %v = load i32, ptr addrspace(3) %q, align 4
  %to = getelementptr i32, ptr %y, i32 %t
  store i32 %v, ptr %to, align 4
  ret void
}

; REUSED: thread (32,0,0): race: write after read: offset 124 of shared memory 'tile', other thread 31 of block 0
; REUSED-NEXT: at: store i32 0
define ptx_kernel void @reused(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr i32, ptr addrspace(3) @tile, i32 %t
  store i32 %t, ptr addrspace(3) %p, align 4
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %v = load i32, ptr addrspace(3) %p, align 4
  %c = icmp eq i32 %t, 32
  br i1 %c, label %write, label %exit
write:
  %q = getelementptr i32, ptr addrspace(3) @tile, i32 31
  store i32 0, ptr addrspace(3) %q, align 4
  br label %exit
exit:
  %to = getelementptr i32, ptr %y, i32 %t
  store i32 %v, ptr %to, align 4
  ret void
}

; WRITES: thread (1,0,0): race: write after write: offset 0 of shared memory 'tile', other thread 0 of block 0
define ptx_kernel void @same_word(ptr %y) {
  store i32 5, ptr addrspace(3) @tile, align 4
  ret void
}

; NEVER: thread (0,0,0): read of memory that was never written: offset 0 of shared memory 'tile'
define ptx_kernel void @never(ptr %y) {
  %v = load i32, ptr addrspace(3) @tile, align 4
  ret void
}

define ptx_kernel void @warp_right(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr i32, ptr addrspace(3) @tile, i32 %t
  store i32 %t, ptr addrspace(3) %p, align 4
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %other = xor i32 %t, 31
  %q = getelementptr i32, ptr addrspace(3) @tile, i32 %other
  %v = load i32, ptr addrspace(3) %q, align 4
  ret void
}

; WARP: race: read after write: offset 124 of shared memory 'tile'
define ptx_kernel void @warp_missing(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr i32, ptr addrspace(3) @tile, i32 %t
  store i32 0, ptr addrspace(3) %p, align 4
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  store i32 %t, ptr addrspace(3) %p, align 4
  %c = icmp eq i32 %t, 32
  br i1 %c, label %read, label %exit
read:
  %q = getelementptr i32, ptr addrspace(3) @tile, i32 31
  %v = load i32, ptr addrspace(3) %q, align 4
  br label %exit
exit:
  ret void
}

; Within a warp it would do; thread 32 is of another.
; ACROSS: race: read after write: offset 124 of shared memory 'tile', other thread 31 of block 0
define ptx_kernel void @warp_across(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr i32, ptr addrspace(3) @tile, i32 %t
  store i32 %t, ptr addrspace(3) %p, align 4
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %c = icmp eq i32 %t, 32
  br i1 %c, label %read, label %exit
read:
  %q = getelementptr i32, ptr addrspace(3) @tile, i32 31
  %v = load i32, ptr addrspace(3) %q, align 4
  br label %exit
exit:
  ret void
}

define ptx_kernel void @blocks_right(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %b = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %row = mul i32 %b, 64
  %i = add i32 %row, %t
  %p = getelementptr i32, ptr %y, i32 %i
  store i32 %t, ptr %p, align 4
  ret void
}

; Half of what a block writes is the next one's.
; BLOCKS: block (1,0,0), thread (0,0,0): race: write after write: offset 128 of argument 0, other thread 32 of block 0
define ptx_kernel void @blocks(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %b = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %row = mul i32 %b, 32
  %i = add i32 %row, %t
  %p = getelementptr i32, ptr %y, i32 %i
  store i32 %t, ptr %p, align 4
  ret void
}

define ptx_kernel void @atomics(ptr %y) {
  %old = atomicrmw add ptr %y, i32 1 monotonic
  ret void
}

; ATOMIC: race: {{read after write|write after read}}: offset 0 of argument 0
define ptx_kernel void @atomic_and_load(ptr %y) {
  %old = atomicrmw add ptr %y, i32 1 monotonic
  %v = load i32, ptr %y, align 4
  ret void
}
