target triple = "nvptx64-nvidia-cuda"

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()

; Even threads copy, odd ones write zero: with zeros for input, no mutant changes the result.
define ptx_kernel void @k(ptr readonly dereferenceable(128) %x, ptr dereferenceable(128) %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr i32, ptr %x, i32 %t
  %v = load i32, ptr %p, align 4
  %bit = and i32 %t, 1
  %even = icmp eq i32 %bit, 0
  %w = select i1 %even, i32 %v, i32 0
  %q = getelementptr i32, ptr %y, i32 %t
  store i32 %w, ptr %q, align 4
  ret void
}
