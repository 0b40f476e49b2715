; RUN: %emulate %s --expect "b[3] == [x + y for x, y in zip(a[2], matmul(a[0], a[1], 16, 8, 8))]" f16:128=small f16:64=small f16:128=small f16:128
; If this fails, mma.sync.m16n8k8 of f16 with f16 sums has other fragments than the PTX manual; inputs are exact, so are sums.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare {<2 x half>, <2 x half>} @llvm.nvvm.mma.m16n8k8.row.col.f16.f16(<2 x half>, <2 x half>, <2 x half>, <2 x half>, <2 x half>)

; D = A B + C for row-major A (16 x 8), B (8 x 8), C and D (16 x 8), fragments by the PTX manual.
define ptx_kernel void @k(ptr %a, ptr %b, ptr %c, ptr %d) {
  %lane = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %g = lshr i32 %lane, 2
  %t = and i32 %lane, 3
  %t2 = mul i32 %t, 2
  %a0.r = add i32 %g, 0
  %a0.c = add i32 %t2, 0
  %a0.m = mul i32 %a0.r, 8
  %a0.i = add i32 %a0.m, %a0.c
  %a0.p = getelementptr half, ptr %a, i32 %a0.i
  %a0 = load <2 x half>, ptr %a0.p, align 4
  %a1.r = add i32 %g, 8
  %a1.c = add i32 %t2, 0
  %a1.m = mul i32 %a1.r, 8
  %a1.i = add i32 %a1.m, %a1.c
  %a1.p = getelementptr half, ptr %a, i32 %a1.i
  %a1 = load <2 x half>, ptr %a1.p, align 4
  %b0.0.r = add i32 %t2, 0
  %b0.0.c = add i32 %g, 0
  %b0.0.m = mul i32 %b0.0.r, 8
  %b0.0.i = add i32 %b0.0.m, %b0.0.c
  %b0.0.p = getelementptr half, ptr %b, i32 %b0.0.i
  %b0.0 = load half, ptr %b0.0.p, align 2
  %b0.1.r = add i32 %t2, 1
  %b0.1.c = add i32 %g, 0
  %b0.1.m = mul i32 %b0.1.r, 8
  %b0.1.i = add i32 %b0.1.m, %b0.1.c
  %b0.1.p = getelementptr half, ptr %b, i32 %b0.1.i
  %b0.1 = load half, ptr %b0.1.p, align 2
  %b0.lo = insertelement <2 x half> poison, half %b0.0, i32 0
  %b0.v = insertelement <2 x half> %b0.lo, half %b0.1, i32 1
  %b0 = bitcast <2 x half> %b0.v to <2 x half>
  %c0.r = add i32 %g, 0
  %c0.c = add i32 %t2, 0
  %c0.m = mul i32 %c0.r, 8
  %c0.i = add i32 %c0.m, %c0.c
  %c0.p = getelementptr half, ptr %c, i32 %c0.i
  %c0 = load <2 x half>, ptr %c0.p, align 4
  %c1.r = add i32 %g, 8
  %c1.c = add i32 %t2, 0
  %c1.m = mul i32 %c1.r, 8
  %c1.i = add i32 %c1.m, %c1.c
  %c1.p = getelementptr half, ptr %c, i32 %c1.i
  %c1 = load <2 x half>, ptr %c1.p, align 4
  %r = call {<2 x half>, <2 x half>} @llvm.nvvm.mma.m16n8k8.row.col.f16.f16(<2 x half> %a0, <2 x half> %a1, <2 x half> %b0, <2 x half> %c0, <2 x half> %c1)
  %d0.r = add i32 %g, 0
  %d0.c = add i32 %t2, 0
  %d0.m = mul i32 %d0.r, 8
  %d0.i = add i32 %d0.m, %d0.c
  %d0.p = getelementptr half, ptr %d, i32 %d0.i
  %d0 = extractvalue {<2 x half>, <2 x half>} %r, 0
  store <2 x half> %d0, ptr %d0.p, align 4
  %d1.r = add i32 %g, 8
  %d1.c = add i32 %t2, 0
  %d1.m = mul i32 %d1.r, 8
  %d1.i = add i32 %d1.m, %d1.c
  %d1.p = getelementptr half, ptr %d, i32 %d1.i
  %d1 = extractvalue {<2 x half>, <2 x half>} %r, 1
  store <2 x half> %d1, ptr %d1.p, align 4
  ret void
}
