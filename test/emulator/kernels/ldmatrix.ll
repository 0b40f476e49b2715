; RUN: %emulate %s --expect "b[1] == [a[0][8 * (t // 4 + 8 * m) + 2 * (t % 4) + h] for t in range(32) for m in range(4) for h in range(2)] and b[2] == [a[0][8 * (2 * (t % 4) + h + 8 * m) + t // 4] for t in range(32) for m in range(2) for h in range(2)]" f16:256=iota f16:256 f16:128
; RUN: env CNN_FAKECUDA_CHECK=1 %emulate %s --expect "b[1][2] == a[0][64]" f16:256=iota f16:256 f16:128
; If this fails, ldmatrix (x4, and x2 transposed) gives lanes other elements than the PTX manual.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@tile = internal addrspace(3) global [256 x half] undef, align 16

declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare {i32, i32, i32, i32} @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3))
declare {i32, i32} @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x2.trans.b16.p3(ptr addrspace(3))

define ptx_kernel void @k(ptr align 16 dereferenceable(512) %x, ptr align 16 %plain, ptr align 8 %transposed) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %row = mul i32 %t, 8
  %from = getelementptr half, ptr %x, i32 %row
  %to = getelementptr half, ptr addrspace(3) @tile, i32 %row
  %v = load <8 x half>, ptr %from, align 16
  store <8 x half> %v, ptr addrspace(3) %to, align 16
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %four = call {i32, i32, i32, i32} @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %to)
  %two = call {i32, i32} @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x2.trans.b16.p3(ptr addrspace(3) %to)
  %p = getelementptr [4 x i32], ptr %plain, i32 %t
  %q = getelementptr [2 x i32], ptr %transposed, i32 %t
  store {i32, i32, i32, i32} %four, ptr %p, align 16
  store {i32, i32} %two, ptr %q, align 8
  ret void
}
