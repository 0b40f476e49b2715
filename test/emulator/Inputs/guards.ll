target triple = "nvptx64-nvidia-cuda"

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()

; Threads from 16 on write 7, whatever they read: %near only spares them a load. Where %inside does not
; hold, %low does not either.
define ptx_kernel void @k(ptr readonly dereferenceable(128) %x, ptr dereferenceable(128) %y) {
entry:
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %near = icmp ult i32 %t, 16
  br i1 %near, label %read, label %join
read:
  %p = getelementptr i32, ptr %x, i32 %t
  %v = load i32, ptr %p, align 4
  br label %join
join:
  %s = phi i32 [ %v, %read ], [ 0, %entry ]
  %low = icmp slt i32 %t, 16
  %inside = icmp ult i32 %t, 20
  %both = and i1 %low, %inside
  %index = select i1 %both, i32 %t, i32 0
  %r = getelementptr i32, ptr %x, i32 %index
  %a = load i32, ptr %r, align 4
  %sum = add i32 %s, %a
  %w = select i1 %low, i32 %sum, i32 7
  %q = getelementptr i32, ptr %y, i32 %t
  store i32 %w, ptr %q, align 4
  ret void
}
