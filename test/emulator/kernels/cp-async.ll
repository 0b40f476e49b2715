; RUN: %emulate %s --block 64 --expect "b[1] == [x for i in range(64) for x in ([0] * 4 if i == 63 else a[0][(63 - i) * 4:(63 - i) * 4 + 4])]" f32:256=iota f32:256
; RUN: env CNN_FAKECUDA_CHECK=1 %emulate %s --block 64 --expect "b[1][:4] == [252, 253, 254, 255]" f32:256=iota f32:256
; If this fails, a cp.async copies other bytes, does not fill with zeros, or waits for other groups.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@tile = internal addrspace(3) global [256 x float] undef, align 16

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare void @llvm.nvvm.cp.async.cg.shared.global.16.s(ptr addrspace(3), ptr addrspace(1), i32)
declare void @llvm.nvvm.cp.async.commit.group()
declare void @llvm.nvvm.cp.async.wait.group(i32)

; Copies 16 bytes a thread to shared memory (thread 0: zeros instead), and from there in reverse.
define ptx_kernel void @k(ptr align 16 dereferenceable(1024) %x, ptr align 16 dereferenceable(1024) %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %global = addrspacecast ptr %x to ptr addrspace(1)
  %from = getelementptr <4 x float>, ptr addrspace(1) %global, i32 %t
  %to = getelementptr <4 x float>, ptr addrspace(3) @tile, i32 %t
  %first = icmp eq i32 %t, 0
  %bytes = select i1 %first, i32 0, i32 16
  call void @llvm.nvvm.cp.async.cg.shared.global.16.s(ptr addrspace(3) %to, ptr addrspace(1) %from, i32 %bytes)
  call void @llvm.nvvm.cp.async.commit.group()
  call void @llvm.nvvm.cp.async.commit.group()
  call void @llvm.nvvm.cp.async.wait.group(i32 1)
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %other = sub i32 63, %t
  %there = getelementptr <4 x float>, ptr addrspace(3) @tile, i32 %other
  %v = load <4 x float>, ptr addrspace(3) %there, align 16
  %out = getelementptr <4 x float>, ptr %y, i32 %t
  store <4 x float> %v, ptr %out, align 16
  ret void
}
