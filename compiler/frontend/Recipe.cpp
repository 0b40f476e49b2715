// Recipes against their schema: a table of keys. A new key is one row here and one field.
#include "compiler/frontend/Recipe.h"
#include "dialect/Loss.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include <cmath>
#include <functional>

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::dyn_cast;
using llvm::isa;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::ArgKind;
using mlir::cnn::LayerArg;
using mlir::cnn::LayerArgs;
using mlir::cnn::LayerProblem;

namespace {

constexpr StringRef types[] = {"f32", "f64"};
constexpr StringRef recomputations[] = {"none", "cheap", "blocks"};

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
  bool readBool(const Expr *expr, StringRef key, bool &result);
  bool readPrecision(const Expr *expr);
  bool readRecompute(const Expr *expr);
  /// What an initialisation, a loss, an optimizer or a schedule takes.
  struct Choice {
    StringRef name, example;
    ArrayRef<LayerArg> args;
    std::function<void(const LayerArgs &, llvm::SmallVectorImpl<LayerProblem> &)> check;
  };
  /// Reads `name(key = value, ...)` for the key `key`, with what --set says about its parts.
  bool readCall(const Expr *expr, StringRef key, ArrayRef<Choice> choices, const Choice *&chosen,
                LayerArgs &args);
  bool readArgument(const Expr *expr, const LayerArg &arg, LayerArgs &args);
  bool readInit(const Expr *expr);
  bool readOptimizer(const Expr *expr);
  bool readLoss(const Expr *expr);
  bool readSchedule(const Expr *expr);
  bool readData(const Expr *expr);
  bool checkKey(const SetArgument &set, ArrayRef<StringRef> keys);
  bool wrongType(const Expr *expr, StringRef key, StringRef type, const Value &value);
  std::vector<Key> schema();
  /// The value of `--set train.<path>=value`, or null.
  const SetArgument *findSet(ArrayRef<StringRef> path) const;
  /// A `--set train.<key>.<part>=value`, or null.
  const SetArgument *findPart(StringRef key) const;

  const TrainDecl &decl;
  ArrayRef<SetArgument> sets;
  Elaboration &elaboration;
  Diagnostics &diagnostics;
  Recipe recipe;
};

bool RecipeReader::wrongType(const Expr *expr, StringRef key, StringRef type, const Value &value) {
  if (value.isPoison())
    return false;
  auto error =
      diagnostics.error(expr->range, "'" + key + "' is " + type + ", not " + describe(value));
  elaboration.noteValue(error, expr, value.origin);
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
  auto error = diagnostics.error(expr->range, "'" + key + "' is between " + Twine(least) + " and " +
                                                  Twine(most) + ", not " + Twine(result));
  elaboration.noteValue(error, expr, value.origin);
  return false;
}

bool RecipeReader::readBool(const Expr *expr, StringRef key, bool &result) {
  Value value = elaboration.evaluate(expr);
  if (!value.is(Value::Kind::Bool))
    return wrongType(expr, key, "true or false", value);
  result = value.integer != 0;
  return true;
}

bool RecipeReader::readPrecision(const Expr *expr) {
  Value value = elaboration.evaluate(expr);
  if (!value.isNumber())
    return wrongType(expr, "precision", "a number", value);
  recipe.precision = value.asDouble();
  if (recipe.precision > 0 && recipe.precision <= 1)
    return true;
  std::string given;
  llvm::raw_string_ostream(given) << llvm::format("%g", recipe.precision);
  auto error = diagnostics.error(expr->range, "'precision' is above 0 and at most 1, not " + given);
  elaboration.noteValue(error, expr, value.origin);
  error.hint("it is a relative error, such as 1e-6");
  return false;
}

bool RecipeReader::readRecompute(const Expr *expr) {
  recipe.recomputeRange = expr->range;
  if (isa<NameExpr>(expr))
    return readChoice(expr, "recompute", recomputations, recipe.recompute);
  Value value = elaboration.evaluate(expr);
  bool valid = value.is(Value::Kind::List) && !value.elements->empty();
  for (size_t i = 0; valid && i < value.elements->size(); ++i) {
    const Value &element = (*value.elements)[i];
    valid = element.is(Value::Kind::String);
    if (valid)
      recipe.recomputed.push_back(element.text);
  }
  if (!valid)
    return wrongType(expr, "recompute", "none, cheap, blocks or a list of names of blocks", value);
  recipe.recompute.clear();
  return true;
}

bool RecipeReader::readData(const Expr *expr) {
  std::optional<RecipeData> data = readRecipeData(expr, sets, elaboration, diagnostics);
  if (data)
    recipe.data = std::move(*data);
  return data.has_value();
}

bool RecipeReader::readArgument(const Expr *expr, const LayerArg &arg, LayerArgs &args) {
  Value value = elaboration.evaluate(expr);
  auto wrong = [&](StringRef type) { return wrongType(expr, arg.name, type, value); };
  switch (arg.kind) {
  case ArgKind::Int:
    if (!value.is(Value::Kind::Int))
      return wrong("an integer");
    args.set(arg.name, value.integer);
    return true;
  case ArgKind::Float:
    if (!value.isNumber())
      return wrong("a number");
    args.set(arg.name, value.asDouble());
    return true;
  case ArgKind::Bool:
    if (!value.is(Value::Kind::Bool))
      return wrong("true or false");
    args.set(arg.name, value.integer != 0);
    return true;
  case ArgKind::String:
    if (!value.is(Value::Kind::String))
      return wrong("a string");
    args.set(arg.name, value.text);
    return true;
  case ArgKind::Size:
  case ArgKind::Padding:
  case ArgKind::Ints:
    break;
  }
  std::vector<int64_t> list;
  if (!value.is(Value::Kind::List) && !value.is(Value::Kind::Tuple))
    return wrong("a list of integers");
  for (const Value &element : *value.elements) {
    if (!element.is(Value::Kind::Int))
      return wrong("a list of integers");
    list.push_back(element.integer);
  }
  args.set(arg.name, list);
  return true;
}

bool RecipeReader::readCall(const Expr *expr, StringRef key, ArrayRef<Choice> choices,
                            const Choice *&chosen, LayerArgs &args) {
  auto *call = dyn_cast<CallExpr>(expr);
  llvm::SmallVector<StringRef> kinds, names;
  for (const Choice &choice : choices)
    kinds.push_back(choice.name);
  std::string kind;
  if (!readChoice(call ? call->callee : expr, key, kinds, kind))
    return false;
  chosen = llvm::find_if(choices, [&](const Choice &choice) { return choice.name == kind; });
  for (const LayerArg &arg : chosen->args)
    names.push_back(arg.name);
  llvm::StringMap<const Expr *> given;
  llvm::StringMap<SMRange> places;
  bool valid = true, several = false;
  for (auto [i, argument] : llvm::enumerate(call ? call->arguments : ArrayRef<Argument>())) {
    StringRef name = argument.name.name;
    if (name.empty() && i < names.size())
      name = names[i];
    if (llvm::is_contained(names, name)) {
      given[name] = argument.value;
      if (auto [first, isNew] = places.try_emplace(name, argument.range); !isNew) {
        diagnostics.error(argument.range, "'" + name + "' is given twice")
            .note(first->second, "it is first given here");
        valid = false;
      }
      continue;
    }
    valid = false;
    if (!name.empty()) {
      diagnostics.error(argument.name.range, "'" + kind + "' has no hyperparameter '" + name + "'")
          .hint(names.empty() ? "" : suggestName(name, names, "its hyperparameters are"));
    } else if (!several) {
      several = true; // of those that are too many the first is shown
      std::string takes = names.empty() ? "no hyperparameters"
                                        : "at most " + counted(names.size(), "hyperparameter") +
                                              ", not " + std::to_string(call->arguments.size());
      diagnostics.error(argument.range, "'" + kind + "' takes " + takes)
          .hint(names.empty() ? "write " + kind
                              : "its hyperparameters are " + llvm::join(names, ", "));
    }
  }
  for (const SetArgument &set : sets)
    if (set.path.size() == 3 && set.path[0].name == "train" && set.path[1].name == key) {
      const Identifier &last = set.path.back();
      if (llvm::is_contained(names, last.name)) {
        given[last.name] = set.value; // the last one counts
        continue;
      }
      diagnostics.error(last.range, "'" + kind + "' has no hyperparameter '" + last.name + "'")
          .hint(names.empty() ? "" : suggestName(last.name, names, "its hyperparameters are"));
      valid = false;
    }
  for (const LayerArg &arg : chosen->args) {
    if (const Expr *value = given.lookup(arg.name)) {
      valid &= readArgument(value, arg, args);
    } else if (arg.defaultValue) {
      args.set(arg.name, *arg.defaultValue);
    } else if (!arg.optional) {
      // After another mistake, the missing one may be what was misspelt.
      if (valid)
        diagnostics.error(expr->range, "'" + kind + "' needs '" + arg.name + "'")
            .hint("write " + chosen->example);
      valid = false;
    }
  }
  if (!valid)
    return false;
  llvm::SmallVector<LayerProblem> problems;
  chosen->check(args, problems);
  for (const LayerProblem &problem : problems) {
    const Expr *place = problem.arg.empty() ? nullptr : given.lookup(problem.arg);
    auto error = diagnostics.error((place ? place : expr)->range, problem.message);
    if (place)
      elaboration.noteValue(error, place, elaboration.evaluate(place).origin);
    error.hint(problem.hint);
  }
  return problems.empty();
}

/// `xavier_uniform`, or `constant(0.01)`.
bool RecipeReader::readInit(const Expr *expr) {
  std::vector<Choice> choices;
  for (const InitialiserDef &def : getInitialisers())
    choices.push_back({def.name, def.example, def.args, def.check});
  const Choice *chosen = nullptr;
  bool valid = readCall(expr, "init", choices, chosen, recipe.init.args);
  if (chosen)
    recipe.init.def = &getInitialisers()[chosen - choices.data()];
  return valid;
}

bool RecipeReader::readOptimizer(const Expr *expr) {
  std::vector<Choice> choices;
  for (const mlir::cnn::OptimizerDef &def : mlir::cnn::getOptimizers())
    choices.push_back({def.name, def.example, def.args, def.check});
  const Choice *chosen = nullptr;
  bool valid = readCall(expr, "optimizer", choices, chosen, recipe.optimizer.args);
  if (chosen)
    recipe.optimizer.def = mlir::cnn::findOptimizer(chosen->name);
  return valid;
}

bool RecipeReader::readSchedule(const Expr *expr) {
  std::vector<Choice> choices;
  for (const ScheduleDef &def : getSchedules())
    choices.push_back({def.name, def.example, def.args, def.check});
  const Choice *chosen = nullptr;
  bool valid = readCall(expr, "schedule", choices, chosen, recipe.schedule.args);
  if (chosen)
    recipe.schedule.def = &getSchedules()[chosen - choices.data()];
  return valid;
}

/// `mse`, or `cross_entropy(label_smoothing = 0.1)`.
bool RecipeReader::readLoss(const Expr *expr) {
  std::vector<Choice> choices;
  for (const mlir::cnn::LossDef &def : mlir::cnn::getLosses())
    choices.push_back({def.name, def.example, def.args, def.check});
  const Choice *chosen = nullptr;
  bool valid = readCall(expr, "loss", choices, chosen, recipe.lossArgs);
  if (chosen)
    recipe.loss = chosen->name.str();
  return valid;
}

std::vector<RecipeReader::Key> RecipeReader::schema() {
  constexpr int64_t most = int64_t(1) << 20;
  return {
      {"data", true, "fashion_mnist", [&](const Expr *e) { return readData(e); }},
      {"batch", true, "128",
       [&](const Expr *e) { return readInt(e, "batch", 1, most, recipe.batch); }},
      {"init", false, "", [&](const Expr *e) { return readInit(e); }},
      {"loss", false, "", [&](const Expr *e) { return readLoss(e); }},
      {"optimizer", true, "sgd(lr = 0.1)", [&](const Expr *e) { return readOptimizer(e); }},
      {"schedule", false, "", [&](const Expr *e) { return readSchedule(e); }},
      {"epochs", true, "10",
       [&](const Expr *e) { return readInt(e, "epochs", 0, most, recipe.epochs); }},
      {"seed", false, "",
       [&](const Expr *e) { return readInt(e, "seed", 0, INT64_MAX, recipe.seed); }},
      {"shuffle", false, "", [&](const Expr *e) { return readBool(e, "shuffle", recipe.shuffle); }},
      {"dtype", false, "",
       [&](const Expr *e) { return readChoice(e, "dtype", types, recipe.dtype); }},
      {"precision", false, "", [&](const Expr *e) { return readPrecision(e); }},
      {"recompute", false, "", [&](const Expr *e) { return readRecompute(e); }},
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

/// The key that is meant: the nearest, or the optimizer for one of its hyperparameters.
static std::string suggestKey(StringRef name, ArrayRef<StringRef> keys, StringRef otherwise) {
  bool ofOptimizer =
      llvm::any_of(mlir::cnn::getOptimizers(), [&](const mlir::cnn::OptimizerDef &def) {
        return llvm::any_of(def.args, [&](const LayerArg &arg) { return arg.name == name; });
      });
  return ofOptimizer
             ? "'" + name.str() + "' belongs to the optimizer: optimizer = sgd(lr = ...), " +
                   "or --set train.optimizer." + name.str() + "=..."
             : suggestName(name, keys, otherwise);
}

/// Whether a `--set train....` names a key of a recipe, or a part of a call; which parts there are
/// is checked with the call.
bool RecipeReader::checkKey(const SetArgument &set, ArrayRef<StringRef> keys) {
  const Identifier &key = set.path[1];
  if (!llvm::is_contained(keys, key.name)) {
    diagnostics.error(key.range, "a recipe has no key '" + key.name + "'")
        .hint(suggestKey(key.name, keys, "the keys are"));
    return false;
  }
  constexpr StringRef calls[] = {"init", "loss", "optimizer", "schedule"};
  size_t parts = llvm::is_contained(calls, key.name) ? 3 : 2; // of a whole path
  if (set.path.size() <= parts)
    return true;
  auto report =
      diagnostics.error(set.path[parts].range, "'" + set.path[parts - 1].name + "' has no parts");
  if (key.name == "data")
    report.hint("an argument of a stage is train.data.STAGE.ARGUMENT; train.data is all of it");
  return false;
}

const SetArgument *RecipeReader::findPart(StringRef key) const {
  for (const SetArgument &set : sets)
    if (set.path.size() == 3 && set.path[0].name == "train" && set.path[1].name == key)
      return &set;
  return nullptr;
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
  llvm::StringSet<> misspelt;
  for (const Entry &entry : decl.entries) {
    if (!llvm::is_contained(names, entry.key.name)) {
      misspelt.insert(nearestName(entry.key.name, names).value_or(""));
      diagnostics.error(entry.key.range, "a recipe has no key '" + entry.key.name + "'")
          .hint(suggestKey(entry.key.name, names, "its keys are"));
      valid = false;
    } else if (auto [other, inserted] = given.try_emplace(entry.key.name, &entry); !inserted) {
      diagnostics.error(entry.key.range, "'" + entry.key.name + "' is given twice")
          .note(other->second->key.range, "it is first given here");
      valid = false;
    }
  }
  for (const SetArgument &set : sets) {
    if (set.path[0].name != "train" || isDataOverride(set))
      continue;
    valid &= checkKey(set, names);
  }
  for (const Key &key : keys) {
    const SetArgument *set = findSet({key.name});
    const Entry *entry = given.lookup(key.name);
    if (!set && entry && !entry->value) {
      valid = false; // the parser said why
    } else if (set || entry) {
      valid &= key.read(set ? set->value : entry->value);
    } else if (misspelt.contains(key.name) || (key.required && decl.incomplete)) {
      valid = false;
    } else if (key.required) {
      diagnostics.error(decl.name.range, "recipe '" + recipe.name + "' has no '" + key.name + "'")
          .hint("write " + key.name + " = " + key.example);
      valid = false;
    } else if (const SetArgument *part = findPart(key.name)) {
      diagnostics
          .error(part->path.back().range, "recipe '" + recipe.name + "' has no '" + key.name +
                                              "' with a '" + part->path.back().name + "'")
          .hint("set train." + key.name + " itself first");
      valid = false;
    }
  }
  if (!valid)
    return std::nullopt;
  if (!recipe.schedule.def) {
    recipe.schedule.def = &getSchedules().front();
    for (const LayerArg &arg : recipe.schedule.def->args)
      recipe.schedule.args.set(arg.name, *arg.defaultValue);
  }
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
                                    graph.net + "' gives " + counted(output.shape[0], "number"))
      .note(output.range, "the output is '" + output.name + "' here");
  return false;
}

static StringRef describeKind(ArgKind kind) {
  switch (kind) {
  case ArgKind::Int:
    return "an integer";
  case ArgKind::Float:
    return "a number";
  case ArgKind::Bool:
    return "true or false";
  case ArgKind::String:
    return "a string";
  case ArgKind::Size:
    return "an integer or a pair (height, width)";
  case ArgKind::Padding:
    return "an integer, a pair (height, width) or four integers (top, bottom, left, right)";
  case ArgKind::Ints:
    return "an integer or a list of integers";
  }
  return "";
}

std::string cnn::describeKind(const LayerArg &arg) {
  std::string text = ::describeKind(arg.kind).str(), before = ", or ";
  for (StringRef word : arg.words) {
    text += (before + "\"" + word + "\"").str();
    before = " or ";
  }
  return text;
}

std::string cnn::formatArgument(const LayerArg &arg, const LayerArgs &args) {
  if (args.isString(arg.name))
    return args.getString(arg.name);
  std::string text;
  llvm::raw_string_ostream stream(text);
  switch (arg.kind) {
  case ArgKind::Int:
    stream << args.getInt(arg.name);
    break;
  case ArgKind::Float:
    stream << llvm::format("%g", args.getFloat(arg.name));
    break;
  case ArgKind::Bool:
    stream << args.getBool(arg.name);
    break;
  case ArgKind::String:
    break;
  case ArgKind::Size:
  case ArgKind::Padding:
  case ArgKind::Ints:
    llvm::interleaveComma(args.getList(arg.name), stream);
    break;
  }
  return text;
}
