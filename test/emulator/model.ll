; DEFINE: %{run} = env CNN_FAKECUDA_MODEL=%t %emulate %s --block 64
; RUN: rm -f %t
; RUN: %{run} --kernel right f32:64=iota f32:64
; RUN: %{run} --kernel strided f32:2048=iota f32:64
; RUN: %{run} --kernel wide f32:2048=iota f32:256
; RUN: %{run} --kernel conflicts f32:64=iota f32:64
; RUN: %{run} --kernel padded f32:64=iota f32:64
; RUN: FileCheck %s < %t
; If this fails, sectors of global memory or bank conflicts of shared memory are counted wrongly.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@tile = internal addrspace(3) global [2112 x float] undef, align 128

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)

; Two warps: a load of 4 sectors each, a store of 4; one pass each to and from shared memory.
; CHECK: right global load requests 2 units 8 ideal 8 ratio 1.00
; CHECK-NEXT: right global store requests 2 units 8 ideal 8 ratio 1.00
; CHECK-NEXT: right shared load requests 2 units 2 ideal 2 ratio 1.00
; CHECK-NEXT: right shared store requests 2 units 2 ideal 2 ratio 1.00
define ptx_kernel void @right(ptr %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr %x, i32 %t
  %v = load float, ptr %p, align 4
  %s = getelementptr float, ptr addrspace(3) @tile, i32 %t
  store float %v, ptr addrspace(3) %s, align 4
  ; One word for a whole warp is one pass.
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %warp = lshr i32 %t, 5
  %r = getelementptr float, ptr addrspace(3) @tile, i32 %warp
  %w = load float, ptr addrspace(3) %r, align 4
  %q = getelementptr float, ptr %y, i32 %t
  store float %w, ptr %q, align 4
  ret void
}

; 32 elements apart: a sector for each lane.
; CHECK-NEXT: strided global load requests 2 units 64 ideal 8 ratio 8.00
; CHECK-NEXT: strided global store requests 2 units 8 ideal 8 ratio 1.00
; CHECK-NEXT: strided global load requests 2 units 64 ideal 8 ratio 8.00 %v = load float
define ptx_kernel void @strided(ptr %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %i = mul i32 %t, 32
  %p = getelementptr float, ptr %x, i32 %i
  %v = load float, ptr %p, align 4
  %q = getelementptr float, ptr %y, i32 %t
  store float %v, ptr %q, align 4
  ret void
}

; 16 bytes a lane: 16 sectors, and four passes through the banks, a quarter of the warp each.
; CHECK-NEXT: wide global load requests 2 units 32 ideal 32 ratio 1.00
; CHECK-NEXT: wide shared store requests 2 units 8 ideal 8 ratio 1.00
define ptx_kernel void @wide(ptr %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr <4 x float>, ptr %x, i32 %t
  %v = load <4 x float>, ptr %p, align 16
  %s = getelementptr <4 x float>, ptr addrspace(3) @tile, i32 %t
  store <4 x float> %v, ptr addrspace(3) %s, align 16
  ret void
}

; A column of rows of 32 words: all in one bank.
; CHECK-NEXT: conflicts global load requests 2 units 8 ideal 8 ratio 1.00
; CHECK-NEXT: conflicts shared store requests 2 units 64 ideal 2 ratio 32.00
; CHECK-NEXT: conflicts shared store requests 2 units 64 ideal 2 ratio 32.00 store float
define ptx_kernel void @conflicts(ptr %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr %x, i32 %t
  %v = load float, ptr %p, align 4
  %i = mul i32 %t, 32
  %s = getelementptr float, ptr addrspace(3) @tile, i32 %i
  store float %v, ptr addrspace(3) %s, align 4
  ret void
}

; CHECK-NEXT: padded global load requests 2 units 8 ideal 8 ratio 1.00
; CHECK-NEXT: padded shared store requests 2 units 2 ideal 2 ratio 1.00
; CHECK-NOT: {{.}}
define ptx_kernel void @padded(ptr %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr %x, i32 %t
  %v = load float, ptr %p, align 4
  %i = mul i32 %t, 33
  %s = getelementptr float, ptr addrspace(3) @tile, i32 %i
  store float %v, ptr addrspace(3) %s, align 4
  ret void
}
