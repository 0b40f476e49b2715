// RUN: cnn-opt %s --cnn-expand-math --verify-diagnostics
// Breaks if a type without an expansion is expanded wrongly instead of refused.

func.func @half(%x: vector<16xf16>) -> vector<16xf16> {
  // expected-error @below {{'math.exp' op on 'f16' is not supported; expected f32 or f64}}
  %0 = math.exp %x : vector<16xf16>
  return %0 : vector<16xf16>
}
