; RUN: %emulate %s --block 64 --shared 65536 --expect "b[0] == [64 + 16383 - 256 * (63 - t) for t in range(64)]" i32:64
; RUN: env CNN_FAKECUDA_CHECK=1 %emulate %s --block 64 --shared 65536 --expect "b[0][63] == 64 + 16383" i32:64
; If this fails, dynamic shared memory does not lie behind the static, or is not as long as asked.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@static = internal addrspace(3) global [64 x i32] undef, align 4
@dynamic = external addrspace(3) global [0 x i8], align 16

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)

define ptx_kernel void @k(ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %s = getelementptr i32, ptr addrspace(3) @static, i32 %t
  store i32 64, ptr addrspace(3) %s, align 4
  ; The last word of 64 KiB is thread 0's; each next one lies 1 KiB before.
  %back = mul i32 %t, 256
  %index = sub i32 16383, %back
  %d = getelementptr i32, ptr addrspace(3) @dynamic, i32 %index
  store i32 %index, ptr addrspace(3) %d, align 4
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %other = sub i32 63, %t
  %backOther = mul i32 %other, 256
  %indexOther = sub i32 16383, %backOther
  %p = getelementptr i32, ptr addrspace(3) @dynamic, i32 %indexOther
  %v = load i32, ptr addrspace(3) %p, align 4
  %q = getelementptr i32, ptr addrspace(3) @static, i32 %other
  %w = load i32, ptr addrspace(3) %q, align 4
  %sum = add i32 %v, %w
  %to = getelementptr i32, ptr %y, i32 %t
  store i32 %sum, ptr %to, align 4
  ret void
}
