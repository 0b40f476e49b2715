//===- Layer.h - How the language calls an operation -----------------------------------------===//
//
// An operation that `.cnn` files can call describes itself with a LayerDef in its own .cpp: its
// name, hyperparameters, parameters, shapes, and how to build it. The front end knows layers only
// through the registry, so a new layer needs no edit there.
//
// Shapes here are those of one sample: [channels, height, width] or [features], without the batch.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_LAYER_H
#define CNNC_DIALECT_LAYER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mlir::cnn {

struct IndexFunction;

/// The shape of one sample, or of a tensor without a batch.
using Shape = SmallVector<int64_t, 4>;

/// A hyperparameter's type. `Size` is an integer or a pair `(height, width)`; `Padding` is an
/// integer, a pair `(height, width)`, or `(top, bottom, left, right)`; `Ints` a list of integers.
enum class ArgKind { Int, Float, Bool, String, Size, Padding, Ints };

/// A hyperparameter's value. `Size`, `Padding` and `Ints` are vectors, the former two always filled
/// to 2 and 4 entries. The last two kinds are the front end's own: numbers of a literal and
/// functions by index.
using ArgValue =
    std::variant<int64_t, double, bool, std::string, std::vector<int64_t>,
                 std::shared_ptr<const std::vector<double>>, std::shared_ptr<const IndexFunction>>;

/// Declares one hyperparameter. Arguments without a name are bound in the order of declaration.
struct LayerArg {
  StringRef name;
  ArgKind kind;
  /// None: the argument must be given, unless `optional`.
  std::optional<ArgValue> defaultValue;
  StringRef doc;
  /// May be left out although it has no default; `LayerArgs::has` tells.
  bool optional = false;
  /// Strings that it takes as well (`padding = "same"`); `LayerArgs::isString` tells.
  SmallVector<StringRef, 2> words = {};
};

/// The evaluated hyperparameters of one call.
class LayerArgs {
public:
  void set(StringRef name, ArgValue value) { values[name] = std::move(value); }
  bool has(StringRef name) const { return values.contains(name); }
  bool isString(StringRef name) const {
    return has(name) && std::holds_alternative<std::string>(values.at(name));
  }
  int64_t getInt(StringRef name) const { return std::get<int64_t>(values.at(name)); }
  double getFloat(StringRef name) const { return std::get<double>(values.at(name)); }
  bool getBool(StringRef name) const { return std::get<bool>(values.at(name)); }
  const std::string &getString(StringRef name) const {
    return std::get<std::string>(values.at(name));
  }
  /// The entries of a Size (2), a Padding (4) or of Ints.
  ArrayRef<int64_t> getList(StringRef name) const {
    return std::get<std::vector<int64_t>>(values.at(name));
  }
  ArrayRef<double> getNumbers(StringRef name) const {
    return *std::get<std::shared_ptr<const std::vector<double>>>(values.at(name));
  }
  const IndexFunction &getFunction(StringRef name) const {
    return *std::get<std::shared_ptr<const IndexFunction>>(values.at(name));
  }
  /// The float type of the net that is built; set before LayerDef::build is called.
  void setElementType(Type type) { elementType = type; }
  Type getElementType() const { return elementType; }

private:
  llvm::StringMap<ArgValue> values;
  Type elementType;
};

/// A tensor of a layer's state: `<label>.<name>`. Without an `initial` value the front end chooses
/// the initialisation: weights by the recipe, biases as PyTorch does (uniform in +-1/sqrt(fan_in)).
struct ParamSpec {
  StringRef name;
  Shape shape;
  int64_t fanIn = 0;
  int64_t fanOut = 0;
  /// What all of its elements start from.
  std::optional<double> initial = std::nullopt;
  /// A running statistic: kept by the training step, but not trained.
  bool running = false;
};

/// What a layer makes of its inputs' shapes.
struct LayerShape {
  Shape output;
  SmallVector<ParamSpec> params;
  /// Floating point operations for one sample; a multiply-add counts as two.
  int64_t flops = 0;
  /// Whether the output is a tensor of integers (i32).
  bool integer = false;
};

/// A mistake in a call, in the user's words.
struct LayerProblem {
  /// For example "kernel 7x7 is larger than the padded input 5x5".
  std::string message;
  /// The hyperparameter to point at; empty: the call itself.
  StringRef arg;
  /// The input whose origin a note should show, or -1, and how the note names it ("the 5x5 input").
  int input = -1;
  std::string inputText;
  /// How to mend it, or empty.
  std::string hint;
};

/// One layer or tensor function of the language.
struct LayerDef {
  /// The name in the language: `conv`, `relu`, `add` (which `+` calls).
  StringRef name;
  /// What unlabelled instances are called, with an ordinal: `pool` for `max_pool`.
  StringRef stem;
  StringRef doc;
  SmallVector<LayerArg> args;
  /// How many tensors it takes. With one it can stand after `->`.
  unsigned numInputs = 1;
  /// Whether it takes `numInputs` tensors or more.
  bool isVariadic = false;
  /// Whether it is called with its tensors in parentheses (`relu(x)`); layers with hyperparameters
  /// are called with those.
  bool isFunction = false;
  /// The rank of a sample where it takes one rank only (3 for images), and the least rank of a
  /// tensor without a batch, which gets extents of 1 in front; 0: any rank. Further dimensions of a
  /// tensor without a batch are its batch.
  unsigned sampleRank = 0;
  unsigned leastRank = 0;
  /// Lower ranks of samples that it takes as well (features beside images).
  SmallVector<unsigned, 2> lowerRanks = {};
  /// Whether it computes each element from the one at its place, so that it applies to numbers,
  /// too.
  bool isElementwise = false;
  /// What it computes of a number that is known when a file is read; empty: a tensor of it.
  std::function<double(double)> ofNumber;
  /// The function of two tensors that is meant where several are given (`maximum` for `max`).
  StringRef ofSeveral;
  /// Whether it computes with tensors of integers; else they are converted before it.
  bool takesIntegers = false;
  /// Whether it takes tensors with a batch and tensors without one (whose dimension 0 is 1)
  /// together; else the latter are repeated for every sample.
  bool mixesBatch = false;
  /// The shapes for one sample, or failure with `problem` filled.
  std::function<FailureOr<LayerShape>(ArrayRef<Shape> inputs, const LayerArgs &args,
                                      LayerProblem &problem)>
      infer;
  /// Where the call may give parameters as tensors (`conv(weight = k)`): their names, and what sets
  /// the hyperparameters that follow from their shapes. Those that are not given are then left out
  /// where they can be.
  SmallVector<StringRef> tensorParams;
  std::function<LogicalResult(const llvm::StringMap<Shape> &given, LayerArgs &args,
                              LayerProblem &problem)>
      fromTensors;
  /// Builds the operation on whole batches; dimension 0 of a tensor without a batch is 1. `params`
  /// in the order of `LayerShape::params`.
  std::function<Value(OpBuilder &builder, Location loc, ValueRange inputs, ValueRange params,
                      const LayerArgs &args)>
      build;
};

/// The rank of the sample that `layer` sees of a tensor of `rank` dimensions without a batch: the
/// largest of its ranks that is not above `rank`, else its least one; `rank` where it takes any.
unsigned getSampleRank(const LayerDef &layer, unsigned rank);

/// All layers, in the order of the dialect's operations: what these give by a static `getLayer()`,
/// or by `getLayers()` where there are several.
ArrayRef<LayerDef> getLayers();

/// The layer called `name`, or null.
const LayerDef *findLayer(StringRef name);

/// The product of non-negative numbers, or INT64_MAX where it does not fit: counts that no network
/// that fits into memory reaches, but that a mistake in a file can.
int64_t multiplySaturated(ArrayRef<int64_t> factors);

/// "5x5" for {5, 5}.
std::string formatShape(ArrayRef<int64_t> shape);

} // namespace mlir::cnn

#endif // CNNC_DIALECT_LAYER_H
