// A file is JSON:
//
//   {"version": 1, "cpu": "znver4", "cores": 8, "net": "n", "entry": "infer", "hash": "...",
//    "algorithms": {"conv1.forward": ["winograd4", "measured: winograd4 1.2 ms, direct 2.0 ms"]},
//    "schedules": {}}
//
// The hash is that of the entry point in phase `fused`: its operations, shapes and groups, not its
// place in a file or the other entry points beside it.
#include "compiler/pipelines/TunedStore.h"
#include "compiler/emit/Cache.h"
#include "compiler/schedule/Machine.h"
#include "compiler/schedule/Tuned.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
namespace fs = llvm::sys::fs;

static constexpr int64_t version = 1;

namespace {
/// What a file is for.
struct TunedKey {
  std::string cpu, net, entry, hash;
  int64_t cores = 0;

  std::string prefix() const {
    return "tuned-" + net + "-" + cpu + "-" + std::to_string(cores) + "-";
  }
  std::string name() const { return prefix() + entry + "-" + hash.substr(0, 16) + ".json"; }
};
} // namespace

/// The machine at hand; a key without a CPU where LLVM does not know it.
static TunedKey makeKey(mlir::MLIRContext *context, llvm::StringRef net) {
  mlir::Location nowhere = mlir::UnknownLoc::get(context);
  TunedKey key;
  key.net = net.str();
  auto machine = mlir::cnn::Machine::get("native", [&]() { return mlir::emitRemark(nowhere); });
  if (succeeded(machine)) {
    key.cpu = machine->cpu;
    key.cores = machine->cores;
  }
  return key;
}

static std::string getSetting(const PhaseOptions &options, llvm::StringRef name) {
  std::string found;
  for (const auto &[key, value] : options.settings)
    if (key == "schedule." + name.str())
      found = value; // the last one counts
  return found;
}

static TunedKey makeKey(mlir::ModuleOp module, mlir::func::FuncOp entry,
                        const PhaseOptions &options) {
  TunedKey key = makeKey(module.getContext(), module.getSymName().value_or(""));
  key.entry = entry.getName().str();
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "layout " << getSetting(options, "layout") << '\n';
  mlir::DictionaryAttr attributes = entry->getAttrDictionary();
  entry->removeAttr(mlir::cnn::tunedAttr);
  entry->removeAttr(mlir::cnn::tunedLayoutAttr);
  entry->print(out, mlir::OpPrintingFlags().useLocalScope());
  entry->setAttrs(attributes);
  key.hash = llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(text)), /*LowerCase=*/true);
  return key;
}

bool cnn::usesTuned(const PhaseOptions &options) {
  return options.cpu == "native" && options.features.empty() &&
         getSetting(options, "tuned") != "off" && getSetting(options, "seed").empty() &&
         Cache::fromEnvironment().isOn();
}

bool cnn::mayHaveTuned(mlir::ModuleOp module) {
  std::string prefix = makeKey(module.getContext(), module.getSymName().value_or("")).prefix();
  std::error_code error;
  for (fs::directory_iterator at(Cache::fromEnvironment().getFolder(), error), end;
       at != end && !error; at.increment(error))
    if (llvm::sys::path::filename(at->path()).starts_with(prefix))
      return true;
  return false;
}

/// `{"group": ["choice", "reason"], ...}`; false for anything else.
static bool readChoices(const llvm::json::Object *object,
                        std::map<std::string, StoredChoice> &choices) {
  if (!object)
    return false;
  for (const auto &[group, value] : *object) {
    const llvm::json::Array *pair = value.getAsArray();
    auto text = [&](size_t at) {
      return pair && pair->size() == 2 ? (*pair)[at].getAsString() : std::nullopt;
    };
    if (!text(0) || !text(1))
      return false;
    choices[group.str()] = {text(0)->str(), text(1)->str()};
  }
  return true;
}

/// "layout", where it is there: one of those that are chosen; false for anything else.
static bool readLayout(const llvm::json::Object &object, StoredChoice &layout) {
  const llvm::json::Value *value = object.get("layout");
  const llvm::json::Array *pair = value ? value->getAsArray() : nullptr;
  if (!value || !pair || pair->size() != 2)
    return !value;
  std::optional<llvm::StringRef> choice = (*pair)[0].getAsString(),
                                 reason = (*pair)[1].getAsString();
  if (!choice || !reason || !llvm::is_contained({"plain", "batch", "channels"}, *choice))
    return false;
  layout = {choice->str(), reason->str()};
  return true;
}

/// Reads a file; an error says what is wrong with it.
static llvm::Expected<TunedResult> readTuned(llvm::StringRef text, const TunedKey &key) {
  auto parsed = llvm::json::parse(text);
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    return llvm::createStringError("it is no JSON");
  }
  const llvm::json::Object *object = parsed->getAsObject();
  if (!object || object->getInteger("version") != version)
    return llvm::createStringError("it is not of version " + std::to_string(version));
  if (object->getString("hash") != llvm::StringRef(key.hash) ||
      object->getString("cpu") != llvm::StringRef(key.cpu) ||
      object->getInteger("cores") != key.cores)
    return llvm::createStringError("it is of another net or machine");
  TunedResult result;
  if (!readLayout(*object, result.layout))
    return llvm::createStringError("its layout is none that there is");
  if (!readChoices(object->getObject("algorithms"), result.algorithms) ||
      !readChoices(object->getObject("schedules"), result.schedules))
    return llvm::createStringError("its choices are not pairs of texts");
  return result;
}

static std::string pathOf(const TunedKey &key) {
  Cache cache = Cache::fromEnvironment();
  if (!cache.isOn() || key.cpu.empty())
    return "";
  llvm::SmallString<128> path(cache.getFolder());
  llvm::sys::path::append(path, key.name());
  return path.str().str();
}

void cnn::setTuned(mlir::func::FuncOp entry, const TunedResult &result) {
  mlir::Builder b(entry.getContext());
  auto toAttr = [&](const std::map<std::string, StoredChoice> &choices) {
    mlir::NamedAttrList list;
    for (const auto &[group, choice] : choices)
      list.set(group, b.getStrArrayAttr({choice.choice, choice.reason}));
    return list.getDictionary(entry.getContext());
  };
  mlir::NamedAttrList list;
  list.set(mlir::cnn::tunedAlgorithms, toAttr(result.algorithms));
  list.set(mlir::cnn::tunedSchedules, toAttr(result.schedules));
  entry->setAttr(mlir::cnn::tunedAttr, list.getDictionary(entry.getContext()));
  if (!result.layout.choice.empty())
    entry->setAttr(mlir::cnn::tunedLayoutAttr,
                   b.getStrArrayAttr({result.layout.choice, result.layout.reason}));
}

void cnn::applyTuned(mlir::ModuleOp module, const PhaseOptions &options) {
  if (!usesTuned(options) || !mayHaveTuned(module))
    return;
  for (auto entry : module.getOps<mlir::func::FuncOp>()) {
    if (!entry.isPublic() || entry.isDeclaration() || entry->hasAttr(mlir::cnn::tunedAttr))
      continue;
    TunedKey key = makeKey(module, entry, options);
    auto file = llvm::MemoryBuffer::getFile(pathOf(key));
    TunedResult result;
    if (file) {
      llvm::Expected<TunedResult> read = readTuned((*file)->getBuffer(), key);
      if (read)
        result = std::move(*read);
      else
        mlir::emitWarning(mlir::UnknownLoc::get(module.getContext()))
            << pathOf(key)
            << ": what is stored as measured is ignored: " << llvm::toString(read.takeError());
    }
    setTuned(entry, result);
  }
}

std::string cnn::tunedText(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  for (auto entry : module.getOps<mlir::func::FuncOp>())
    if (mlir::Attribute tuned = entry->getAttr(mlir::cnn::tunedAttr))
      out << entry.getName() << ' ' << tuned << ' ' << entry->getAttr(mlir::cnn::tunedLayoutAttr)
          << '\n';
  return text;
}

std::string cnn::tunedPath(mlir::ModuleOp module, mlir::func::FuncOp entry,
                           const PhaseOptions &options) {
  return pathOf(makeKey(module, entry, options));
}

llvm::Expected<std::string> cnn::storeTuned(mlir::ModuleOp module, mlir::func::FuncOp entry,
                                            const PhaseOptions &options,
                                            const TunedResult &result) {
  TunedKey key = makeKey(module, entry, options);
  std::string path = pathOf(key), text;
  if (path.empty())
    return llvm::createStringError("there is no folder to store what is measured in\n  hint: set "
                                   "CNNC_CACHE to one");
  llvm::raw_string_ostream out(text);
  llvm::json::OStream json(out, /*IndentSize=*/2);
  auto write = [&](llvm::StringRef name, const std::map<std::string, StoredChoice> &choices) {
    json.attributeObject(name, [&] {
      for (const auto &[group, choice] : choices)
        json.attributeArray(group, [&] {
          json.value(choice.choice);
          json.value(choice.reason);
        });
    });
  };
  json.object([&] {
    json.attribute("version", version);
    json.attribute("cpu", key.cpu);
    json.attribute("cores", key.cores);
    json.attribute("net", key.net);
    json.attribute("entry", key.entry);
    json.attribute("hash", key.hash);
    if (!result.layout.choice.empty())
      json.attributeArray("layout", [&] {
        json.value(result.layout.choice);
        json.value(result.layout.reason);
      });
    write("algorithms", result.algorithms);
    write("schedules", result.schedules);
  });
  out << '\n';
  llvm::StringRef folder = llvm::sys::path::parent_path(path);
  if (std::error_code error = fs::create_directories(folder))
    return llvm::createStringError(folder.str() + ": cannot be made: " + error.message());
  auto file = fs::TempFile::create(folder + "/write-%%%%%%%%.tmp");
  if (!file)
    return llvm::createStringError(path + ": cannot write: " + llvm::toString(file.takeError()));
  llvm::raw_fd_ostream disk(file->FD, /*shouldClose=*/false);
  disk << text;
  disk.flush();
  if (std::error_code error = disk.error()) {
    disk.clear_error();
    llvm::consumeError(file->discard());
    return llvm::createStringError(path + ": cannot write: " + error.message());
  }
  if (llvm::Error error = file->keep(path))
    return llvm::createStringError(path + ": cannot write: " + llvm::toString(std::move(error)));
  return path;
}
