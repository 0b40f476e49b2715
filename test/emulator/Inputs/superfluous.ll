target triple = "nvptx64-nvidia-cuda"

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare i32 @llvm.umin.i32(i32, i32)

; Each thread adds to its own word 5 when it is below 16, else 1; nobody reads another's.
define ptx_kernel void @k(ptr dereferenceable(128) %x) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %inside = icmp ult i32 %t, 32
  br i1 %inside, label %body, label %exit
body:
  %p = getelementptr i32, ptr %x, i32 %t
  %v = load i32, ptr %p, align 4
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %bounded = call i32 @llvm.umin.i32(i32 %t, i32 15)
  %above = sub i32 %t, %bounded
  %sign = sub i32 0, %above
  %mask = ashr i32 %sign, 31
  %less = and i32 %mask, -4
  %add = add i32 5, %less
  %w = add i32 %v, %add
  store i32 %w, ptr %p, align 4
  br label %exit
exit:
  ret void
}
