//===- Overrides.cpp - What a user asks of schedules
//----------------------------------------------===//

#include "compiler/schedule/Overrides.h"

using namespace mlir;
using namespace mlir::cnn;

Location mlir::cnn::getSettingLoc(MLIRContext *context, const Twine &setting) {
  return NameLoc::get(StringAttr::get(context, "--set schedule." + setting));
}

Location Override::getLoc(MLIRContext *context) const {
  return getSettingLoc(context, name + "=" + text);
}

bool Override::matches(GroupOp group, Operation *anchor) const {
  if (name == group.getName() || name == anchor->getName().stripDialect())
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
  return overrides;
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
