; RUN: %emulate %s --grid 2,2 --block 4,2 --expect "b[1] == [2 * x + 1 for x in a[0]]" f32:32=iota f32:32
; If this fails, special registers, a literal in global memory or a plain kernel went wrong.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@literal = private unnamed_addr addrspace(1) constant [2 x float] [float 2.0, float 1.0], align 4

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.tid.y()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.y()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.y()
declare i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()

; A thread of its own for each of 2 * 2 blocks of 4 * 2 threads.
define internal i64 @number() noinline {
  %tx = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %ty = call i32 @llvm.nvvm.read.ptx.sreg.tid.y()
  %nx = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %ny = call i32 @llvm.nvvm.read.ptx.sreg.ntid.y()
  %bx = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %by = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.y()
  %gx = call i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()
  %row = mul i32 %ty, %nx
  %thread = add i32 %row, %tx
  %blockrow = mul i32 %by, %gx
  %block = add i32 %blockrow, %bx
  %size = mul i32 %nx, %ny
  %first = mul i32 %block, %size
  %sum = add i32 %first, %thread
  %index = zext i32 %sum to i64
  ret i64 %index
}

define ptx_kernel void @k(ptr readonly align 16 dereferenceable(128) %x,
                          ptr align 16 dereferenceable(128) %y) {
  %i = call i64 @number()
  %from = getelementptr float, ptr %x, i64 %i
  %to = getelementptr float, ptr %y, i64 %i
  %v = load float, ptr %from, align 4
  %a = load float, ptr addrspace(1) @literal, align 4
  %b = load float, ptr addrspace(1) getelementptr (float, ptr addrspace(1) @literal, i64 1), align 4
  %scaled = fmul float %v, %a
  %r = fadd float %scaled, %b
  store float %r, ptr %to, align 4
  ret void
}
