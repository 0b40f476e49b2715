; RUN: %emulate %s --block 1 --expect "b[0] == [4]" i32:1=3
; If this fails, one thread alone does not work; streams.test runs this kernel too.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

define ptx_kernel void @add_one(ptr %x) {
  %v = load i32, ptr %x, align 4
  %w = add i32 %v, 1
  store i32 %w, ptr %x, align 4
  ret void
}
