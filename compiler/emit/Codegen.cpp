// Splits the module into parts, translates, optimises and compiles each in its own LLVM context.
//
//   module --split--> part 0 .. part n-1 --(threads)--> LLVM IR --> -O3 --> object --merge-->
//   object
//
// Kernels arrive as vector code with their register tiles unrolled, so the vectorisers stay off:
// they could only choose other widths than the schedule's (pitfall 6 of the design paper).
#include "compiler/emit/Codegen.h"
#include "compiler/emit/ObjectMerge.h"
#include "compiler/emit/Optimize.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

using namespace cnn;
using mlir::LLVM::GlobalOp;
using mlir::LLVM::LLVMFuncOp;

namespace {
/// At most so many parts: enough to keep many cores busy, few enough that their fixed cost (about
/// 2 ms each, for the target machine and the pass pipeline) does not show.
constexpr unsigned maxParts = 16;

/// The functions that are compiled together.
struct Part {
  std::vector<LLVMFuncOp> functions;
  size_t weight = 0; // operations
};
} // namespace

static bool isEntry(LLVMFuncOp function) {
  return !function.isExternal() &&
         mlir::SymbolTable::getSymbolVisibility(function) == mlir::SymbolTable::Visibility::Public;
}

/// Gives the heaviest functions out first, each to the lightest part so far.
static std::vector<Part> distribute(mlir::ModuleOp module, unsigned count) {
  std::vector<std::pair<size_t, LLVMFuncOp>> functions;
  for (auto function : module.getOps<LLVMFuncOp>()) {
    if (function.isExternal())
      continue;
    size_t weight = 0;
    function.walk([&](mlir::Operation *) { ++weight; });
    functions.emplace_back(weight, function);
  }
  llvm::sort(functions, [](auto lhs, auto rhs) {
    return lhs.first != rhs.first ? lhs.first > rhs.first
                                  : lhs.second.getSymName() < rhs.second.getSymName();
  });
  std::vector<Part> parts(std::min<size_t>(count, std::max<size_t>(functions.size(), 1)));
  for (auto &[weight, function] : functions) {
    auto lightest = llvm::min_element(
        parts, [](const Part &lhs, const Part &rhs) { return lhs.weight < rhs.weight; });
    lightest->functions.push_back(function);
    lightest->weight += weight;
  }
  return parts;
}

/// Local symbols of the object are visible between its parts until they are merged.
static void hide(LLVMFuncOp function) {
  if (!isEntry(function)) {
    function.setLinkage(mlir::LLVM::Linkage::External);
    function.setVisibility_(mlir::LLVM::Visibility::Hidden);
    function.setDsoLocal(true);
  }
  mlir::SymbolTable::setSymbolVisibility(function, mlir::SymbolTable::Visibility::Public);
}

/// A module with the functions of `part` and what they refer to: declarations of functions, and
/// copies of constants. Other globals are defined in part 0.
static mlir::OwningOpRef<mlir::ModuleOp> extract(mlir::ModuleOp module, const Part &part,
                                                 bool first) {
  mlir::OwningOpRef<mlir::ModuleOp> result = mlir::ModuleOp::create(module.getLoc());
  mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(result->getBody());
  llvm::DenseSet<mlir::StringAttr> present, wanted;
  for (LLVMFuncOp function : part.functions)
    present.insert(function.getSymNameAttr());
  for (LLVMFuncOp function : part.functions) {
    function.walk([&](mlir::Operation *op) {
      for (mlir::NamedAttribute attribute : op->getAttrs())
        if (auto symbol = llvm::dyn_cast<mlir::FlatSymbolRefAttr>(attribute.getValue()))
          if (!present.contains(symbol.getAttr()))
            wanted.insert(symbol.getAttr());
    });
  }
  for (mlir::Operation &op : *module.getBody()) {
    if (auto function = llvm::dyn_cast<LLVMFuncOp>(op)) {
      if (present.contains(function.getSymNameAttr())) {
        hide(llvm::cast<LLVMFuncOp>(builder.clone(op)));
      } else if (wanted.contains(function.getSymNameAttr())) {
        auto declaration = llvm::cast<LLVMFuncOp>(builder.insert(op.cloneWithoutRegions()));
        if (!function.isExternal())
          hide(declaration);
        mlir::SymbolTable::setSymbolVisibility(declaration, mlir::SymbolTable::Visibility::Public);
        declaration.setLinkage(mlir::LLVM::Linkage::External);
        // Its debug information goes with the definition.
        declaration->setLoc(mlir::UnknownLoc::get(module.getContext()));
      }
    } else if (auto global = llvm::dyn_cast<GlobalOp>(op)) {
      bool isLocal = global.getLinkage() == mlir::LLVM::Linkage::Internal ||
                     global.getLinkage() == mlir::LLVM::Linkage::Private;
      bool copy = global.getConstant() && isLocal;
      if (!wanted.contains(global.getSymNameAttr()) && (copy || !first))
        continue;
      auto clone = llvm::cast<GlobalOp>(builder.clone(op));
      if (copy)
        continue;
      clone.setLinkage(mlir::LLVM::Linkage::External);
      if (isLocal)
        clone.setVisibility_(mlir::LLVM::Visibility::Hidden);
      if (!first) {
        clone.removeValueAttr();
        clone.getInitializerRegion().getBlocks().clear();
      }
    }
  }
  return result;
}

/// LLVM IR to a file of the given type.
static llvm::Expected<std::string> compileIr(llvm::Module &module, const Target &target,
                                             llvm::CodeGenFileType type) {
  auto machine = createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  module.setTargetTriple(llvm::Triple(target.triple));
  module.setDataLayout((*machine)->createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  // The schedule has unrolled what it wants unrolled.
  optimize(module, **machine, /*unrollLoops=*/false);
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, out, nullptr, type))
    return llvm::createStringError("no assembler for '" + target.triple + "'");
  passes.run(module);
  return std::string(bytes.begin(), bytes.end());
}

static llvm::Expected<std::string> compilePart(mlir::ModuleOp part, const Target &target,
                                               llvm::CodeGenFileType type) {
  llvm::LLVMContext context;
  auto module = mlir::translateModuleToLLVMIR(part, context, "cnn");
  if (!module)
    return llvm::createStringError("translation to LLVM IR failed");
  return compileIr(*module, target, type);
}

static void registerTranslations(mlir::MLIRContext *context) {
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  context->appendDialectRegistry(registry);
}

llvm::Expected<std::string> cnn::generateObject(mlir::ModuleOp module,
                                                const CodegenOptions &options) {
  registerTranslations(module.getContext());
  std::vector<Part> parts = distribute(module, maxParts);
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> modules;
  for (auto [index, part] : llvm::enumerate(parts))
    modules.push_back(extract(module, part, index == 0));

  size_t count = parts.size() + options.extra.size();
  std::vector<std::string> objects(count);
  std::vector<std::string> failures(count);
  auto compileOne = [&](size_t index) -> llvm::Expected<std::string> {
    if (index < parts.size())
      return compilePart(*modules[index], options.target, llvm::CodeGenFileType::ObjectFile);
    llvm::LLVMContext context;
    auto extra = options.extra[index - parts.size()](context);
    return compileIr(*extra, options.target, llvm::CodeGenFileType::ObjectFile);
  };
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t index; (index = next++) < count;) {
      if (auto object = compileOne(index))
        objects[index] = std::move(*object);
      else
        failures[index] = llvm::toString(object.takeError());
    }
  };
  unsigned threads = options.threads ? options.threads : std::thread::hardware_concurrency();
  std::vector<std::thread> workers;
  for (unsigned worker = 1; worker < std::min<size_t>(std::max(threads, 1u), count); ++worker)
    workers.emplace_back(work);
  work();
  for (std::thread &worker : workers)
    worker.join();
  for (const std::string &failure : failures)
    if (!failure.empty())
      return llvm::createStringError(failure);
  return mergeObjects(llvm::SmallVector<llvm::StringRef>(objects.begin(), objects.end()));
}

llvm::Expected<std::string> cnn::generateAssembly(mlir::ModuleOp module,
                                                  const CodegenOptions &options) {
  registerTranslations(module.getContext());
  std::vector<Part> parts = distribute(module, 1);
  // In the order of the module, not of the weights.
  llvm::sort(parts.front().functions,
             [](LLVMFuncOp lhs, LLVMFuncOp rhs) { return lhs->isBeforeInBlock(rhs); });
  auto whole = extract(module, parts.front(), /*first=*/true);
  return compilePart(*whole, options.target, llvm::CodeGenFileType::AssemblyFile);
}
