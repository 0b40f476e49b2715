; RUN: %emulate %s --expect "b[0] == [t - 3 if t % 16 >= 3 else t for t in range(32)] and b[1] == [min(t % 8 + 2, 99) + t // 8 * 8 if t % 8 < 6 else t for t in range(32)] and b[2] == [t // 4 * 4 + 1 for t in range(32)] and b[3] == [int(t % 8 < 6) for t in range(32)]" i32:32 i32:32 i32:32 i32:32
; If this fails, shuffles within segments (clamp and segment mask) differ from the PTX manual.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare i32 @llvm.nvvm.shfl.sync.up.i32(i32, i32, i32, i32)
declare {i32, i1} @llvm.nvvm.shfl.sync.down.i32p(i32, i32, i32, i32)
declare i32 @llvm.nvvm.shfl.sync.idx.i32(i32, i32, i32, i32)

define ptx_kernel void @k(ptr %up, ptr %down, ptr %index, ptr %valid) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  ; Segments of 16: c = (32 - 16) << 8, and clamp 0 for up.
  %u = call i32 @llvm.nvvm.shfl.sync.up.i32(i32 -1, i32 %t, i32 3, i32 4096)
  ; Segments of 8: c = (32 - 8) << 8 | 31.
  %pair = call {i32, i1} @llvm.nvvm.shfl.sync.down.i32p(i32 -1, i32 %t, i32 2, i32 6175)
  %d = extractvalue {i32, i1} %pair, 0
  %ok = extractvalue {i32, i1} %pair, 1
  %in = zext i1 %ok to i32
  ; Segments of 4: c = (32 - 4) << 8 | 31.
  %i = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 -1, i32 %t, i32 1, i32 7199)
  %toUp = getelementptr i32, ptr %up, i32 %t
  %toDown = getelementptr i32, ptr %down, i32 %t
  %toIndex = getelementptr i32, ptr %index, i32 %t
  %toValid = getelementptr i32, ptr %valid, i32 %t
  store i32 %u, ptr %toUp, align 4
  store i32 %d, ptr %toDown, align 4
  store i32 %i, ptr %toIndex, align 4
  store i32 %in, ptr %toValid, align 4
  ret void
}
