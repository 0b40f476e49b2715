#!/bin/bash
# run-kernels.sh LANES ELEMENT CPU OUT: compiles kernels.mlir through our passes and runs it, serially,
# as three workers, and as one of three that does the work of all. ELEMENT: f32 or f64.
set -e
here=$(dirname "$0") lanes=$1 element=$2 cpu=$3 out=$4
mkdir -p "$out"
sed "s/LANES/$lanes/g; s/ELEMENT/$element/g; s/CPU/$cpu/g" "$here/kernels.mlir" > "$out/k.mlir"
cnn-opt "$out/k.mlir" --cnn-unroll-tiles --canonicalize --cse --cnn-lower-to-llvm -o "$out/k.llvm.mlir"
mlir-translate --mlir-to-llvmir "$out/k.llvm.mlir" -o "$out/k.ll"
type=float
[ "$element" = f32 ] || type=double
$CC -O2 -Wno-override-module -c "$out/k.ll" -o "$out/k.o"
$CC -O1 -I "$here/../../../.." -DLANES="$lanes" -DELEMENT=$type "$here/kernels.c" "$out/k.o" -o "$out/k" -lm
"$out/k"
"$out/k" workers
"$out/k" alone
