; DEFINE: %{run} = env CNN_FAKECUDA_CHECK=1 %emulate %s --block 64
; RUN: %{run} --kernel right f32:64
; RUN: not %{run} --kernel half f32:64 2>&1 | FileCheck %s --check-prefix=HALF
; RUN: not %emulate %s --block 64 --kernel stuck f32:64 2>&1 | FileCheck %s --check-prefix=STUCK
; RUN: not %{run} --kernel two_places f32:64 2>&1 | FileCheck %s --check-prefix=PLACES
; RUN: not %{run} --kernel shuffle_places f32:64 2>&1 | FileCheck %s --check-prefix=SHUFFLE
; RUN: not %{run} --kernel shuffle_absent f32:64 2>&1 | FileCheck %s --check-prefix=ABSENT
; RUN: not %{run} --kernel shuffle_mask f32:64 2>&1 | FileCheck %s --check-prefix=MASK
; RUN: not env CNN_FAKECUDA_CHECK=1 %emulate %s --block 48 --kernel matrix f32:64=zero 2>&1 | FileCheck %s --check-prefix=MATRIX
; RUN: not %{run} --kernel ldmatrix f32:64 2>&1 | FileCheck %s --check-prefix=ROW
; If this fails, a barrier or a warp operation that not all threads come to is not found.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@tile = internal addrspace(3) global [64 x float] undef, align 4

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare float @llvm.nvvm.shfl.sync.bfly.f32(i32, float, i32, i32)
declare {i32, i32} @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x2.b16.p3(ptr addrspace(3))
declare {float, float, float, float} @llvm.nvvm.mma.m16n8k4.row.col.tf32(i32, i32, i32, float, float, float, float)

; Different warps may come to different barriers of one number.
define ptx_kernel void @right(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %c = icmp ult i32 %t, 32
  br i1 %c, label %low, label %high
low:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %exit
high:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %exit
exit:
  ret void
}

; HALF: divergent barrier: other threads of its block have exited
; HALF-NEXT: at: call void @llvm.nvvm.barrier
define ptx_kernel void @half(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %c = icmp ult i32 %t, 32
  br i1 %c, label %low, label %exit
low:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %exit
exit:
  ret void
}

; STUCK: divergent barrier or warp operation: threads wait for ones that never come
; STUCK: CUDA_ERROR_LAUNCH_TIMEOUT
define ptx_kernel void @stuck(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %c = icmp ult i32 %t, 32
  br i1 %c, label %low, label %high
low:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %exit
high:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 1)
  br label %exit
exit:
  ret void
}

; PLACES: divergent barrier: other threads of its warp wait at another one
define ptx_kernel void @two_places(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %c = icmp ult i32 %t, 16
  br i1 %c, label %low, label %high
low:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %exit
high:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %exit
exit:
  ret void
}

; SHUFFLE: divergent warp operation: other lanes wait at
define ptx_kernel void @shuffle_places(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %c = icmp ult i32 %t, 16
  br i1 %c, label %low, label %high
low:
  %v = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float 1.0, i32 16, i32 31)
  br label %exit
high:
  %w = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float 2.0, i32 16, i32 31)
  br label %exit
exit:
  ret void
}

; ABSENT: a shuffle from a lane that does not take part
define ptx_kernel void @shuffle_absent(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %lane = and i32 %t, 31
  %c = icmp ult i32 %lane, 16
  br i1 %c, label %low, label %exit
low:
  %v = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 65535, float 1.0, i32 16, i32 31)
  br label %exit
exit:
  ret void
}

; MASK: a warp operation whose mask leaves out the thread itself
define ptx_kernel void @shuffle_mask(ptr %y) {
  %v = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 65535, float 1.0, i32 1, i32 31)
  ret void
}

; The second warp of 48 threads has 16 lanes.
; MATRIX: block (0,0,0), thread ({{3[2-9]|4[0-7]}},0,0): a matrix operation without all 32 lanes
define ptx_kernel void @matrix(ptr %y) {
  %r = call {float, float, float, float} @llvm.nvvm.mma.m16n8k4.row.col.tf32(i32 0, i32 0, i32 0, float 0.0, float 0.0, float 0.0, float 0.0)
  ret void
}

; ROW: an ldmatrix row that is not aligned to 16 bytes
define ptx_kernel void @ldmatrix(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr addrspace(3) @tile, i32 %t
  store float 0.0, ptr addrspace(3) %p, align 4
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %r = call {i32, i32} @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x2.b16.p3(ptr addrspace(3) %p)
  ret void
}
