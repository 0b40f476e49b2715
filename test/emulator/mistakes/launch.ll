; DEFINE: %{run} = env CNN_FAKECUDA_CHECK=1 %emulate %s
; RUN: %{run} --kernel block_size --block 64 f32:4=iota f32:4
; RUN: not %{run} --kernel block_size --block 32 f32:4=iota f32:4 2>&1 | FileCheck %s --check-prefix=SIZE
; RUN: not %{run} --kernel no_alias --block 1025 f32:4=iota f32:4 2>&1 | FileCheck %s --check-prefix=SIZE
; RUN: not %{run} --kernel no_alias --grid 1,65536 f32:4=iota f32:4 2>&1 | FileCheck %s --check-prefix=SIZE
; RUN: not %{run} --kernel no_alias --shared 232449 f32:4=iota f32:4 2>&1 | FileCheck %s --check-prefix=SHARED
; RUN: %{run} --kernel no_alias --shared 232448 f32:4=iota f32:4
; RUN: not %{run} --kernel no_alias f32:4=iota @0 2>&1 | FileCheck %s --check-prefix=ALIAS
; RUN: %{run} --kernel read_only f32:4=iota @0
; RUN: not %{run} --kernel aligned f32:4=iota @0+4 2>&1 | FileCheck %s --check-prefix=ALIGN
; RUN: not %{run} --kernel large f32:4=iota f32:4 2>&1 | FileCheck %s --check-prefix=LARGE
; SIZE: cuLaunchKernel: CUDA_ERROR_INVALID_VALUE
; SHARED: cuFuncSetAttribute: CUDA_ERROR_INVALID_VALUE
; ALIAS: argument 0 of kernel 'no_alias' is noalias, but overlaps argument 1
; ALIGN: argument 1 of kernel 'aligned' is not aligned to 16 bytes
; LARGE: argument 1 of kernel 'large' does not point to 20 bytes of device memory
; If this fails, a launch that breaks a promise of the kernel or a limit of the device goes through.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

define ptx_kernel void @block_size(ptr %x, ptr %y) "nvvm.reqntid"="64" {
  ret void
}

define ptx_kernel void @no_alias(ptr noalias dereferenceable(16) %x, ptr dereferenceable(16) %y) {
  ret void
}

define ptx_kernel void @read_only(ptr noalias readonly dereferenceable(16) %x, ptr noalias readonly dereferenceable(16) %y) {
  ret void
}

define ptx_kernel void @aligned(ptr %x, ptr align 16 dereferenceable(4) %y) {
  ret void
}

define ptx_kernel void @large(ptr %x, ptr dereferenceable(20) %y) {
  ret void
}
