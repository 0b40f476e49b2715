// Recipes against their schema: a table of keys. A new key is one row here and one field.
#include "compiler/frontend/Recipe.h"
#include "dialect/Loss.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <functional>

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::dyn_cast;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;

namespace {

constexpr StringRef inits[] = {"xavier_uniform", "xavier_normal", "kaiming_uniform",
                               "kaiming_normal", "pytorch_default"};
constexpr StringRef optimizers[] = {"sgd"};
constexpr StringRef types[] = {"f32", "f64"};

/// Evaluates one recipe.
class RecipeReader {
public:
  RecipeReader(const TrainDecl &decl, ArrayRef<SetArgument> sets, Elaboration &elaboration,
               Diagnostics &diagnostics)
      : decl(decl), sets(sets), elaboration(elaboration), diagnostics(diagnostics) {}

  std::optional<Recipe> run();

private:
  struct Key {
    StringRef name;
    bool required;
    StringRef example;
    std::function<bool(const Expr *)> read;
  };

  bool readChoice(const Expr *expr, StringRef what, ArrayRef<StringRef> choices,
                  std::string &result);
  bool readInt(const Expr *expr, StringRef key, int64_t least, int64_t most, int64_t &result);
  bool readNumber(const Expr *expr, StringRef key, bool (*valid)(double), StringRef range,
                  double &result);
  bool readBool(const Expr *expr, StringRef key, bool &result);
  bool readOptimizer(const Expr *expr);
  bool readLoss(const Expr *expr);
  bool readData(const Expr *expr);
  bool checkKey(const SetArgument &set, ArrayRef<StringRef> keys,
                ArrayRef<StringRef> hyperparameters);
  bool wrongType(const Expr *expr, StringRef key, StringRef type, const Value &value);
  std::vector<Key> schema();
  std::vector<Key> optimizerSchema();
  /// The value of `--set train.<path>=value`, or null.
  const SetArgument *findSet(ArrayRef<StringRef> path) const;

  const TrainDecl &decl;
  ArrayRef<SetArgument> sets;
  Elaboration &elaboration;
  Diagnostics &diagnostics;
  Recipe recipe;
};

bool RecipeReader::wrongType(const Expr *expr, StringRef key, StringRef type, const Value &value) {
  if (!value.isPoison())
    diagnostics.error(expr->range, "'" + key + "' is " + type + ", not " + describe(value));
  return false;
}

bool RecipeReader::readChoice(const Expr *expr, StringRef what, ArrayRef<StringRef> choices,
                              std::string &result) {
  auto *name = dyn_cast<NameExpr>(expr);
  if (name && llvm::is_contained(choices, name->name)) {
    result = name->name.str();
    return true;
  }
  std::string all = joinAlternatives(choices);
  if (name)
    diagnostics.error(expr->range, "unknown " + what + " '" + name->name + "'")
        .hint(nearestName(name->name, choices) ? suggestName(name->name, choices, "")
                                               : (what + " is " + all).str());
  else
    diagnostics.error(expr->range, what + " is the name " + all);
  return false;
}

bool RecipeReader::readInt(const Expr *expr, StringRef key, int64_t least, int64_t most,
                           int64_t &result) {
  Value value = elaboration.evaluate(expr);
  if (!value.is(Value::Kind::Int))
    return wrongType(expr, key, "an integer", value);
  result = value.integer;
  if (result >= least && result <= most)
    return true;
  diagnostics.error(expr->range, "'" + key + "' is between " + Twine(least) + " and " +
                                     Twine(most) + ", not " + Twine(result));
  return false;
}

bool RecipeReader::readNumber(const Expr *expr, StringRef key, bool (*valid)(double),
                              StringRef range, double &result) {
  Value value = elaboration.evaluate(expr);
  if (!value.isNumber())
    return wrongType(expr, key, "a number", value);
  result = value.asDouble();
  if (valid(result))
    return true;
  diagnostics.error(expr->range, "'" + key + "' is " + range + ", not " + format(value));
  return false;
}

bool RecipeReader::readBool(const Expr *expr, StringRef key, bool &result) {
  Value value = elaboration.evaluate(expr);
  if (!value.is(Value::Kind::Bool))
    return wrongType(expr, key, "true or false", value);
  result = value.integer != 0;
  return true;
}

bool RecipeReader::readData(const Expr *expr) {
  std::optional<RecipeData> data = readRecipeData(expr, sets, elaboration, diagnostics);
  if (data)
    recipe.data = std::move(*data);
  return data.has_value();
}

std::vector<RecipeReader::Key> RecipeReader::optimizerSchema() {
  Optimizer &sgd = recipe.optimizer;
  auto notNegative = [](double value) { return value >= 0; };
  return {
      {"lr", true, "0.1",
       [&](const Expr *e) {
         return readNumber(e, "lr", [](double value) { return value > 0; }, "positive", sgd.lr);
       }},
      {"momentum", false, "",
       [&](const Expr *e) {
         return readNumber(
             e, "momentum", [](double value) { return value >= 0 && value < 1; },
             "at least 0 and below 1", sgd.momentum);
       }},
      {"weight_decay", false, "",
       [&, notNegative](const Expr *e) {
         return readNumber(e, "weight_decay", notNegative, "at least 0", sgd.weightDecay);
       }},
      {"nesterov", false, "", [&](const Expr *e) { return readBool(e, "nesterov", sgd.nesterov); }},
  };
}

bool RecipeReader::readOptimizer(const Expr *expr) {
  auto *call = dyn_cast<CallExpr>(expr);
  const Expr *callee = call ? call->callee : expr;
  if (!readChoice(callee, "optimizer", optimizers, recipe.optimizer.kind))
    return false;
  std::vector<Key> keys = optimizerSchema();
  llvm::SmallVector<StringRef> names;
  for (const Key &key : keys)
    names.push_back(key.name);
  llvm::StringMap<const Expr *> given;
  bool valid = true;
  for (auto [i, argument] : llvm::enumerate(call ? call->arguments : ArrayRef<Argument>())) {
    StringRef name = argument.name.name;
    if (name.empty() && i < names.size())
      name = names[i];
    if (llvm::is_contained(names, name)) {
      given[name] = argument.value;
      continue;
    }
    diagnostics
        .error(name.empty() ? argument.range : argument.name.range,
               "'" + recipe.optimizer.kind + "' has no hyperparameter" +
                   (name.empty() ? Twine() : " '" + name + "'"))
        .hint(suggestName(name, names, "its hyperparameters are"));
    valid = false;
  }
  for (const Key &key : keys) {
    const SetArgument *set = findSet({"optimizer", key.name});
    const Expr *value = set ? set->value : given.lookup(key.name);
    if (value) {
      valid &= key.read(value);
    } else if (key.required) {
      diagnostics.error(expr->range, "'" + recipe.optimizer.kind + "' needs '" + key.name + "'")
          .hint("write " + recipe.optimizer.kind + "(" + key.name + " = " + key.example + ")");
      valid = false;
    }
  }
  if (valid && recipe.optimizer.nesterov && recipe.optimizer.momentum == 0) {
    diagnostics.error(expr->range, "'nesterov' needs a momentum above 0");
    return false;
  }
  return valid;
}

/// `mse`, or `cross_entropy(label_smoothing = 0.1)`.
bool RecipeReader::readLoss(const Expr *expr) {
  auto *call = dyn_cast<CallExpr>(expr);
  llvm::SmallVector<StringRef> losses, names;
  for (const mlir::cnn::LossDef &loss : mlir::cnn::getLosses())
    losses.push_back(loss.name);
  if (!readChoice(call ? call->callee : expr, "loss", losses, recipe.loss))
    return false;
  const mlir::cnn::LossDef &loss = *mlir::cnn::findLoss(recipe.loss);
  for (const mlir::cnn::LayerArg &arg : loss.args)
    names.push_back(arg.name);
  recipe.lossArgs = mlir::cnn::getDefaults(loss);
  llvm::StringMap<SMRange> given;
  for (auto [i, argument] : llvm::enumerate(call ? call->arguments : ArrayRef<Argument>())) {
    StringRef name = argument.name.name;
    if (name.empty() && i < names.size())
      name = names[i];
    if (!llvm::is_contained(names, name)) {
      diagnostics
          .error(name.empty() ? argument.range : argument.name.range,
                 "'" + recipe.loss + "' has no hyperparameter" +
                     (name.empty() ? Twine() : " '" + name + "'"))
          .hint(names.empty() ? "" : suggestName(name, names, "its hyperparameters are"));
      return false;
    }
    if (auto [first, isNew] = given.try_emplace(name, argument.range); !isNew) {
      diagnostics.error(argument.range, "'" + name + "' is given twice")
          .note(first->second, "it is first given here");
      return false;
    }
    Value value = elaboration.evaluate(argument.value);
    if (!value.isNumber())
      return wrongType(argument.value, name, "a number", value);
    recipe.lossArgs.set(name, value.asDouble());
    if (std::string problem = loss.check(recipe.lossArgs); !problem.empty()) {
      diagnostics.error(argument.value->range, problem);
      return false;
    }
  }
  return true;
}

std::vector<RecipeReader::Key> RecipeReader::schema() {
  constexpr int64_t most = int64_t(1) << 20;
  return {
      {"data", true, "fashion_mnist", [&](const Expr *e) { return readData(e); }},
      {"batch", true, "128",
       [&](const Expr *e) { return readInt(e, "batch", 1, most, recipe.batch); }},
      {"init", false, "", [&](const Expr *e) { return readChoice(e, "init", inits, recipe.init); }},
      {"loss", false, "", [&](const Expr *e) { return readLoss(e); }},
      {"optimizer", true, "sgd(lr = 0.1)", [&](const Expr *e) { return readOptimizer(e); }},
      {"epochs", true, "10",
       [&](const Expr *e) { return readInt(e, "epochs", 0, most, recipe.epochs); }},
      {"seed", false, "",
       [&](const Expr *e) { return readInt(e, "seed", 0, INT64_MAX, recipe.seed); }},
      {"shuffle", false, "", [&](const Expr *e) { return readBool(e, "shuffle", recipe.shuffle); }},
      {"dtype", false, "",
       [&](const Expr *e) { return readChoice(e, "dtype", types, recipe.dtype); }},
  };
}

const SetArgument *RecipeReader::findSet(ArrayRef<StringRef> path) const {
  const SetArgument *found = nullptr;
  for (const SetArgument &set : sets)
    if (set.path.size() == path.size() + 1 && set.path[0].name == "train" &&
        llvm::equal(path, llvm::drop_begin(set.path),
                    [](StringRef a, const Identifier &b) { return a == b.name; }))
      found = &set; // the last one counts
  return found;
}

/// Whether a `--set train....` names a key of a recipe or a hyperparameter of its optimizer.
bool RecipeReader::checkKey(const SetArgument &set, ArrayRef<StringRef> keys,
                            ArrayRef<StringRef> hyperparameters) {
  const Identifier &key = set.path[1];
  if (!llvm::is_contained(keys, key.name)) {
    diagnostics.error(key.range, "a recipe has no key '" + key.name + "'")
        .hint(suggestName(key.name, keys, "the keys are"));
    return false;
  }
  size_t parts = key.name == "optimizer" ? 3 : 2; // of a whole path
  if (parts == 3 && set.path.size() > 2 && !llvm::is_contained(hyperparameters, set.path[2].name)) {
    diagnostics
        .error(set.path[2].range, "the optimizer has no hyperparameter '" + set.path[2].name + "'")
        .hint(suggestName(set.path[2].name, hyperparameters, "the keys are"));
    return false;
  }
  if (set.path.size() <= parts)
    return true;
  diagnostics.error(set.path[parts].range, "'" + set.path[parts - 1].name + "' has no parts");
  return false;
}

std::optional<Recipe> RecipeReader::run() {
  recipe.name = decl.name.name.str();
  recipe.net = decl.net.name.str();
  recipe.range = decl.name.range;
  recipe.lossArgs = mlir::cnn::getDefaults(*mlir::cnn::findLoss(recipe.loss));
  std::vector<Key> keys = schema();
  llvm::SmallVector<StringRef> names;
  for (const Key &key : keys)
    names.push_back(key.name);
  bool valid = true;
  llvm::StringMap<const Entry *> given;
  for (const Entry &entry : decl.entries) {
    if (!llvm::is_contained(names, entry.key.name)) {
      diagnostics.error(entry.key.range, "a recipe has no key '" + entry.key.name + "'")
          .hint(suggestName(entry.key.name, names, "its keys are"));
      valid = false;
    } else if (auto [other, inserted] = given.try_emplace(entry.key.name, &entry); !inserted) {
      diagnostics.error(entry.key.range, "'" + entry.key.name + "' is given twice")
          .note(other->second->key.range, "it is first given here");
      valid = false;
    }
  }
  llvm::SmallVector<StringRef> optimizerNames;
  for (const Key &key : optimizerSchema())
    optimizerNames.push_back(key.name);
  for (const SetArgument &set : sets) {
    if (set.path[0].name != "train" || isDataOverride(set))
      continue;
    valid &= checkKey(set, names, optimizerNames);
  }
  for (const Key &key : keys) {
    const SetArgument *set = findSet({key.name});
    const Entry *entry = given.lookup(key.name);
    if (set || entry) {
      valid &= key.read(set ? set->value : entry->value);
    } else if (key.required) {
      diagnostics.error(decl.name.range, "recipe '" + recipe.name + "' has no '" + key.name + "'")
          .hint("write " + key.name + " = " + key.example);
      valid = false;
    }
  }
  if (!valid)
    return std::nullopt;
  return recipe;
}

} // namespace

std::optional<Recipe> cnn::evaluateRecipe(const TrainDecl &decl, ArrayRef<SetArgument> sets,
                                          Elaboration &elaboration, Diagnostics &diagnostics) {
  return RecipeReader(decl, sets, elaboration, diagnostics).run();
}

bool cnn::checkDataFits(const Recipe &recipe, const Graph &graph, Diagnostics &diagnostics) {
  const DataView &view = recipe.data.view;
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1)
    return true;
  const GraphTensor &input = graph.tensors[graph.inputs.front()],
                    &output = graph.tensors[graph.outputs.front()];
  int64_t extents[] = {view.shape.channels, view.shape.height, view.shape.width};
  bool fits = input.shape.size() == 3;
  for (unsigned i = 0; fits && i < 3; ++i)
    fits = extents[i] < 0 || extents[i] == input.shape[i];
  if (!fits) {
    std::string given, resize;
    for (int64_t extent : extents)
      given += (given.empty() ? "" : "x") + (extent < 0 ? "?" : std::to_string(extent));
    auto error = diagnostics.error(recipe.data.range, "the data has images of " + given +
                                                          ", net '" + graph.net + "' takes " +
                                                          mlir::cnn::formatShape(input.shape));
    error.note(input.range, "'" + input.name + "' is declared here");
    if (input.shape.size() != 3)
      return false;
    std::string stages;
    bool differs = false;
    for (unsigned i = 1; i < 3; ++i)
      differs |= extents[i] >= 0 && extents[i] != input.shape[i];
    if (differs)
      stages =
          "resize(" + std::to_string(input.shape[1]) +
          (input.shape[1] == input.shape[2] ? ")" : ", " + std::to_string(input.shape[2]) + ")");
    if (extents[0] != input.shape[0]) {
      if (extents[0] != 3 || input.shape[0] != 1)
        return false;
      stages += stages.empty() ? "grayscale" : " -> grayscale";
    }
    error.hint("add the stage" + std::string(stages.find("->") == std::string::npos ? " " : "s ") +
               stages);
    return false;
  }
  if (recipe.loss != "cross_entropy" || view.classes.empty() || output.shape.size() != 1 ||
      output.shape[0] == static_cast<int64_t>(view.classes.size()))
    return true;
  diagnostics
      .error(recipe.data.range, "the data has " + Twine(view.classes.size()) + " classes, net '" +
                                    graph.net + "' gives " + Twine(output.shape[0]) + " numbers")
      .note(output.range, "the output is '" + output.name + "' here");
  return false;
}
