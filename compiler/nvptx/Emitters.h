//===- Emitters.h - The algorithms of a GPU --------------------------------------------------===//
//
// One emitter for each algorithm of `#cnn.gpu_schedule`. Each builds the body of a kernel, for one
// thread, from the roles of the group's operations and their nests alone.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_EMITTERS_H
#define CNNC_COMPILER_NVPTX_EMITTERS_H

#include "compiler/nvptx/ElementBuilder.h"

namespace mlir::cnn {

/// Every thread computes one element of the result: it goes through the points that are reduced,
/// or, of a scatter, through those that fall on the element, and where a pooling follows, through
/// its window. Neighbouring threads have neighbouring elements, and a thread may have several.
void emitPoint(ElementBuilder &e, const GpuSchedule &schedule);

/// The threads of a warp or a block compute one element: they go through the reduced points in
/// turns, and their sums are added up by shuffles and in shared memory as a balanced tree, the same
/// way every time. `mayShare`: other groups of the kernel are computed by other blocks, so that
/// they can have the same shared memory.
void emitReduce(ElementBuilder &e, const GpuSchedule &schedule, gpu::GPUFuncOp kernel,
                bool mayShare);

/// Every block computes a tile of a product of two tensors, whose parts it brings to shared memory
/// step by step; see ContractionEmitter.cpp.
void emitContraction(ElementBuilder &e, const GpuSchedule &schedule, gpu::GPUFuncOp kernel);

/// Memory of `size` elements that the threads of a block share, aligned for vector accesses, which
/// the PTX backend takes for granted.
Value addSharedMemory(gpu::GPUFuncOp kernel, Location loc, int64_t size, Type element);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_NVPTX_EMITTERS_H
