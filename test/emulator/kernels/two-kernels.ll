; RUN: %emulate %s --kernel other f32:1
; If this fails, a kernel that is not the first of its module is not found.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

define ptx_kernel void @fine(ptr %x) {
  ret void
}

define ptx_kernel void @other(ptr %x) {
  ret void
}
