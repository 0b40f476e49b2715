; RUN: %emulate %s --block 64 --expect "b[1] == [sum(a[0][:32])] * 32 + [sum(a[0][32:])] * 32 and b[2] == [0x55555555] * 64 and b[3] == [496 if i < 32 else 1520 for i in range(64)]" f32:64=iota f32:64 i32:64 i32:64
; RUN: env CNN_FAKECUDA_CHECK=1 CNN_FAKECUDA_SEED=3 %emulate %s --block 64 --expect "b[1][0] == 496 and b[2][0] == 0x55555555" f32:64=iota f32:64 i32:64 i32:64
; If this fails, a shuffle, a vote or a warp reduction gives other values than PTX says.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare float @llvm.nvvm.shfl.sync.bfly.f32(i32, float, i32, i32)
declare i32 @llvm.nvvm.vote.ballot.sync(i32, i1)
declare i32 @llvm.nvvm.redux.sync.add(i32, i32)

define ptx_kernel void @k(ptr %x, ptr %sums, ptr %ballots, ptr %reduced) {
entry:
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %from = getelementptr float, ptr %x, i32 %t
  %v = load float, ptr %from, align 4
  br label %loop
loop:
  %offset = phi i32 [ 16, %entry ], [ %half, %loop ]
  %sum = phi float [ %v, %entry ], [ %next, %loop ]
  %other = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %sum, i32 %offset, i32 31)
  %next = fadd float %sum, %other
  %half = lshr i32 %offset, 1
  %more = icmp ne i32 %half, 0
  br i1 %more, label %loop, label %done
done:
  %to = getelementptr float, ptr %sums, i32 %t
  store float %next, ptr %to, align 4
  %bit = and i32 %t, 1
  %even = icmp eq i32 %bit, 0
  %ballot = call i32 @llvm.nvvm.vote.ballot.sync(i32 -1, i1 %even)
  %toBallot = getelementptr i32, ptr %ballots, i32 %t
  store i32 %ballot, ptr %toBallot, align 4
  %all = call i32 @llvm.nvvm.redux.sync.add(i32 %t, i32 -1)
  %toReduced = getelementptr i32, ptr %reduced, i32 %t
  store i32 %all, ptr %toReduced, align 4
  ret void
}
