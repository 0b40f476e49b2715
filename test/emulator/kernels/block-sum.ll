; RUN: %emulate %s --grid 3 --block 128 --expect "b[1] == [sum(range(i * 128, i * 128 + 128)) for i in range(3)]" f32:384=iota f32:3
; RUN: env CNN_FAKECUDA_CHECK=1 %emulate %s --grid 3 --block 128 --expect "b[1][1] == sum(range(128, 256))" f32:384=iota f32:3
; RUN: env CNN_FAKECUDA_CHECK=1 CNN_FAKECUDA_SEED=7 %emulate %s --grid 3 --block 128 --expect "b[1][2] == sum(range(256, 384))" f32:384=iota f32:3
; If this fails, barriers or shared memory went wrong, or the checker finds fault with a right kernel.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@partial = internal addrspace(3) global [128 x float] undef, align 16

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)

define ptx_kernel void @k(ptr readonly align 4 dereferenceable(1536) %x,
                          ptr align 4 dereferenceable(12) %y) {
entry:
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %b = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %first = mul i32 %b, 128
  %index = add i32 %first, %t
  %from = getelementptr float, ptr %x, i32 %index
  %v = load float, ptr %from, align 4
  %mine = getelementptr float, ptr addrspace(3) @partial, i32 %t
  store float %v, ptr addrspace(3) %mine, align 4
  br label %loop
loop:
  %width = phi i32 [ 64, %entry ], [ %half, %next ]
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %active = icmp ult i32 %t, %width
  br i1 %active, label %add, label %next
add:
  %other = add i32 %t, %width
  %theirs = getelementptr float, ptr addrspace(3) @partial, i32 %other
  %p = load float, ptr addrspace(3) %mine, align 4
  %q = load float, ptr addrspace(3) %theirs, align 4
  %sum = fadd float %p, %q
  store float %sum, ptr addrspace(3) %mine, align 4
  br label %next
next:
  %half = lshr i32 %width, 1
  %more = icmp ne i32 %half, 0
  br i1 %more, label %loop, label %done
done:
  %leader = icmp eq i32 %t, 0
  br i1 %leader, label %write, label %exit
write:
  %total = load float, ptr addrspace(3) @partial, align 4
  %to = getelementptr float, ptr %y, i32 %b
  store float %total, ptr %to, align 4
  br label %exit
exit:
  ret void
}
