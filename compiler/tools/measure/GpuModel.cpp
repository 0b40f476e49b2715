// The limits of GPUs, and the model.
#include "compiler/tools/measure/GpuModel.h"

#include "compiler/schedule/GpuRates.h"

#include <algorithm>
#include <cmath>

namespace cnn::tool {

const std::vector<GpuLimits> &knownGpus() {
  // What schedules are ranked by, too, stands in GpuRates.h, with its sources. 400 and 800 TFLOP/s
  // are what good libraries reach of the 494 and 989 of tensor cores. L2's size is that of the data
  // sheets (SXM), the memory's what the driver lists of it.
  namespace rates = mlir::cnn::h100;
  constexpr double tera = 1e12, giga = 1e9, mega = 1 << 20;
  constexpr GpuLimits h100 = {.option = "h100",
                              .name = "H100",
                              .text = "H100 SXM",
                              .arch = "sm_90",
                              .processors = rates::processors,
                              .fma32 = rates::fma32,
                              .fma64 = rates::fma64,
                              .tf32 = 400 * tera,
                              .bf16 = 800 * tera,
                              .mmaTf32 = rates::mmaTf32,
                              .mmaBf16 = rates::mmaBf16,
                              .instructions = rates::processors * rates::issues * rates::clock,
                              .memory = rates::memory,
                              .l2 = rates::l2,
                              .l1 = rates::processors * rates::ownBytes * rates::clock,
                              .l2Bytes = 50 * mega,
                              .memoryBytes = 81559 * mega,
                              .warps = 64,
                              .launch = rates::launch,
                              .memoryWait = rates::memoryWait,
                              .l2Wait = rates::l2Wait,
                              .l1Wait = rates::ownWait,
                              .inFlight = rates::loadsInFlight,
                              .hostCopies = 50 * giga};
  static const std::vector<GpuLimits> known = [&] {
    GpuLimits h200 = h100; // other memory
    h200.option = "h200";
    h200.name = "H200";
    h200.text = "H200 SXM";
    h200.memory = 4.8 * tera;
    h200.memoryBytes = 143771 * mega;
    return std::vector<GpuLimits>{h100, h200};
  }();
  return known;
}

const GpuLimits *findGpuModel(std::string_view option) {
  for (const GpuLimits &gpu : knownGpus())
    if (gpu.option == option)
      return &gpu;
  return nullptr;
}

const GpuLimits *findGpuNamed(std::string_view name) {
  for (const GpuLimits &gpu : knownGpus())
    if (name.find(gpu.name) != std::string_view::npos)
      return &gpu;
  return nullptr;
}

double GpuLimits::rate(std::string_view instruction, ElementType element) const {
  if (instruction == "tf32")
    return mmaTf32;
  if (instruction == "bf16")
    return mmaBf16;
  return element == ElementType::F64 ? fma64 : fma32;
}

static LaunchPrediction predict(const Launch &launch, ElementType element, bool fitsL2,
                                const GpuLimits &gpu) {
  const LaunchWork &work = *launch.work;
  double blocks = double(launch.grid[0]) * double(launch.grid[1]) * double(launch.grid[2]);
  double threads = double(launch.block[0]) * double(launch.block[1]) * double(launch.block[2]);
  LaunchPrediction result;
  result.rounds = std::ceil(blocks / gpu.processors);
  // What a multiprocessor does by itself goes at the pace of the busiest.
  double uneven = result.rounds * gpu.processors / blocks;
  double moved = double(work.bytesRead + work.bytesWritten);
  // Accesses to global memory deliver sectors, those to shared memory what all banks have.
  constexpr double sectorBytes = 32, bankBytes = 128, warpThreads = 32;
  double sectors = double(work.sectors) * sectorBytes, passes = double(work.passes);
  // Of what is read again the cache has it. All accesses of a kernel are as wide as each other.
  double missing = sectors > 0 ? double(work.requests) * std::min(1.0, moved / sectors) : 0;
  // Warps that are there at a time, each waiting for a few loads.
  double warps = std::min(blocks * std::ceil(threads / warpThreads), gpu.processors * gpu.warps);
  double wait = fitsL2 ? gpu.l2Wait : gpu.memoryWait;
  double waiting = std::max(missing * wait, (double(work.requests) + passes) * gpu.l1Wait);
  struct Limit {
    const char *name;
    double seconds;
  };
  const Limit limits[] = {
      {"operations", double(work.operations) / gpu.rate(work.instruction, element) * uneven},
      {"instructions", double(work.instructions) / gpu.instructions * uneven},
      {"memory", fitsL2 ? 0 : moved / gpu.memory},
      {"L2", double(work.bytesL2) / gpu.l2},
      {"L1", (sectors + passes * bankBytes) / gpu.l1 * uneven},
      {"waiting", waiting / (warps * gpu.inFlight)}};
  const Limit &slowest = *std::max_element(
      std::begin(limits), std::end(limits),
      [](const Limit &left, const Limit &right) { return left.seconds < right.seconds; });
  result.bound = slowest.seconds < gpu.launch ? "launch" : slowest.name;
  result.seconds = gpu.launch + slowest.seconds;
  return result;
}

Result<StepPrediction> predictStep(const Manifest &manifest, const EntryPoint &entry,
                                   const GpuLimits &gpu) {
  StepPrediction step;
  double everything = 0, inputs = 0;
  for (const BufferSpec &buffer : entry.buffers) {
    everything += double(buffer.bytes);
    inputs += buffer.role == BufferRole::Input ? double(buffer.bytes) : 0;
  }
  step.fitsL2 = everything <= gpu.l2Bytes;
  step.copies = inputs / gpu.hostCopies;
  for (const Launch &launch : entry.launches) {
    if (!launch.work)
      return Status::failure(formatText("the manifest of net '%s' does not say what kernel '%s' "
                                        "does",
                                        manifest.net.c_str(), launch.kernel.c_str()));
    step.launches.push_back(predict(launch, manifest.element, step.fitsL2, gpu));
    step.seconds += step.launches.back().seconds;
  }
  return step;
}

StepFloors getFloors(const Manifest &manifest, const EntryPoint &entry, const GpuLimits &gpu) {
  StepFloors floors;
  floors.fma = entry.flops / gpu.rate("fma", manifest.element);
  floors.tf32 = entry.flops / gpu.tf32;
  floors.bf16 = entry.flops / gpu.bf16;
  floors.fused = entry.fusedBytes / gpu.memory;
  for (const Launch &launch : entry.launches)
    if (launch.work)
      floors.memory += double(launch.work->bytesRead + launch.work->bytesWritten) / gpu.memory;
  floors.launches = double(entry.launches.size()) * gpu.launch;
  return floors;
}

} // namespace cnn::tool
