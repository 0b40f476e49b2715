//===- Overrides.cpp - What a user asks of schedules -----------------------------------------===//

#include "compiler/schedule/Overrides.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::cnn;

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

bool Override::matches(GroupOp group, Operation *anchor) const {
  if (name == group.getName() || name == getRepeatedName(group) ||
      name == anchor->getName().stripDialect())
    return true;
  auto output = dyn_cast<WinogradOutputOp>(anchor);
  return output && name == output.getOf();
}

SmallVector<std::pair<StringRef, StringRef>> Override::getParts() const {
  SmallVector<StringRef> parts;
  StringRef(text).split(parts, ';', -1, false);
  SmallVector<std::pair<StringRef, StringRef>> pairs;
  for (StringRef part : parts)
    pairs.push_back(part.contains(':') ? part.split(':') : std::make_pair("algorithm", part));
  return pairs;
}

FailureOr<SmallVector<Override>> mlir::cnn::parseOverrides(ModuleOp module,
                                                           ArrayRef<std::string> texts) {
  SmallVector<Override> overrides;
  for (StringRef text : texts) {
    auto [name, value] = text.split('=');
    if (name.empty() || value.empty())
      return emitError(UnknownLoc::get(module.getContext()))
             << "schedule override '" << text << "' is not of the form name=value";
    overrides.push_back({name.str(), value.str()});
  }
  // The last one that fits counts, and a group's own before that of all its kind.
  llvm::StringSet<> groups;
  module.walk([&](GroupOp group) { groups.insert(group.getName()); });
  llvm::stable_sort(overrides, [&](const Override &left, const Override &right) {
    return groups.contains(left.name) < groups.contains(right.name);
  });
  return overrides;
}

/// The group, the operation of groups or the setting whose name is nearest to `name`; empty if none
/// is near.
static std::string findNearest(ModuleOp module, StringRef name, ArrayRef<StringRef> settings) {
  std::string found;
  unsigned best = 1 + std::max<unsigned>(1, name.size() / 3);
  auto consider = [&](StringRef candidate) {
    unsigned distance = name.edit_distance(candidate, /*AllowReplacements=*/true, best);
    if (distance < best) {
      best = distance;
      found = candidate.str();
    }
  };
  for (StringRef setting : settings)
    consider(setting);
  module.walk([&](Operation *op) {
    if (auto group = dyn_cast<GroupOp>(op); group && !group.isOuter())
      consider(group.getName());
    else if (!group && op->getParentOfType<GroupOp>())
      consider(op->getName().stripDialect());
  });
  return found;
}

LogicalResult mlir::cnn::checkUsed(ModuleOp module, ArrayRef<Override> overrides,
                                   ArrayRef<StringRef> settings) {
  for (const Override &override : overrides) {
    if (override.used)
      continue;
    auto error = emitError(override.getLoc(module.getContext()))
                 << "schedule override names '" << override.name
                 << "', which is no group and no operation of one";
    if (std::string near = findNearest(module, override.name, settings); !near.empty())
      error.attachNote() << "hint: did you mean '" << near << "'?";
    else
      error.attachNote() << "hint: --emit=scheduled shows the groups";
    return failure();
  }
  return success();
}

FailureOr<SmallVector<int64_t>> mlir::cnn::parseNumbers(StringRef text) {
  SmallVector<int64_t> numbers;
  SmallVector<StringRef> fields;
  text.split(fields, 'x');
  for (StringRef field : fields)
    if (field.getAsInteger(10, numbers.emplace_back()))
      return failure();
  return numbers;
}
