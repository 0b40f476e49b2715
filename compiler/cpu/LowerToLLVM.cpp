//===- LowerToLLVM.cpp - Kernels and entry points to the LLVM dialect ------------------------===//
//
// In: phase `vector`: entry points of launches, kernels of scf, arith, memref and 1-D vectors. Out:
// phase `llvm`, which the object emitter translates. Memrefs become bare pointers.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/cpu/LowerEntry.h"
#include "compiler/cpu/Passes.h"
#include "compiler/lowering/LowerLoops.h"
#include "dialect/CnnDialect.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Threading.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/DialectConversion.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"

#include <algorithm>

namespace mlir::cnn {
#define GEN_PASS_DEF_LOWERTOLLVMPASS
#include "compiler/cpu/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {

/// What is known of one argument of a kernel.
struct KernelArgument {
  int64_t bytes = 0;
  bool isBuffer = false;
  bool isUsed = false;
};

/// A kernel's arguments, and the pairs of them that some call passes overlapping buffers for.
struct Kernel {
  SmallVector<KernelArgument> arguments;
  llvm::SmallDenseSet<std::pair<unsigned, unsigned>> overlaps;

  /// Whether no call passes a buffer for `argument` that another argument overlaps.
  bool isDistinct(unsigned argument) const {
    return llvm::none_of(
        overlaps, [&](auto pair) { return pair.first == argument || pair.second == argument; });
  }
};

using Kernels = llvm::StringMap<Kernel>;

/// The bytes [begin, end) of `root` that a buffer occupies; all of them where that is unknown.
struct Extent {
  Value root;
  int64_t begin = 0, end = std::numeric_limits<int64_t>::max();

  bool overlaps(const Extent &other) const {
    return root == other.root && begin < other.end && other.begin < end;
  }
};

int64_t getBytes(MemRefType type) {
  return type.getNumElements() * ((type.getElementTypeBitWidth() + 7) / 8);
}

Extent getExtent(Value buffer) {
  Extent extent;
  auto view = buffer.getDefiningOp<memref::ViewOp>();
  APInt offset;
  if (view && isa<BlockArgument>(view.getSource()) &&
      matchPattern(view.getByteShift(), m_ConstantInt(&offset))) {
    extent.begin = offset.getSExtValue();
    extent.end = extent.begin + getBytes(view.getType());
    extent.root = view.getSource();
    return extent;
  }
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  extent.root = buffer;
  return extent;
}

/// Notes which used arguments of `callee` overlap in one call; returns whether that was news.
/// `first`: the argument that the first operand is for. `caller`: the kernel that calls, whose own
/// arguments may overlap, or null.
bool noteCall(Kernel &callee, const Kernel *caller, ValueRange operands, unsigned first) {
  SmallVector<Extent> extents;
  for (Value operand : operands)
    extents.push_back(isa<MemRefType>(operand.getType()) ? getExtent(operand) : Extent{});
  auto overlap = [&](const Extent &lhs, const Extent &rhs) {
    auto left = dyn_cast<BlockArgument>(lhs.root), right = dyn_cast<BlockArgument>(rhs.root);
    if (caller && left && right && left != right)
      return caller->overlaps.contains(std::minmax(left.getArgNumber(), right.getArgNumber()));
    return lhs.overlaps(rhs);
  };
  bool isNew = false;
  for (unsigned i = 0; i < extents.size(); ++i)
    for (unsigned j = 0; j < i; ++j)
      if (extents[i].root && extents[j].root && callee.arguments[first + i].isUsed &&
          callee.arguments[first + j].isUsed && overlap(extents[i], extents[j]))
        isNew |= callee.overlaps.insert({first + j, first + i}).second;
  return isNew;
}

/// Stores past the caches overtake others, such as the one by which a worker says that it is done:
/// a kernel waits for them at its end.
void addFence(LLVM::LLVMFuncOp function) {
  auto overtakes = [](LLVM::StoreOp store) {
    return store.getNontemporal() ? WalkResult::interrupt() : WalkResult::advance();
  };
  if (!function.walk(overtakes).wasInterrupted())
    return;
  function.walk([](LLVM::ReturnOp end) {
    OpBuilder b(end);
    LLVM::FenceOp::create(b, end.getLoc(), LLVM::AtomicOrdering::seq_cst);
  });
}

struct LowerToLLVMPass : public cnn::impl::LowerToLLVMPassBase<LowerToLLVMPass> {
  using LowerToLLVMPassBase::LowerToLLVMPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    Kernels kernels;
    Counters counters(module);
    if (failed(readKernels(module, kernels)) || failed(lowerEntries(module, counters)))
      return signalPassFailure();
    for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
      if (isa<ParamOp, RecipeOp>(op))
        op.erase();
    if (failed(convert(module)))
      return signalPassFailure();
    counters.timeCalls(module);
    for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
      setAttributes(function, kernels);
      addFence(function);
    }
    // Functions get scopes, so that locations become line tables.
    OpPassManager scopes(ModuleOp::getOperationName());
    scopes.addPass(LLVM::createDIScopeForLLVMFuncOpPass());
    if (failed(runPipeline(scopes, module)))
      return signalPassFailure();
  }

  LogicalResult readKernels(ModuleOp module, Kernels &kernels);
  LogicalResult lowerEntries(ModuleOp module, const Counters &counters);
  LogicalResult convert(ModuleOp module);
  void setAttributes(LLVM::LLVMFuncOp function, const Kernels &kernels);
};

LogicalResult LowerToLLVMPass::readKernels(ModuleOp module, Kernels &kernels) {
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isExternal())
      return function.emitOpError() << "has no body; compiled code calls nothing outside of it";
    if (function.isPublic())
      continue;
    SmallVector<KernelArgument> &arguments = kernels[function.getName()].arguments;
    for (BlockArgument value : function.getArguments()) {
      KernelArgument &argument = arguments.emplace_back();
      argument.isUsed = !value.use_empty();
      auto buffer = dyn_cast<MemRefType>(value.getType());
      if (!buffer)
        continue;
      if (!buffer.hasStaticShape() || !buffer.getLayout().isIdentity())
        return function.emitOpError()
               << "needs buffers of static shape and plain layout, not " << buffer;
      argument.isBuffer = true;
      argument.bytes = getBytes(buffer);
    }
  }
  // Kernels hand their arguments on to others, so that overlaps spread along calls.
  bool changed = true;
  auto note = [&](Operation *op, StringRef callee, ValueRange operands,
                  unsigned first) -> LogicalResult {
    auto found = kernels.find(callee);
    if (found == kernels.end())
      return op->emitOpError() << "calls '" << callee << "', which is no kernel of this module";
    size_t expected = found->second.arguments.size();
    if (expected != operands.size() + first)
      return op->emitOpError() << "passes " << operands.size() << " operands to '" << callee
                               << "', which takes " << static_cast<int64_t>(expected) - first;
    auto caller = kernels.find(op->getParentOfType<func::FuncOp>().getName());
    changed |= noteCall(found->second, caller == kernels.end() ? nullptr : &caller->second,
                        operands, first);
    return success();
  };
  while (changed) {
    changed = false;
    WalkResult result = module.walk([&](Operation *op) -> WalkResult {
      if (auto launch = dyn_cast<LaunchOp>(op))
        return note(op, launch.getKernel(), launch.getBuffers(), /*first=*/2);
      if (auto call = dyn_cast<func::CallOp>(op))
        return note(op, call.getCallee(), call.getOperands(), /*first=*/0);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
  }
  return success();
}

LogicalResult LowerToLLVMPass::lowerEntries(ModuleOp module, const Counters &counters) {
  SmallVector<func::FuncOp> entries;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic())
      entries.push_back(function);
  if (!entries.empty() && !module.getName())
    return module.emitOpError() << "has no name, of which those of its entry points are made";
  for (func::FuncOp entry : entries)
    if (failed(lowerEntry(entry, (*module.getName() + "_" + entry.getName()).str(), counters)))
      return failure();
  return success();
}

/// Kernels are converted side by side, each in a module of its own meanwhile.
LogicalResult LowerToLLVMPass::convert(ModuleOp module) {
  MLIRContext *context = &getContext();
  LowerToLLVMOptions options(context);
  options.useBarePtrCallConv = true;
  LLVMTypeConverter converter(context, options);
  RewritePatternSet patterns(context);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  populateFuncToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
  populateVectorToLLVMConversionPatterns(converter, patterns);
  ub::populateUBToLLVMConversionPatterns(converter, patterns);
  FrozenRewritePatternSet frozen(std::move(patterns));
  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  ConversionConfig config;
  config.allowPatternRollback = false; // A failure ends the compilation.

  std::vector<OwningOpRef<ModuleOp>> pieces;
  for (Operation &op : llvm::make_early_inc_range(*module.getBody())) {
    pieces.push_back(ModuleOp::create(op.getLoc()));
    op.moveBefore(pieces.back()->getBody(), pieces.back()->getBody()->end());
  }
  LogicalResult converted = failableParallelForEach(context, pieces, [&](auto &piece) {
    return failure(failed(lowerLoops(*piece)) ||
                   failed(applyFullConversion(*piece, target, frozen, config)));
  });
  Block *body = module.getBody();
  for (OwningOpRef<ModuleOp> &piece : pieces)
    body->getOperations().splice(body->end(), piece->getBody()->getOperations());
  return converted;
}

void LowerToLLVMPass::setAttributes(LLVM::LLVMFuncOp function, const Kernels &kernels) {
  Builder builder(&getContext());
  auto module = getOperation();
  // What is left is LLVM's dialect, which its own tools read.
  for (StringRef name : {"cnn.decisions", "cnn.slices"})
    function->removeAttr(name);
  if (auto cpu = module->getAttrOfType<StringAttr>("cnn.cpu"))
    function.setTargetCpuAttr(cpu);
  if (auto features = module->getAttrOfType<StringAttr>("cnn.features"))
    function.setTargetFeaturesAttr(
        LLVM::TargetFeaturesAttr::get(&getContext(), features.getValue()));
  // LLVM would choose 256 bits on Intel's servers, where the tiles were made for 512.
  function.setPreferVectorWidth(std::to_string(vectorWidth));
  function.setNoUnwind(true);
  // No call of memset or memcpy instead of a loop: objects must not need a library.
  function.setPassthroughAttr(
      builder.getArrayAttr({builder.getStringAttr("no-builtins"),
                            builder.getStrArrayAttr({"no-trapping-math", "true"})}));

  auto found = kernels.find(function.getName());
  if (found == kernels.end())
    return;
  function.setLinkage(LLVM::Linkage::Internal);
  function.setNoInline(true);
  for (auto [i, argument] : llvm::enumerate(found->second.arguments)) {
    if (!argument.isBuffer || argument.bytes == 0)
      continue;
    auto set = [&](StringRef name, Attribute value) { function.setArgAttr(i, name, value); };
    if (found->second.isDistinct(i))
      set(LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
    set(LLVM::LLVMDialect::getNonNullAttrName(), builder.getUnitAttr());
    set(LLVM::LLVMDialect::getNoUndefAttrName(), builder.getUnitAttr());
    set(LLVM::LLVMDialect::getDereferenceableAttrName(), builder.getI64IntegerAttr(argument.bytes));
    set(LLVM::LLVMDialect::getAlignAttrName(), builder.getI64IntegerAttr(64));
  }
}

} // namespace
