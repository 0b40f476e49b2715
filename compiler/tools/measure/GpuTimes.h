// What `cnn time --device cuda` shows of the kernels of a step: those of the manifest, with the
// time that the model predicts (GpuModel.h), the time that was measured, or both.
#ifndef CNNC_COMPILER_TOOLS_MEASURE_GPUTIMES_H
#define CNNC_COMPILER_TOOLS_MEASURE_GPUTIMES_H

#include "compiler/tools/measure/GpuModel.h"
#include "runtime/core/Json.h"

#include <optional>
#include <string>
#include <vector>

namespace cnn::tool {

class GpuTimes {
public:
  /// `gpu`: whose limits the prediction is made of; null where none is. Fails as predictStep does.
  static Result<GpuTimes> make(const Manifest &manifest, const EntryPoint &entry,
                               const GpuLimits *gpu);

  /// Takes the milliseconds of every launch of one more step.
  void record(std::vector<double> milliseconds) { steps.push_back(std::move(milliseconds)); }

  bool isPredicted() const { return prediction.has_value(); }
  double predictedMilliseconds() const { return 1e3 * prediction->seconds; }

  /// A line per launch, their sum, and where there is a prediction what it is made of.
  std::string table() const;
  /// {"launches": [...]} with "model", "predicted_ms" and "floors" where there is a prediction.
  Json json() const;

private:
  GpuTimes(const Manifest &manifest, const EntryPoint &entry, const GpuLimits *gpu)
      : manifest(&manifest), entry(&entry), gpu(gpu) {}
  double measured(size_t launch) const;
  std::string floorsText() const;

  const Manifest *manifest;
  const EntryPoint *entry;
  const GpuLimits *gpu;
  std::optional<StepPrediction> prediction;
  std::vector<std::vector<double>> steps;
};

} // namespace cnn::tool

#endif
