// RUN: not cnn-opt %s -cnn-recompute 2>&1 | FileCheck %s
// Fails when a dump that asks for what there is not is compiled as if it asked for nothing.

// CHECK: error: cnn.recompute is "cheap" or a list of the names of blocks, not "dear"
module @net attributes {cnn.recompute = "dear"} {
}
