#!/bin/bash
# run-math.sh FUNCTION LANES ELEMENT CPU OUT STEP LIMIT [MOST]: measures the error of one function; see math.c. With STEP 1
# over all f32 (a minute each).
set -e
here=$(dirname "$0") function=$1 lanes=$2 element=$3 cpu=$4 out=$5 step=$6 limit=$7
mkdir -p "$out"
type="vector<${lanes}x${element}>"
operation="%b = math.$function %a : $type"
if [ "$function" = sigmoid ]; then
  operation="%one = arith.constant dense<1.0> : $type
    %minus = arith.negf %a : $type
    %e = math.exp %minus : $type
    %sum = arith.addf %one, %e : $type
    %b = arith.divf %one, %sum : $type"
fi
sed "s/^ *OPERATION/${operation//$'\n'/\\n}/; s/FUNCTION/$function/g; s/LANES/$lanes/g; s/ELEMENT/$element/g; s/CPU/$cpu/g" "$here/math.mlir" > "$out/m.mlir"
cnn-opt "$out/m.mlir" --cnn-unroll-tiles --cnn-expand-math --canonicalize --cse --cnn-lower-to-llvm -o "$out/m.llvm.mlir"
mlir-translate --mlir-to-llvmir "$out/m.llvm.mlir" -o "$out/m.ll"
$CC -O2 -Wno-override-module -c "$out/m.ll" -o "$out/m.o"
if nm -u "$out/m.o" | grep -v 'fmaf\?$' | grep .; then
  echo "the object calls the library"
  exit 1
fi
flag=
[ "$element" = f32 ] || flag=-DDOUBLE
[ "$function" != sigmoid ] || flag="$flag -DSIGMOID"
[ -z "$8" ] || flag="$flag -DMOST=$8"
$CC -O2 $flag -DFUNCTION="$function" "$here/math.c" "$out/m.o" -o "$out/m" -lm
"$out/m" "$step" "$limit"
