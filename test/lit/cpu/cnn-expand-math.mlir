// RUN: cnn-opt %s --cnn-expand-math | FileCheck %s --enable-var-scope
// Breaks if a function of math is left to the C library, or its constants pile up.

// The argument is cut to where the result is finite and not zero, a NaN passes; x*log2(e) is rounded by adding
// 1.5*2^23, and the bias of exponents with it.
// CHECK-LABEL: func.func @exp(
// CHECK-SAME: %[[X:.*]]: vector<16xf32>
// CHECK-DAG: %[[HIGH:.*]] = arith.constant dense<8.900000e+01> : vector<16xf32>
// CHECK-DAG: %[[SHIFT:.*]] = arith.constant dense<0x4B40007F> : vector<16xf32>
// CHECK: %[[OVER:.*]] = arith.cmpf olt, %[[HIGH]], %[[X]] : vector<16xf32>
// CHECK: arith.select %[[OVER]], %[[HIGH]], %[[X]] : vector<16xi1>, vector<16xf32>
// CHECK: math.fma {{.*}}, %[[SHIFT]] : vector<16xf32>
// CHECK: arith.bitcast {{.*}} : vector<16xf32> to vector<16xi32>
// CHECK-NOT: math.exp
// CHECK: return
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// Tiles and numbers are expanded alike; log has one division.
// CHECK-LABEL: func.func @others(
// CHECK-COUNT-1: arith.divf {{.*}} : f64
// CHECK-NOT: math.{{log|tanh|erf}}
// CHECK: arith.divf {{.*}} : vector<2x8xf32>
// CHECK-NOT: math.{{log|tanh|erf|sin|cos}}
// CHECK: return
func.func @others(%x: f64, %y: vector<2x8xf32>) -> (f64, vector<2x8xf32>, vector<2x8xf32>, f64) {
  %0 = math.log %x : f64
  %1 = math.tanh %y : vector<2x8xf32>
  %2 = math.erf %1 : vector<2x8xf32>
  %3 = math.sin %0 : f64
  %4 = math.cos %3 : f64
  return %0, %1, %2, %4 : f64, vector<2x8xf32>, vector<2x8xf32>, f64
}

// Two exponentials share their constants.
// CHECK-LABEL: func.func @shared(
// CHECK-COUNT-1: arith.constant 8.900000e+01 : f32
// CHECK-NOT: arith.constant 8.900000e+01 : f32
// CHECK: return
func.func @shared(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  %1 = math.exp %0 : f32
  return %1 : f32
}

// The exponential of a sigmoid is scaled once: it may be infinite, and what is small is lost beside 1. The bounds take the
// negation.
// CHECK-LABEL: func.func @sigmoid(
// CHECK-SAME: %[[X:.*]]: vector<16xf32>
// CHECK: arith.cmpf olt, %{{.*}}, %[[X]] : vector<16xf32>
// CHECK-COUNT-1: arith.shli
// CHECK-NOT: arith.shli
// CHECK: %[[SUM:.*]] = math.fma %{{.*}}, %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK: arith.divf %{{.*}}, %[[SUM]] : vector<16xf32>
// CHECK: return
func.func @sigmoid(%x: vector<16xf32>) -> vector<16xf32> {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %minus = arith.negf %x : vector<16xf32>
  %e = math.exp %minus : vector<16xf32>
  %sum = arith.addf %one, %e : vector<16xf32>
  %y = arith.divf %one, %sum : vector<16xf32>
  return %y : vector<16xf32>
}

// An exponential that something else reads is needed whole, in two steps.
// CHECK-LABEL: func.func @both(
// CHECK-COUNT-2: arith.shli
// CHECK: return
func.func @both(%x: f32) -> (f32, f32) {
  %one = arith.constant 1.0 : f32
  %e = math.exp %x : f32
  %sum = arith.addf %e, %one : f32
  %y = arith.divf %one, %sum : f32
  return %y, %e : f32, f32
}

// So is that of silu, which is a normal number where its sigmoid is none.
// CHECK-LABEL: func.func @silu(
// CHECK-COUNT-2: arith.shli
// CHECK: return
func.func @silu(%x: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %minus = arith.negf %x : f32
  %e = math.exp %minus : f32
  %sum = arith.addf %one, %e : f32
  %y = arith.divf %x, %sum : f32
  return %y : f32
}
