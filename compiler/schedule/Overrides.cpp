//===- Overrides.cpp - What a user asks of schedules -----------------------------------------===//

#include "compiler/schedule/Overrides.h"
#include "compiler/schedule/GpuSchedule.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::cnn;

//===--------------------------------------------------------------------------------------------===//
// The form of a setting
//===--------------------------------------------------------------------------------------------===//

namespace {
/// What the value of a part may be.
struct PartForm {
  StringLiteral key, expected, example;
  /// Numbers joined by `x`; -1 for any count, 0 for none: a word.
  int count = 0;
  int64_t least = 0;
  /// The words, if only these are possible.
  StringLiteral words = "";
};
} // namespace

static constexpr PartForm algorithmForm = {algorithmKey, "a name",
                                           "algorithm:direct, or direct alone"};
static constexpr PartForm windowsForm = {windowsKey, "rows and columns of windows",
                                         "windows:4x4, or windows:1x1 for none", 2, 1};
static constexpr PartForm loadForm = {loadKey, "through or stored", "load:through", 0,
                                      0,       "through stored"};

static constexpr PartForm cpuForms[] = {
    algorithmForm,
    {"vector", "the number of a dimension", "vector:1", 1},
    {"tile", "a number for each dimension, joined by x", "tile:1x3x2x4x1x1x5", -1, 1},
    {"order", "the numbers of all dimensions, joined by x", "order:1x0x2", -1},
    {"chunk", "a number", "chunk:2", 1},
    {"collapse", "1 or 2", "collapse:2", 1},
    {blocksKey, "the rows and columns of tiles of a block", "winograd4;blocks:1x4", 2, 1},
    windowsForm,
    loadForm};

static constexpr PartForm gpuForms[] = {
    {algorithmKey, "a name", "algorithm:point, or point alone"},
    {"block", "a number of threads", "block:128", 1, 1},
    {"vector", "a number of neighbours", "vector:4", 1, 1},
    {"tile", "numbers joined by x", "contraction;tile:64x64x16x4x4", -1, 1},
    {"instruction", "a name", "instruction:tf32"},
    {"stages", "a number", "stages:3", 1, 1},
    {"split", "a number of parts", "split:8", 1, 1},
    {"pool", "with or apart", "pool:apart", 0, 0, "with apart"},
    windowsForm,
    loadForm};

FailureOr<SmallVector<int64_t>> mlir::cnn::parseNumbers(StringRef text) {
  SmallVector<int64_t> numbers;
  SmallVector<StringRef> fields;
  text.split(fields, 'x');
  for (StringRef field : fields)
    if (field.getAsInteger(10, numbers.emplace_back()))
      return failure();
  return numbers;
}

/// Reads one part; what is wrong goes to `problem`, and `hint`.
static Override::Part parsePart(StringRef text, ArrayRef<PartForm> forms, std::string &problem,
                                std::string &hint) {
  auto [key, value] =
      text.contains(':') ? text.split(':') : std::make_pair(StringRef(algorithmKey), text);
  Override::Part part = {key.str(), value.str(), {}};
  const auto *form =
      llvm::find_if(forms, [key = key](const PartForm &form) { return form.key == key; });
  if (form == forms.end()) {
    std::vector<std::string> names;
    for (const PartForm &known : forms)
      names.push_back(known.key.str());
    std::vector<StringRef> keys(names.begin(), names.end());
    problem = ("'" + text + "': a schedule has no '" + key + "'; it has " + joinNames(names)).str();
    if (StringRef near = findNearest(key, keys); !near.empty())
      form = llvm::find_if(forms, [&](const PartForm &known) { return known.key == near; });
    hint = form == forms.end()
               ? ("such as " + forms[0].example + ", or " + forms[2].example).str()
               : ("did you mean '" + form->key + "', such as " + form->example + "?").str();
    return part;
  }
  if (FailureOr<SmallVector<int64_t>> numbers = parseNumbers(value); succeeded(numbers))
    part.numbers = *numbers;
  bool isValid = !value.empty();
  if (form->count != 0)
    isValid = !part.numbers.empty() &&
              (form->count < 0 || static_cast<int>(part.numbers.size()) == form->count) &&
              llvm::all_of(part.numbers, [&](int64_t number) { return number >= form->least; });
  if (!form->words.empty())
    isValid = llvm::is_contained(llvm::split(form->words, ' '), value);
  if (!isValid) {
    problem = ("'" + key + "' is '" + value + "', expected " + form->expected).str();
    hint = ("such as " + form->example).str();
  }
  return part;
}

static Override parse(StringRef name, StringRef text, ArrayRef<PartForm> forms,
                      std::string &problem, std::string &hint) {
  Override override;
  override.name = name.str();
  override.text = text.str();
  SmallVector<StringRef> parts;
  text.split(parts, ';', -1, false);
  for (StringRef part : parts)
    if (problem.empty())
      override.parts.push_back(parsePart(part, forms, problem, hint));
  if (parts.empty()) {
    problem = "'" + text.str() + "' asks for nothing";
    hint = "such as direct, or tile:1x3x2x4x1x1x5;chunk:2";
  }
  return override;
}

FailureOr<SmallVector<Override>> mlir::cnn::parseOverrides(ModuleOp module,
                                                           ArrayRef<std::string> texts) {
  ArrayRef<PartForm> forms = isForGpu(module) ? ArrayRef(gpuForms) : ArrayRef(cpuForms);
  SmallVector<Override> overrides;
  for (StringRef text : texts) {
    auto [name, value] = text.split('=');
    if (name.empty() || value.empty())
      return emitError(UnknownLoc::get(module.getContext()))
             << "schedule override '" << text << "' is not of the form name=value";
    std::string problem, hint;
    overrides.push_back(parse(name, value, forms, problem, hint));
    if (problem.empty())
      continue;
    auto error = emitError(overrides.back().getLoc(module.getContext())) << problem;
    if (!hint.empty())
      error.attachNote() << "hint: " << hint;
    return failure();
  }
  // The last one that fits counts, and a group's own before that of all its kind.
  llvm::StringSet<> groups;
  module.walk([&](GroupOp group) { groups.insert(group.getName()); });
  SmallVector<Override> ordered;
  for (bool own : {false, true})
    llvm::copy_if(overrides, std::back_inserter(ordered),
                  [&](const Override &override) { return groups.contains(override.name) == own; });
  return ordered;
}

FailureOr<Override> mlir::cnn::parseStored(GroupOp group, StringRef text) {
  std::string problem, hint;
  Override override = parse(group.getName(), text, cpuForms, problem, hint);
  if (!problem.empty())
    return failure();
  return override;
}

//===--------------------------------------------------------------------------------------------===//
// Which groups it is for
//===--------------------------------------------------------------------------------------------===//

Location mlir::cnn::getSettingLoc(MLIRContext *context, const Twine &setting) {
  return NameLoc::get(StringAttr::get(context, "--set schedule." + setting));
}

Location Override::getLoc(MLIRContext *context) const {
  return getSettingLoc(context, name + "=" + text);
}

std::string mlir::cnn::getRepeatedName(GroupOp group) {
  auto [layer, rest] = group.getName().split(".recompute");
  return layer == group.getName() ? layer.str() : (layer + ".forward" + rest).str();
}

/// Groups that were taken apart from one of the name before it.
static constexpr StringLiteral partSuffixes[] = {".slices", ".product"};

/// Whether the group reads what was taken apart from it.
static bool readsOwnPart(GroupOp group) {
  return llvm::any_of(group.getInputs(), [&](Value input) {
    auto from = input.getDefiningOp<GroupOp>();
    if (from && from.isOuter())
      from = from.getYield()
                 .getValues()[cast<OpResult>(input).getResultNumber()]
                 .getDefiningOp<GroupOp>();
    return from && llvm::any_of(partSuffixes, [&](StringRef suffix) {
             return from.getName() == (group.getName() + suffix).str();
           });
  });
}

bool Override::names(GroupOp group) const {
  if (name == group.getName())
    return !readsOwnPart(group);
  StringRef whole = group.getName();
  while (llvm::any_of(partSuffixes, [&](StringRef suffix) { return whole.consume_back(suffix); }))
    if (name == whole)
      return true;
  return false;
}

bool Override::matches(GroupOp group, Operation *anchor) const {
  if (names(group) || name == anchor->getName().stripDialect() ||
      (name != group.getName() && name == getRepeatedName(group)))
    return true;
  auto output = dyn_cast<WinogradOutputOp>(anchor);
  return output && name == output.getOf();
}

const Override::Part *Override::get(StringRef key) const {
  const Part *found = nullptr;
  for (const Part &part : parts)
    if (part.key == key)
      found = &part;
  return found;
}

//===--------------------------------------------------------------------------------------------===//
// What is asked of a group
//===--------------------------------------------------------------------------------------------===//

Asked::Asked(MutableArrayRef<Override> overrides, GroupOp group,
             function_ref<bool(const Override &)> isMeant) {
  SmallVector<Override *> meant;
  const Override::Part *algorithm = nullptr;
  for (Override &override : overrides)
    if (isMeant(override)) {
      override.used = true;
      meant.push_back(&override);
      if (const Override::Part *part = override.get(algorithmKey))
        algorithm = part;
    }
  for (Override *override : meant) {
    if (const Override::Part *part = override->get(algorithmKey);
        part && part->value != algorithm->value)
      continue;
    for (const Override::Part &part : override->parts) {
      llvm::erase_if(parts, [&](const Part &before) { return before.key == part.key; });
      parts.push_back({part.key, part.value, part.numbers, override, override->names(group)});
    }
  }
}

const Asked::Part *Asked::get(StringRef key) const {
  auto found = llvm::find_if(parts, [&](const Part &part) { return part.key == key; });
  return found == parts.end() ? nullptr : &*found;
}

void Asked::drop(const Override *override) {
  llvm::erase_if(parts, [&](const Part &part) { return part.from == override; });
}

void Asked::addNotes(InFlightDiagnostic &error, MLIRContext *context) const {
  llvm::SmallPtrSet<const Override *, 4> seen;
  for (const Part &part : parts)
    if (seen.insert(part.from).second)
      error.attachNote(part.from->getLoc(context)) << "it is asked for here";
}

std::string mlir::cnn::getAskedReason(ArrayRef<Override *> overrides) {
  SmallVector<StringRef> texts;
  for (const Override *override : overrides)
    if (!llvm::is_contained(texts, override->text))
      texts.push_back(override->text);
  return "asked for: " + llvm::join(texts, "; ");
}

void Refusals::refuse(const Asked::Part &part, GroupOp group, const Twine &why, const Twine &hint) {
  auto [at, isNew] = refused.insert({part.from,
                                     {group.getLoc(), group.getName().str(), part.value.str(),
                                      why.str(), hint.str(), part.isOwn}});
  if (!isNew)
    ++at->second.count;
}

LogicalResult Refusals::report() const {
  for (const auto &[override, refusal] : refused) {
    if (taken.contains(override))
      continue;
    MLIRContext *context = refusal.loc.getContext();
    if (!refusal.isOwn) {
      auto warning = emitWarning(override->getLoc(context))
                     << "algorithm '" << refusal.algorithm << "' applies to no '" << override->name
                     << "' here: group '" << refusal.group << "': " << refusal.why;
      if (refusal.count > 1)
        warning << "; and " << refusal.count - 1 << " more";
      continue;
    }
    auto error = emitError(refusal.loc) << "group '" << refusal.group << "': algorithm '"
                                        << refusal.algorithm << "' does not apply: " << refusal.why;
    error.attachNote(override->getLoc(context)) << "it is asked for here";
    if (!refusal.hint.empty())
      error.attachNote() << "hint: " << refusal.hint;
    return failure();
  }
  return success();
}

//===--------------------------------------------------------------------------------------------===//
// Names that are none
//===--------------------------------------------------------------------------------------------===//

StringRef mlir::cnn::findNearest(StringRef name, ArrayRef<StringRef> candidates) {
  StringRef found;
  unsigned best = std::max<unsigned>(1, name.size() / 3);
  for (StringRef candidate : candidates) {
    unsigned distance = name.edit_distance(candidate, /*AllowReplacements=*/true, best);
    if (distance <= best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

LogicalResult mlir::cnn::checkLayout(MLIRContext *context, StringRef layout,
                                     ArrayRef<StringRef> known) {
  if (llvm::is_contained(known, layout))
    return success();
  std::vector<std::string> names(known.begin(), known.end());
  auto error = emitError(getSettingLoc(context, "layout=" + layout))
               << "unknown layout '" << layout << "', expected " << joinNames(names, "or");
  if (StringRef near = findNearest(layout, known); !near.empty())
    error.attachNote() << "hint: did you mean '" << near << "'?";
  else
    error.attachNote() << "hint: auto chooses one";
  return failure();
}

std::string mlir::cnn::joinNames(ArrayRef<std::string> names, StringRef last) {
  if (names.size() < 2)
    return llvm::join(names, "");
  return (llvm::join(names.drop_back(), ", ") + " " + last + " " + names.back()).str();
}

/// Whether there are groups that compute the operation, if not here.
static bool isOperation(ModuleOp module, StringRef name) {
  auto op = RegisteredOperationName::lookup((CnnDialect::getDialectNamespace() + "." + name).str(),
                                            module.getContext());
  return op && op->hasInterface<NestOpInterface>();
}

LogicalResult mlir::cnn::checkUsed(ModuleOp module, ArrayRef<Override> overrides,
                                   ArrayRef<StringRef> settings) {
  for (const Override &override : overrides) {
    if (override.used)
      continue;
    if (isOperation(module, override.name)) {
      bool isFused = false;
      module.walk([&](NestOpInterface op) {
        isFused |= op->getName().stripDialect() == override.name && op->getParentOfType<GroupOp>();
      });
      emitWarning(override.getLoc(module.getContext()))
          << (isFused ? "other groups compute '" : "no group computes '") << override.name
          << (isFused ? "' with what they are for" : "' here") << ", so the setting has no effect";
      continue;
    }
    auto error = emitError(override.getLoc(module.getContext()))
                 << "schedule override names '" << override.name
                 << "', which is no group and no operation of one";
    SmallVector<StringRef> names(settings);
    module.walk([&](Operation *op) {
      if (auto group = dyn_cast<GroupOp>(op); group && !group.isOuter())
        names.push_back(group.getName());
      else if (!group && op->getParentOfType<GroupOp>())
        names.push_back(op->getName().stripDialect());
    });
    if (StringRef near = findNearest(override.name, names); !near.empty())
      error.attachNote() << "hint: did you mean '" << near << "'?";
    else
      error.attachNote() << "hint: --emit=scheduled shows the groups";
    return failure();
  }
  return success();
}
