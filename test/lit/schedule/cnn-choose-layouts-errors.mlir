// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapid" --verify-diagnostics
// RUN: not cnn-opt %s "--cnn-choose-layouts=layout=diagonal" 2>&1 | FileCheck %s
// Breaks if an unknown CPU or layout is taken silently.

// CHECK: error: loc("--set schedule.layout=diagonal"): unknown layout 'diagonal', expected auto, plain, batch or channels
// expected-error @below {{unknown CPU 'sapphirerapid'; use native or a name LLVM knows}}
module {
}
