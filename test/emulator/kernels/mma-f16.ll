; RUN: %emulate %s --expect "b[3] == [x + y for x, y in zip(a[2], matmul(a[0], a[1], 16, 8, 16))]" f16:256=small f16:128=small f32:128=iota f32:128
; If this fails, mma.sync.m16n8k16 of f16 has other fragments than the PTX manual; inputs are exact, so are sums.
; REQUIRES: fakecuda
target triple = "nvptx64-nvidia-cuda"

declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare {float, float, float, float} @llvm.nvvm.mma.m16n8k16.row.col.f32.f32(<2 x half>, <2 x half>, <2 x half>, <2 x half>, <2 x half>, <2 x half>, float, float, float, float)

; D = A B + C for row-major A (16 x 16), B (16 x 8), C and D (16 x 8), fragments by the PTX manual.
define ptx_kernel void @k(ptr %a, ptr %b, ptr %c, ptr %d) {
  %lane = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %g = lshr i32 %lane, 2
  %t = and i32 %lane, 3
  %t2 = mul i32 %t, 2
  %a0.r = add i32 %g, 0
  %a0.c = add i32 %t2, 0
  %a0.m = mul i32 %a0.r, 16
  %a0.i = add i32 %a0.m, %a0.c
  %a0.p = getelementptr half, ptr %a, i32 %a0.i
  %a0 = load <2 x half>, ptr %a0.p, align 4
  %a1.r = add i32 %g, 8
  %a1.c = add i32 %t2, 0
  %a1.m = mul i32 %a1.r, 16
  %a1.i = add i32 %a1.m, %a1.c
  %a1.p = getelementptr half, ptr %a, i32 %a1.i
  %a1 = load <2 x half>, ptr %a1.p, align 4
  %a2.r = add i32 %g, 0
  %a2.c = add i32 %t2, 8
  %a2.m = mul i32 %a2.r, 16
  %a2.i = add i32 %a2.m, %a2.c
  %a2.p = getelementptr half, ptr %a, i32 %a2.i
  %a2 = load <2 x half>, ptr %a2.p, align 4
  %a3.r = add i32 %g, 8
  %a3.c = add i32 %t2, 8
  %a3.m = mul i32 %a3.r, 16
  %a3.i = add i32 %a3.m, %a3.c
  %a3.p = getelementptr half, ptr %a, i32 %a3.i
  %a3 = load <2 x half>, ptr %a3.p, align 4
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
  %b1.0.r = add i32 %t2, 8
  %b1.0.c = add i32 %g, 0
  %b1.0.m = mul i32 %b1.0.r, 8
  %b1.0.i = add i32 %b1.0.m, %b1.0.c
  %b1.0.p = getelementptr half, ptr %b, i32 %b1.0.i
  %b1.0 = load half, ptr %b1.0.p, align 2
  %b1.1.r = add i32 %t2, 9
  %b1.1.c = add i32 %g, 0
  %b1.1.m = mul i32 %b1.1.r, 8
  %b1.1.i = add i32 %b1.1.m, %b1.1.c
  %b1.1.p = getelementptr half, ptr %b, i32 %b1.1.i
  %b1.1 = load half, ptr %b1.1.p, align 2
  %b1.lo = insertelement <2 x half> poison, half %b1.0, i32 0
  %b1.v = insertelement <2 x half> %b1.lo, half %b1.1, i32 1
  %b1 = bitcast <2 x half> %b1.v to <2 x half>
  %c0.r = add i32 %g, 0
  %c0.c = add i32 %t2, 0
  %c0.m = mul i32 %c0.r, 8
  %c0.i = add i32 %c0.m, %c0.c
  %c0.p = getelementptr float, ptr %c, i32 %c0.i
  %c0 = load float, ptr %c0.p, align 4
  %c1.r = add i32 %g, 0
  %c1.c = add i32 %t2, 1
  %c1.m = mul i32 %c1.r, 8
  %c1.i = add i32 %c1.m, %c1.c
  %c1.p = getelementptr float, ptr %c, i32 %c1.i
  %c1 = load float, ptr %c1.p, align 4
  %c2.r = add i32 %g, 8
  %c2.c = add i32 %t2, 0
  %c2.m = mul i32 %c2.r, 8
  %c2.i = add i32 %c2.m, %c2.c
  %c2.p = getelementptr float, ptr %c, i32 %c2.i
  %c2 = load float, ptr %c2.p, align 4
  %c3.r = add i32 %g, 8
  %c3.c = add i32 %t2, 1
  %c3.m = mul i32 %c3.r, 8
  %c3.i = add i32 %c3.m, %c3.c
  %c3.p = getelementptr float, ptr %c, i32 %c3.i
  %c3 = load float, ptr %c3.p, align 4
  %r = call {float, float, float, float} @llvm.nvvm.mma.m16n8k16.row.col.f32.f32(<2 x half> %a0, <2 x half> %a1, <2 x half> %a2, <2 x half> %a3, <2 x half> %b0, <2 x half> %b1, float %c0, float %c1, float %c2, float %c3)
  %d0.r = add i32 %g, 0
  %d0.c = add i32 %t2, 0
  %d0.m = mul i32 %d0.r, 8
  %d0.i = add i32 %d0.m, %d0.c
  %d0.p = getelementptr float, ptr %d, i32 %d0.i
  %d0 = extractvalue {float, float, float, float} %r, 0
  store float %d0, ptr %d0.p, align 4
  %d1.r = add i32 %g, 0
  %d1.c = add i32 %t2, 1
  %d1.m = mul i32 %d1.r, 8
  %d1.i = add i32 %d1.m, %d1.c
  %d1.p = getelementptr float, ptr %d, i32 %d1.i
  %d1 = extractvalue {float, float, float, float} %r, 1
  store float %d1, ptr %d1.p, align 4
  %d2.r = add i32 %g, 8
  %d2.c = add i32 %t2, 0
  %d2.m = mul i32 %d2.r, 8
  %d2.i = add i32 %d2.m, %d2.c
  %d2.p = getelementptr float, ptr %d, i32 %d2.i
  %d2 = extractvalue {float, float, float, float} %r, 2
  store float %d2, ptr %d2.p, align 4
  %d3.r = add i32 %g, 8
  %d3.c = add i32 %t2, 1
  %d3.m = mul i32 %d3.r, 8
  %d3.i = add i32 %d3.m, %d3.c
  %d3.p = getelementptr float, ptr %d, i32 %d3.i
  %d3 = extractvalue {float, float, float, float} %r, 3
  store float %d3, ptr %d3.p, align 4
  ret void
}
