// cnn layers [NAME...]: what the language can call, from the registry of the dialect.
#include "compiler/frontend/Diagnostics.h"
#include "compiler/frontend/Recipe.h"
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"
#include "dialect/Layer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using mlir::cnn::ArgKind;
using mlir::cnn::LayerArg;
using mlir::cnn::LayerDef;

namespace cnn::tool {

/// Whether files can write its name; the others stand for operators and literals.
static bool isCallable(const LayerDef &layer) {
  return layer.name != "index" && layer.name != "literal";
}

/// The default of a hyperparameter as it would be written.
static std::string defaultText(const LayerArg &arg) {
  mlir::cnn::LayerArgs args;
  args.set(arg.name, *arg.defaultValue);
  if (arg.kind == ArgKind::String)
    return "\"" + args.getString(arg.name) + "\"";
  if (arg.kind == ArgKind::Bool)
    return args.getBool(arg.name) ? "true" : "false";
  if (arg.kind == ArgKind::Int || arg.kind == ArgKind::Float)
    return formatArgument(arg, args);
  ArrayRef<int64_t> list = args.getList(arg.name);
  return arg.kind != ArgKind::Ints && all_equal(list) ? std::to_string(list[0])
                                                      : "[" + formatArgument(arg, args) + "]";
}

/// `x -> conv(channels, ...)`, `relu(x)`, `concat(x, ...)`.
static std::string callText(const LayerDef &layer) {
  std::vector<std::string> words;
  if (layer.isFunction || layer.isVariadic || layer.numInputs > 1) {
    for (unsigned i = 0; i < layer.numInputs; ++i)
      words.push_back(std::string(1, "xyzuvw"[i % 6]));
    if (layer.isVariadic)
      words.push_back("...");
  }
  std::string call = (words.empty() ? "x -> " : "") + layer.name.str();
  for (const LayerArg &arg : layer.args)
    words.push_back(arg.name.str() + (arg.defaultValue ? " = " + defaultText(arg)
                                      : arg.optional   ? " = ..."
                                                       : ""));
  return words.empty() ? call : call + "(" + llvm::join(words, ", ") + ")";
}

static void print(const LayerDef &layer, raw_ostream &out) {
  out << callText(layer) << "\n  " << layer.doc << "\n";
  for (const LayerArg &arg : layer.args)
    out << "  " << arg.name << ": " << arg.doc << " (" << describeKind(arg) << ")\n";
  if (!layer.tensorParams.empty())
    out << "  tensors that can be given: " << llvm::join(layer.tensorParams, ", ") << "\n";
}

int runLayers() {
  if (names.empty()) {
    for (const LayerDef &layer : mlir::cnn::getLayers())
      if (isCallable(layer))
        print(layer, outs());
    return exitSuccess;
  }
  for (const std::string &name : names) {
    const LayerDef *layer = mlir::cnn::findLayer(name);
    if (!layer || !isCallable(*layer)) {
      std::vector<StringRef> known;
      for (const LayerDef &each : mlir::cnn::getLayers())
        if (isCallable(each))
          known.push_back(each.name);
      std::string nearest = suggestName(name, known, "");
      return fail("unknown layer '" + name + "'" + (nearest.empty() ? "" : "\n  hint: " + nearest));
    }
    print(*layer, outs());
  }
  return exitSuccess;
}

} // namespace cnn::tool
