// Calls of a pipeline against their rows of the schema. Names of sets, stages and classes are no
// values of the language; everything else is evaluated with the file's constants.
#include "compiler/frontend/RecipeData.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::dyn_cast;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;

namespace {

class DataReader {
public:
  DataReader(ArrayRef<SetArgument> sets, Elaboration &elaboration, Diagnostics &diagnostics)
      : sets(sets), elaboration(elaboration), diagnostics(diagnostics) {}

  std::optional<RecipeData> run(const Expr *expr);

private:
  using Given = std::map<std::string, const Expr *>;

  const DataSchema *findRow(const Expr *call, const std::vector<DataSchema> &table, StringRef what,
                            StringRef others);
  bool checkOverrides(ArrayRef<const DataSchema *> rows);
  std::optional<DataCall> readCall(const Expr *expr, const DataSchema &schema);
  bool collect(const CallExpr *call, const DataSchema &schema, Given &given,
               std::vector<const Expr *> &classes);
  std::optional<DataValue> readValue(const Expr *expr, const DataParameter &parameter);
  bool readNumbers(const Value &value, const Expr *expr, const DataParameter &parameter,
                   DataValue &result);
  bool readNumber(const Value &value, const Expr *expr, const DataParameter &parameter,
                  DataValue &result);
  bool readClasses(ArrayRef<const Expr *> list, DataValue &result);
  bool wrongType(const Expr *expr, const DataParameter &parameter, StringRef type,
                 const Value &value);

  ArrayRef<SetArgument> sets;
  Elaboration &elaboration;
  Diagnostics &diagnostics;
  std::vector<std::string> knownClasses; // of the data so far; empty: not known
};

StringRef nameOf(const Expr *call) {
  if (auto *with = dyn_cast<CallExpr>(call))
    call = with->callee;
  auto *name = dyn_cast<NameExpr>(call);
  return name ? name->name : StringRef();
}

std::vector<StringRef> namesOf(const std::vector<DataSchema> &table) {
  std::vector<StringRef> names;
  for (const DataSchema &row : table)
    names.push_back(row.name);
  return names;
}

} // namespace

const DataSchema *DataReader::findRow(const Expr *call, const std::vector<DataSchema> &table,
                                      StringRef what, StringRef others) {
  StringRef name = nameOf(call);
  if (name.empty()) {
    diagnostics.error(call->range, "a " + what + " is a name, perhaps with arguments")
        .hint(&table == &dataSets() ? "such as fashion_mnist" : "such as resize(96)");
    return nullptr;
  }
  for (const DataSchema &row : table)
    if (row.name == name)
      return &row;
  auto *with = dyn_cast<CallExpr>(call);
  diagnostics.error(with ? with->callee->range : call->range, "unknown " + what + " '" + name + "'")
      .hint(suggestName(name, namesOf(table), others));
  return nullptr;
}

bool DataReader::wrongType(const Expr *expr, const DataParameter &parameter, StringRef type,
                           const Value &value) {
  if (value.isPoison())
    return false;
  auto error = diagnostics.error(expr->range, "'" + parameter.name + "' is " + type + ", not " +
                                                  describe(value));
  elaboration.noteValue(error, expr, value.origin);
  return false;
}

bool DataReader::readNumber(const Value &value, const Expr *expr, const DataParameter &parameter,
                            DataValue &result) {
  bool integer = parameter.kind == DataKind::Integer || parameter.kind == DataKind::Size;
  if (parameter.kind == DataKind::Share) {
    if (!value.isNumber())
      return wrongType(expr, parameter, "a count or a part of all", value);
    double share = value.asDouble();
    bool valid = value.is(Value::Kind::Int) ? share >= 1 : share > 0 && share < 1;
    if (!valid || share > parameter.most) {
      auto error = diagnostics.error(expr->range,
                                     "'" + parameter.name +
                                         "' is an integer of at least 1, or a number between 0 and "
                                         "1, not " +
                                         format(value));
      elaboration.noteValue(error, expr, value.origin);
      return false;
    }
    result.numbers.push_back(share);
    return true;
  }
  if (integer ? !value.is(Value::Kind::Int) : !value.isNumber())
    return wrongType(expr, parameter, integer ? "an integer" : "a number", value);
  double number = value.asDouble();
  bool low = parameter.leastExcluded ? number <= parameter.least : number < parameter.least;
  if (low || number > parameter.most) {
    auto error = diagnostics.error(
        expr->range,
        "'" + parameter.name + "' is " + (parameter.leastExcluded ? "above " : "between ") +
            numberText(parameter.least) + (parameter.leastExcluded ? " and at most " : " and ") +
            numberText(parameter.most) + ", not " + format(value));
    elaboration.noteValue(error, expr, value.origin);
    return false;
  }
  result.numbers.push_back(number);
  return true;
}

bool DataReader::readNumbers(const Value &value, const Expr *expr, const DataParameter &parameter,
                             DataValue &result) {
  if (!value.is(Value::Kind::Tuple) && !value.is(Value::Kind::List))
    return readNumber(value, expr, parameter, result);
  if (parameter.kind == DataKind::Size && value.size() != 2) {
    diagnostics.error(expr->range, "'" + parameter.name +
                                       "' is one integer, or (height, width), not " +
                                       format(value));
    return false;
  }
  for (int64_t i = 0; i < value.size(); ++i)
    if (!readNumber(value.element(i), expr, parameter, result))
      return false;
  return value.size() > 0 || wrongType(expr, parameter, "a number or a tuple of them", value);
}

/// A class: a name that stands for itself, a string, or a number.
bool DataReader::readClasses(ArrayRef<const Expr *> list, DataValue &result) {
  bool valid = true;
  std::vector<StringRef> names(knownClasses.begin(), knownClasses.end());
  for (const Expr *expr : list) {
    std::string text;
    if (auto *name = dyn_cast<NameExpr>(expr)) {
      text = name->name.str();
    } else {
      Value value = elaboration.evaluate(expr);
      if (value.is(Value::Kind::String))
        text = value.text;
      else if (value.is(Value::Kind::Int))
        text = std::to_string(value.integer);
      else {
        if (!value.isPoison())
          diagnostics.error(expr->range,
                            "a class is a name, a string or a number, not " + describe(value));
        valid = false;
        continue;
      }
    }
    if (!names.empty()) {
      std::optional<size_t> found = findClass(knownClasses, text);
      if (!found) {
        diagnostics.error(expr->range, "the data has no class '" + text + "'")
            .hint(suggestName(text, names, "its classes are"));
        valid = false;
        continue;
      }
      text = knownClasses[*found];
    }
    result.texts.push_back(std::move(text));
  }
  return valid;
}

std::optional<DataValue> DataReader::readValue(const Expr *expr, const DataParameter &parameter) {
  DataValue result;
  result.name = parameter.name;
  if (parameter.kind == DataKind::Classes) {
    if (auto *tuple = dyn_cast<TupleExpr>(expr))
      return readClasses(std::vector<const Expr *>(tuple->elements.begin(), tuple->elements.end()),
                         result)
                 ? std::optional(result)
                 : std::nullopt;
    return readClasses(expr, result) ? std::optional(result) : std::nullopt;
  }
  Value value = elaboration.evaluate(expr);
  bool valid;
  if (parameter.kind == DataKind::Text) {
    valid = value.is(Value::Kind::String) || wrongType(expr, parameter, "a string", value);
    result.texts.push_back(value.text);
  } else if (parameter.kind == DataKind::Numbers || parameter.kind == DataKind::Size) {
    valid = readNumbers(value, expr, parameter, result);
  } else {
    valid = readNumber(value, expr, parameter, result);
  }
  return valid ? std::optional(result) : std::nullopt;
}

/// Sorts the arguments of a call by parameter.
bool DataReader::collect(const CallExpr *call, const DataSchema &schema, Given &given,
                         std::vector<const Expr *> &classes) {
  bool valid = true,
       variadic = !schema.parameters.empty() && schema.parameters.front().kind == DataKind::Classes;
  std::vector<StringRef> names;
  for (const DataParameter &parameter : schema.parameters)
    names.push_back(parameter.name);
  for (auto [i, argument] : llvm::enumerate(call->arguments)) {
    StringRef name = argument.name.name;
    if (name.empty() && variadic) {
      classes.push_back(argument.value);
      continue;
    }
    if (name.empty() && i >= names.size()) {
      diagnostics
          .error(argument.range,
                 "'" + schema.name + "' takes " +
                     (names.empty()       ? Twine("no arguments")
                      : names.size() == 1 ? Twine("one argument")
                                          : "at most " + Twine(names.size()) + " arguments"))
          .hint("write " + schema.signature());
      valid = false;
      continue;
    }
    if (name.empty())
      name = names[i];
    if (!llvm::is_contained(names, name)) {
      diagnostics.error(argument.name.range, "'" + schema.name + "' has no argument '" + name + "'")
          .hint(names.empty() ? std::string() : suggestName(name, names, "its arguments are"));
      valid = false;
    } else if (auto [first, isNew] = given.emplace(name.str(), argument.value); !isNew) {
      diagnostics.error(argument.range, "'" + name + "' is given twice")
          .note(first->second->range, "it is first given here");
      valid = false;
    }
  }
  return valid;
}

std::optional<DataCall> DataReader::readCall(const Expr *expr, const DataSchema &schema) {
  DataCall result;
  result.name = schema.name;
  Given given;
  std::vector<const Expr *> classes;
  bool valid = true;
  if (auto *call = dyn_cast<CallExpr>(expr))
    valid = collect(call, schema, given, classes);
  for (const SetArgument &set : sets)
    if (isDataOverride(set) && set.path[2].name == schema.name)
      given[set.path[3].name.str()] = set.value; // the last one counts
  for (const DataParameter &parameter : schema.parameters) {
    auto found = given.find(parameter.name);
    if (found != given.end()) {
      if (std::optional<DataValue> value = readValue(found->second, parameter))
        result.values.push_back(std::move(*value));
      else
        valid = false;
    } else if (parameter.kind == DataKind::Classes && !classes.empty()) {
      DataValue value;
      value.name = parameter.name;
      valid &= readClasses(classes, value);
      result.values.push_back(std::move(value));
    } else if (parameter.required) {
      // After another mistake, the missing argument may be the one that was misspelt.
      if (valid)
        diagnostics.error(expr->range, "'" + schema.name + "' needs '" + parameter.name + "'")
            .hint("write " + schema.signature() + ": " + schema.doc);
      valid = false;
    } else if (!parameter.defaults.empty()) {
      result.values.push_back({parameter.name, parameter.defaults, {}, /*isDefault=*/true});
    }
  }
  return valid ? std::optional(result) : std::nullopt;
}

/// Whether each override means an argument of just one call of the pipeline.
bool DataReader::checkOverrides(ArrayRef<const DataSchema *> rows) {
  bool valid = true;
  std::vector<StringRef> names;
  for (const DataSchema *row : rows)
    names.push_back(row->name);
  for (const SetArgument &set : sets) {
    if (!isDataOverride(set))
      continue;
    const Identifier &name = set.path[2], &key = set.path[3];
    int64_t calls = llvm::count(names, name.name);
    if (calls != 1) {
      auto error =
          diagnostics.error(name.range, calls ? "the data has several stages '" + name.name + "'"
                                              : "the data has no stage '" + name.name + "'");
      error.hint(calls ? "override all of it: train.data=..."
                       : suggestName(name.name, names, "it consists of"));
      valid = false;
      continue;
    }
    const DataSchema &row = *rows[llvm::find(names, name.name) - names.begin()];
    if (row.find(key.name.str()))
      continue;
    std::vector<StringRef> arguments;
    for (const DataParameter &parameter : row.parameters)
      arguments.push_back(parameter.name);
    diagnostics.error(key.range, "'" + row.name + "' has no argument '" + key.name + "'")
        .hint(arguments.empty() ? std::string()
                                : suggestName(key.name, arguments, "its arguments are"));
    valid = false;
  }
  return valid;
}

std::optional<RecipeData> DataReader::run(const Expr *expr) {
  auto *chain = dyn_cast<ChainExpr>(expr);
  std::vector<const Expr *> calls = {expr};
  if (chain)
    calls.assign(chain->elements.begin(), chain->elements.end());
  std::vector<const DataSchema *> rows;
  for (auto [i, call] : llvm::enumerate(calls))
    if (i == 0)
      rows.push_back(findRow(call, dataSets(), "data set", "data set is"));
    else
      rows.push_back(findRow(call, dataStages(), "data stage", "the stages are"));
  if (llvm::is_contained(rows, nullptr) || !checkOverrides(rows))
    return std::nullopt;

  RecipeData data;
  data.range = expr->range;
  data.view = rows.front()->view;
  bool valid = true;
  for (auto [i, call] : llvm::enumerate(calls)) {
    knownClasses = data.view.classes;
    std::optional<DataCall> read = readCall(call, *rows[i]);
    valid &= read.has_value();
    if (!valid)
      continue; // what follows is still read, for its own mistakes
    if (i == 0) {
      data.pipeline.set = std::move(*read);
      continue;
    }
    if (std::optional<DataProblem> problem = rows[i]->apply(*read, data.view)) {
      diagnostics.error(call->range, problem->message).hint(problem->hint);
      valid = false;
      continue;
    }
    data.pipeline.stages.push_back(std::move(*read));
  }
  return valid ? std::optional(data) : std::nullopt;
}

bool cnn::isDataOverride(const SetArgument &set) {
  return set.path.size() == 4 && set.path[0].name == "train" && set.path[1].name == "data";
}

std::optional<RecipeData> cnn::readRecipeData(const Expr *expr, ArrayRef<SetArgument> sets,
                                              Elaboration &elaboration, Diagnostics &diagnostics) {
  return DataReader(sets, elaboration, diagnostics).run(expr);
}
