// What a compiled net says about itself: the JSON of its `<net>_manifest`, checked and as structs.
// The compiler writes it (compiler/emit); data/Weights, core/Init and train/ work from it.
#ifndef CNNC_RUNTIME_CORE_MANIFEST_H
#define CNNC_RUNTIME_CORE_MANIFEST_H

#include "runtime/core/Element.h"
#include "runtime/core/Status.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cnn {

/// How a state tensor starts. The formulas are in runtime/core/Init.h.
enum class InitKind {
  XavierUniform,
  XavierNormal,
  KaimingUniform,
  KaimingNormal,
  PytorchDefault,
  Constant,
  Zeros,
  Uniform,
  Normal
};
struct InitSpec {
  InitKind kind = InitKind::Zeros;
  int64_t fanIn = 0;  ///< of the layer: input channels of a group x kernel window
  int64_t fanOut = 0; ///< output channels x kernel window
  double value = 0;   ///< of `constant`; the low end of `uniform`, the mean of `normal`
  double second = 0;  ///< the high end of `uniform`, the standard deviation of `normal`
};

/// Parameter: trained. Optimizer: momentum and the like. Running: statistics of batch norm.
enum class StateKind { Parameter, Optimizer, Running };

/// One tensor inside the state buffer, row-major.
struct StateTensor {
  std::string name; ///< "conv1.weight"
  StateKind kind = StateKind::Parameter;
  ElementType element = ElementType::F32;
  std::vector<int64_t> shape;
  uint64_t offset = 0; ///< bytes from the start of the state, a multiple of CNN_ALIGNMENT
  InitSpec init;

  int64_t elements = 0; ///< product of `shape`
  uint64_t bytes = 0;   ///< elements x size of one
};

/// Prepared is what the entry point `prepare` writes and others read.
enum class BufferRole { StateIn, StateOut, Prepared, Input, Output, Arena, Scratch };

/// One element of the array that an entry point gets.
struct BufferSpec {
  BufferRole role = BufferRole::Input;
  std::string name;                       ///< inputs and outputs only
  ElementType element = ElementType::F32; ///< inputs and outputs only
  std::vector<int64_t> shape;             ///< inputs and outputs only; [] is a scalar
  uint64_t bytes = 0; ///< per worker for Scratch: worker w has [w*bytes, (w+1)*bytes)
};

/// What runs the code: the processor, or a GPU of NVIDIA.
enum class CodeTarget { Cpu, Nvptx };

/// What a kernel gets for a parameter: the address of a byte of a buffer.
struct LaunchArgument {
  int buffer = 0;      ///< position in the entry point's buffers
  uint64_t offset = 0; ///< bytes
};

/// What a launch does, as the compiler counts it (compiler/schedule/GpuWork.h and
/// compiler/nvptx/WarpRunner.h say what each is).
struct LaunchWork {
  std::string algorithm;   ///< "point", "reduce", "contraction"
  std::string instruction; ///< "fma", "tf32", "bf16"
  std::string schedule;    ///< as the compiler prints it; of several groups, with "; " between
  int64_t flops = 0, operations = 0;
  int64_t bytesRead = 0, bytesWritten = 0, bytesL2 = 0;
  int64_t instructions = 0, requests = 0, sectors = 0, passes = 0;
};

/// One kernel of a GPU's entry point.
struct Launch {
  std::string kernel;                           ///< symbol in the PTX
  std::string layer;                            ///< "conv1.forward"
  std::array<int64_t, 3> grid = {}, block = {}; ///< blocks; threads of a block
  uint64_t shared = 0;                          ///< bytes of dynamic shared memory
  std::vector<LaunchArgument> arguments;
  std::optional<LaunchWork> work; ///< where the compiler says it
};

struct EntryPoint {
  std::string name;      ///< "train_step", "eval", "infer", "prepare"
  std::string symbol;    ///< of the function in the object; empty for a GPU
  double flops = 0;      ///< multiply-adds of one full batch, by the direct algorithms, times two
  double fusedBytes = 0; ///< of a GPU: what products and poolings move, all else computed with them
  std::vector<BufferSpec> buffers;
  std::vector<Launch> launches; ///< of a GPU, in order

  /// Position in `buffers` of the input or output called `name`, or of the first with `role`; -1
  /// when there is none.
  int find(BufferRole role, std::string_view name = {}) const;
  /// Position of the images [batch, ...], whatever the net calls them; -1 when it takes none, or
  /// more than one tensor of samples.
  int findImage() const;
};

/// One kernel of code that counts the time spent in its kernels, and what the compiler knows of it.
struct TimedKernel {
  std::string name;          ///< "conv1.forward.winograd_product"
  std::string group;         ///< "conv1.forward": what an algorithm with several kernels computes
  std::string algorithm;     ///< "direct", "winograd4", ...; empty for an outer kernel
  std::vector<int64_t> tile; ///< register tile, per dimension of its loop nest
  int64_t vector = 0;        ///< the dimension that vectors run along
  double flops = 0;          ///< of the direct algorithm, with the group's first kernel
  double cycles = 0;         ///< that the cost model expects of one core
  bool isOuter = false;      ///< only calls other kernels
};

/// The counters of a worker lie in its scratch memory: whole calls, barriers, then the kernels in
/// order, 8 bytes each, in ticks of the processor's clock.
struct Timing {
  uint64_t counters = 0;  ///< bytes from the start of a worker's scratch memory
  int64_t vectorBits = 0; ///< of a register of the machine that schedules are made for
  std::vector<TimedKernel> kernels;

  static constexpr size_t call = 0, barrier = 1, firstKernel = 2;
};

struct Manifest {
  std::string net;
  int64_t batch = 0; ///< the most rows that one call takes
  ElementType element = ElementType::F32;
  CodeTarget target = CodeTarget::Cpu;
  std::string cpu;  ///< of CodeTarget::Cpu
  std::string arch; ///< of CodeTarget::Nvptx: "sm_80"
  uint64_t stateBytes = 0;
  uint64_t preparedBytes = 0; ///< 0 where nothing is prepared, so that there is no entry `prepare`
  std::vector<StateTensor> state;
  std::vector<EntryPoint> entries;
  Timing timing; ///< without kernels where none was asked for

  const EntryPoint *findEntry(std::string_view name) const;
  const StateTensor *findState(std::string_view name) const;
  /// Whether an entry point makes a new state.
  bool writesState() const;
};

/// Checks and converts the JSON of a manifest. Refused, with what was expected and what is there:
/// another ABI version, a missing or unknown key, a wrong type, a tensor outside the state or over
/// another, a misaligned offset, two tensors or entries of one name, a kernel's launch beyond what
/// CUDA has or with an argument outside its buffer.
Result<Manifest> parseManifest(std::string_view json);

} // namespace cnn

#endif
