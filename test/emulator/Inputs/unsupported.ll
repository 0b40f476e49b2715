target triple = "nvptx64-nvidia-cuda"

declare void @llvm.nvvm.mbarrier.init(ptr, i32)

define ptx_kernel void @k(ptr %x) {
  call void asm sideeffect "trap;", ""()
  call void @llvm.nvvm.mbarrier.init(ptr %x, i32 1)
  ret void
}
