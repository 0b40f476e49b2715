// Compiles one entry point of a net in several ways, runs each for some steps, and takes for every
// layer the way in which its kernels took least. In: a module of phase `fused`; out: choices for
// its groups.
//
// First other layouts are tried; then every compilation tries something else for all layers at
// once: other algorithms, then blocks and register tiles of the best ones. Of layers that are equal
// but for their names, each tries something else, and what is best for one is taken for all.
#ifndef CNNC_COMPILER_TOOLS_CNNC_TUNER_H
#define CNNC_COMPILER_TOOLS_CNNC_TUNER_H

#include "compiler/pipelines/TunedStore.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/device/CompiledNet.h"
#include "runtime/device/cpu/CpuDevice.h"
#include "llvm/ADT/MapVector.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace cnn::tool {

/// A kernel of a layer, as it is scheduled.
struct TunedPart {
  std::string name, algorithm;
  std::string tile; ///< "1x4x2"
  std::string text; ///< the whole schedule, as a stored choice has it
};

/// A group of phase `fused`, as it is scheduled.
struct TunedLayer {
  std::vector<TunedPart> parts;
  /// Rows and columns of Winograd's tiles in a block, and in an image; 0 where there are no blocks.
  int64_t inBlock[2] = {0, 0}, tiles[2] = {0, 0};
  double cycles = 0; ///< that the cost model expects
  /// That of the parts which do not only convert or sum beside another.
  std::string getAlgorithm() const;
};
/// In the order in which the layers run.
using ScheduledNet = llvm::MapVector<std::string, TunedLayer, std::map<std::string, unsigned>>;

/// Milliseconds of a way to compile the net.
struct TunedRun {
  double step = 0;
  std::map<std::string, double> kernels, layers;
  /// Of all layers.
  double sum() const;
};

/// A line of the table: a layer, what the cost model takes, and what was measured to be best.
struct TunedLine {
  std::string layer, model, best;
  double modelTime = 0, bestTime = 0;
};

class Tuner {
public:
  /// `entry` is the public function of `fused` to tune. `seconds` is when to stop trying.
  Tuner(mlir::ModuleOp fused, mlir::func::FuncOp entry, const PhaseOptions &phases,
        int64_t seconds);

  llvm::Error run();

  /// What to store.
  const TunedResult &result() const { return best; }
  const std::vector<TunedLine> &table() const { return lines; }
  /// Milliseconds of a step as the cost model chooses, and with the result.
  double modelStep = 0, bestStep = 0;
  /// Whether something else than what the cost model chooses was best for a layer; whether the
  /// result is the cost model's all the same, because a step did not become faster.
  bool differs = false, isModel = false;
  /// What was not tried for lack of time.
  std::vector<std::string> skipped;

private:
  using Clock = std::chrono::steady_clock;
  /// What was tried for a layer, or for one that is equal to it.
  struct Tried {
    std::string choice; ///< "winograd4;blocks:1x4"
    std::string layer;  ///< where it was measured
    double time = 0;    ///< milliseconds there
    double ratio = 1;   ///< to what the cost model's choice took there
  };
  /// The same of a kernel.
  struct TriedTile {
    std::string text, tile, beforeTile, part;
    double time = 0, before = 0, ratio = 1;
  };

  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> schedule(const TunedResult &wishes,
                                                             ScheduledNet &net);
  llvm::Expected<CompiledNet> compileNet(const TunedResult &wishes, ScheduledNet &net);
  llvm::Error measure(const CompiledNet &code, TunedRun &run, double seconds);
  llvm::Expected<TunedRun *> tryOut(const std::string &what, const TunedResult &wishes,
                                    ScheduledNet &net, CompiledNet *keep = nullptr);
  double elapsed() const; ///< seconds since the tuner was made
  bool hasTimeFor(const std::string &what);
  std::string layerOf(llvm::StringRef kernel) const;
  void groupClasses();
  llvm::Error tryLayouts();
  llvm::Error tryAlgorithms();
  llvm::Error tryTiles();
  void takeAlgorithm(const std::vector<std::string> &members, const Tried &found);
  void explain();
  llvm::Error settle();

  mlir::ModuleOp fused;
  mlir::func::FuncOp entry;
  PhaseOptions phases;
  double budget;
  Clock::time_point start;
  double first = 0, longest = 0; ///< seconds that a compilation and its steps took
  std::unique_ptr<CpuDevice> device;
  std::vector<std::unique_ptr<TunedRun>> runs;

  std::map<std::string, std::string> contents; ///< of every group of the entry point
  std::vector<std::string> convolutions;       ///< groups that have several algorithms
  /// As the cost model chooses, and in the best layout.
  CompiledNet modelCode, baseCode;
  ScheduledNet model, base;
  TunedRun *modelRun = nullptr, *baseRun = nullptr;
  TunedRun *bestRun = nullptr; ///< with the best algorithms, and the cost model's tiles
  std::map<std::string, std::vector<Tried>> tried; ///< by layer; the first is the cost model's
  TunedResult best;
  std::vector<TunedLine> lines;
};

} // namespace cnn::tool

#endif // CNNC_COMPILER_TOOLS_CNNC_TUNER_H
