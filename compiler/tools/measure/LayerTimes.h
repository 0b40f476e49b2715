// What `cnn time --layers` shows: the time of every kernel of an entry point, from the counters of
// code that was compiled to count it (runtime/core/Manifest.h, Timing), beside what the compiler
// chose and expected.
#ifndef CNNC_COMPILER_TOOLS_MEASURE_LAYERTIMES_H
#define CNNC_COMPILER_TOOLS_MEASURE_LAYERTIMES_H

#include "runtime/core/Json.h"
#include "runtime/train/Session.h"

#include <map>
#include <string>
#include <vector>

namespace cnn::tool {

/// A line of the table. What several workers do at the same time counts as their sum divided by
/// the workers, so that the lines of a step add up to its time.
struct LayerTime {
  std::string name;
  std::string algorithm, tile;
  double milliseconds = 0;
  double flops = 0;    ///< multiply-adds of the direct algorithm, times two; 0 where there are none
  double cycles = 0;   ///< that the cost model expects of one core
  bool isPart = false; ///< of the layer above: its time is in that line
  bool isKernel = true; ///< not a sum, waiting or the rest
};

class LayerTimes {
public:
  /// `call` must outlive this, and be of a manifest with timed kernels.
  LayerTimes(const Manifest &manifest, const Call &call, int workers);

  /// Forgets what was counted so far.
  void start();
  /// Takes what the step that has just run has counted; it took `milliseconds`.
  void record(double milliseconds);
  /// Call after the last step.
  void finish();

  /// Medians over the recorded steps, in the order in which kernels run: layers, behind each its
  /// parts where it has several, their sum, time at barriers, and the rest of the step.
  std::vector<LayerTime> lines() const;

  /// The milliseconds of the step in which it took least, for every kernel of the manifest, and of
  /// the shortest step.
  std::vector<double> leastOfKernels() const;
  double leastOfSteps() const;

  /// The algorithms of the layers, by group.
  std::map<std::string, std::string> algorithms() const;
  /// Adds a column of errors, by group.
  void setErrors(std::map<std::string, double> found) { errors = std::move(found); }

  /// The lines as a table, or as an array of objects. `peak` in GFLOP/s, of all workers together.
  std::string table(double peak) const;
  Json json(double peak) const;

private:
  double predict(const LayerTime &line, double peak) const;
  double medianTicks(size_t counter) const;
  uint64_t *counters(int worker) const;

  const Timing &timing;
  const Call &call;
  int workers;
  double millisecondsPerTick = 0;
  uint64_t firstTick = 0;
  double firstTime = 0;
  std::vector<double> steps;
  std::map<std::string, double> errors;
  std::vector<std::vector<double>> ticks; ///< of each counter, all workers together, for each step
};

} // namespace cnn::tool

#endif
