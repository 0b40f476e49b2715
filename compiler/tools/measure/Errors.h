// How far the convolutions of a net are from exact ones: each is computed alone, at its real size,
// by the algorithm that was chosen for it, and by the direct one in double, on the same random
// numbers.
#ifndef CNNC_COMPILER_TOOLS_MEASURE_ERRORS_H
#define CNNC_COMPILER_TOOLS_MEASURE_ERRORS_H

#include "compiler/pipelines/Phases.h"
#include "runtime/device/Device.h"
#include "llvm/Support/Error.h"

#include <map>
#include <string>

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace cnn::tool {

/// The root mean square of the differences over that of the exact results, for every group of
/// `entry`, of a module of phase `fused`, that computes a convolution or a gradient of one.
/// `algorithms` has what was chosen, by group. Inputs and weights are uniform in [-1, 1). Of
/// `options` the processor and the layout count. `cpu` computes.
llvm::Expected<std::map<std::string, double>>
measureErrors(mlir::func::FuncOp entry, const std::map<std::string, std::string> &algorithms,
              const PhaseOptions &options, Device &cpu);

} // namespace cnn::tool

#endif
