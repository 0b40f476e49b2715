; RUN: %emulate %s --block 96 --expect "b[0] == [t + 32 if t < 32 else 7 * (t >= 64) for t in range(96)] and b[1] == [1] * 96" i32:96=zero i32:96
; If this fails, a barrier for some of the warps, an arrival without waiting, or a barrier that votes is wrong.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

@box = internal addrspace(3) global [32 x i32] undef, align 16

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.count(i32, i32)
declare void @llvm.nvvm.barrier.cta.arrive.aligned.count(i32, i32)
declare i1 @llvm.nvvm.barrier.cta.red.or.aligned.all(i32, i1)
declare i1 @llvm.nvvm.barrier.cta.red.and.aligned.all(i32, i1)

; Warp 1 fills a box and arrives, warp 0 waits for it; warp 2 has nothing to do with it.
define ptx_kernel void @k(ptr %y, ptr %votes) {
entry:
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %to = getelementptr i32, ptr %y, i32 %t
  %warp = lshr i32 %t, 5
  %lane = and i32 %t, 31
  %slot = getelementptr i32, ptr addrspace(3) @box, i32 %lane
  switch i32 %warp, label %idle [ i32 0, label %take
                                  i32 1, label %give ]
take:
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 1, i32 64)
  %v = load i32, ptr addrspace(3) %slot, align 4
  store i32 %v, ptr %to, align 4
  br label %all
give:
  store i32 %t, ptr addrspace(3) %slot, align 4
  call void @llvm.nvvm.barrier.cta.arrive.aligned.count(i32 1, i32 64)
  br label %all
idle:
  store i32 7, ptr %to, align 4
  br label %all
all:
  %one = icmp eq i32 %t, 70
  %any = call i1 @llvm.nvvm.barrier.cta.red.or.aligned.all(i32 0, i1 %one)
  %every = call i1 @llvm.nvvm.barrier.cta.red.and.aligned.all(i32 0, i1 %one)
  %not = xor i1 %every, true
  %both = and i1 %any, %not
  %word = zext i1 %both to i32
  %vote = getelementptr i32, ptr %votes, i32 %t
  store i32 %word, ptr %vote, align 4
  ret void
}
