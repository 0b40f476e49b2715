// JITLink through ORC, without ORC's compile layers: the object is complete already.
#include "compiler/emit/Jit.h"
#include "llvm/ExecutionEngine/JITLink/JITLink.h"
#include "llvm/ExecutionEngine/Orc/Core.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/ObjectFileInterface.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"
#include "llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

using namespace cnn;
namespace orc = llvm::orc;
namespace jitlink = llvm::jitlink;

namespace {
/// Appends a line "address size name" per function to the map that `perf` reads.
class PerfMap : public orc::ObjectLinkingLayer::Plugin {
public:
  void modifyPassConfig(orc::MaterializationResponsibility &, jitlink::LinkGraph &,
                        jitlink::PassConfiguration &config) override {
    config.PostFixupPasses.push_back([](jitlink::LinkGraph &graph) {
      std::error_code error;
      std::string path = "/tmp/perf-" + std::to_string(llvm::sys::Process::getProcessId()) + ".map";
      llvm::raw_fd_ostream out(path, error, llvm::sys::fs::CD_OpenAlways, llvm::sys::fs::FA_Write,
                               llvm::sys::fs::OF_Append);
      if (error)
        return llvm::Error::success(); // a profile without names is no reason not to run
      for (jitlink::Symbol *symbol : graph.defined_symbols())
        if (symbol->hasName() && symbol->isCallable() && symbol->getSize())
          out << llvm::format_hex_no_prefix(symbol->getAddress().getValue(), 1) << ' '
              << llvm::format_hex_no_prefix(symbol->getSize(), 1) << ' ' << *symbol->getName()
              << '\n';
      return llvm::Error::success();
    });
  }
  llvm::Error notifyFailed(orc::MaterializationResponsibility &) override {
    return llvm::Error::success();
  }
  llvm::Error notifyRemovingResources(orc::JITDylib &, orc::ResourceKey) override {
    return llvm::Error::success();
  }
  void notifyTransferringResources(orc::JITDylib &, orc::ResourceKey, orc::ResourceKey) override {}
};

class OrcObject : public LoadedObject {
public:
  explicit OrcObject(std::unique_ptr<orc::ExecutorProcessControl> control)
      : session(std::move(control)), layer(session) {}
  ~OrcObject() override { llvm::consumeError(session.endSession()); }

  llvm::Error load(llvm::StringRef object);

  void *lookup(llvm::StringRef symbol) const override {
    auto found = session.lookup({dylib}, symbol);
    if (!found) {
      llvm::consumeError(found.takeError());
      return nullptr;
    }
    return found->getAddress().toPtr<void *>();
  }

private:
  mutable orc::ExecutionSession session;
  orc::ObjectLinkingLayer layer;
  orc::JITDylib *dylib = nullptr;
};
} // namespace

llvm::Error OrcObject::load(llvm::StringRef object) {
  // Failures come back from lookup; ORC would print them as well.
  std::string failure;
  session.setErrorReporter(
      [&failure](llvm::Error error) { failure += llvm::toString(std::move(error)); });
  if (std::getenv("CNNC_PERF"))
    layer.addPlugin(std::make_shared<PerfMap>());
  dylib = &session.createBareJITDylib("net");
  auto process = orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(/*GlobalPrefix=*/'\0');
  if (!process)
    return process.takeError();
  dylib->addGenerator(std::move(*process));
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(object, "net.o");
  auto interface = orc::getObjectFileInterface(session, buffer->getMemBufferRef());
  if (!interface)
    return interface.takeError();
  orc::SymbolLookupSet symbols;
  for (const auto &symbol : interface->SymbolFlags)
    symbols.add(symbol.first);
  if (llvm::Error error = layer.add(*dylib, std::move(buffer)))
    return error;
  // Links now, so that a failure is reported here and not at the first call.
  auto linked = session.lookup(
      orc::makeJITDylibSearchOrder({dylib}, orc::JITDylibLookupFlags::MatchAllSymbols),
      std::move(symbols));
  session.setErrorReporter([](llvm::Error error) { llvm::consumeError(std::move(error)); });
  if (linked)
    return llvm::Error::success();
  std::string text = llvm::toString(linked.takeError());
  return llvm::createStringError("compiled code cannot be loaded: " + text +
                                 (failure.empty() ? "" : ": " + failure));
}

llvm::Expected<std::unique_ptr<LoadedObject>> cnn::loadObject(llvm::StringRef object) {
  auto control = orc::SelfExecutorProcessControl::Create();
  if (!control)
    return control.takeError();
  auto loaded = std::make_unique<OrcObject>(std::move(*control));
  if (llvm::Error error = loaded->load(object))
    return error;
  return loaded;
}
