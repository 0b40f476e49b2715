// A net of a .cnn file with its recipe, compiled, with the stream's numbers for state and inputs;
// and the same step evaluated by the slow reference.
#ifndef CNNC_TEST_TOOLS_CNN_STEPS_TESTNET_H
#define CNNC_TEST_TOOLS_CNN_STEPS_TESTNET_H

#include "compiler/frontend/Frontend.h"
#include "compiler/frontend/MlirDiagnostics.h"
#include "compiler/pipelines/Compile.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/train/Session.h"

#include <map>

struct TestNetOptions {
  std::string net, recipe; ///< empty: the recipe's net, the first recipe
  int64_t batch = 0;       ///< 0: the recipe's
  std::string element;     ///< empty: the recipe's
  std::string cpu = "native";
  std::vector<std::string> settings;
  std::vector<std::string> entries; ///< to compile
  uint64_t seed = 0;
};

/// Named numbers, each tensor row-major.
using NamedValues = std::map<std::string, std::vector<double>>;

class TestNet {
public:
  /// Parses and compiles. Problems go to standard error, and then there is nothing.
  static std::unique_ptr<TestNet> open(const std::string &path, const TestNetOptions &options,
                                       cnn::Device &device);

  cnn::Session &session() { return *opened; }
  const cnn::Manifest &manifest() const { return opened->manifest(); }

  /// The inputs of `entry` in step `step` (from 0) with `rows` of the batch that count: scalars as
  /// the recipe says, labels below the number of outputs, everything else in [-1, 1).
  NamedValues inputs(const cnn::EntryPoint &entry, int64_t step, int64_t rows) const;

  /// Runs `entry` of the compiled code on `inputs`. True: its outputs, and for a step the new state
  /// (which is not committed), are in `results`.
  bool run(const std::string &entry, const NamedValues &inputs, NamedValues &results);
  /// The same by the reference, from the state that the stream gives.
  bool evaluate(const std::string &entry, const NamedValues &inputs, NamedValues &results);

private:
  TestNet(const TestNetOptions &options);
  bool compile(const std::string &path, cnn::Device &device);
  mlir::OwningOpRef<mlir::ModuleOp> emitModule(const std::string &element);
  bool fail(const std::string &message);

  TestNetOptions options;
  cnn::Diagnostics diagnostics;
  std::unique_ptr<mlir::MLIRContext> context;
  cnn::MlirDiagnostics handler;
  std::unique_ptr<cnn::Frontend> frontend;
  std::unique_ptr<cnn::Graph> graph;
  std::optional<cnn::Recipe> recipe;
  std::unique_ptr<cnn::Session> opened;
  mlir::OwningOpRef<mlir::ModuleOp> reference; // made when first asked for
};

#endif
