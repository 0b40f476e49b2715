// <net>_predict(weights?, inputs..., scalars..., outputs..., workspace) checks its arguments, fills
// the array of buffers that the entry point `infer` takes, and calls it with one worker:
//
//   workspace | arena | scratch of the one worker |
#include "compiler/emit/CWrapper.h"
#include "runtime/abi/cnn_abi.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
namespace json = llvm::json;

namespace {
/// One element of an entry's `buffers`.
struct Buffer {
  std::string role, name, element;
  std::vector<int64_t> shape;
  int64_t bytes = 0;

  bool isTensor() const { return role == "input" || role == "output"; }
  bool isScalarInput() const { return role == "input" && shape.empty(); }
};

/// What of the manifest the C interface needs.
struct Interface {
  std::string net, cpu, symbol;
  int64_t batch = 0, stateBytes = 0, workspaceBytes = 0;
  std::vector<Buffer> buffers;
  std::vector<std::string> entrySymbols;

  bool hasWeights() const { return stateBytes > 0; }
};

enum ReturnCode { Ok = 0, BadRows = 1, BadAlignment = 2 };
} // namespace

static Buffer readBuffer(const json::Object &object) {
  Buffer buffer;
  buffer.role = object.getString("role").value_or("").str();
  buffer.name = object.getString("name").value_or("").str();
  buffer.element = object.getString("element").value_or("").str();
  buffer.bytes = object.getInteger("bytes").value_or(0);
  if (const json::Array *shape = object.getArray("shape"))
    for (const json::Value &extent : *shape)
      buffer.shape.push_back(extent.getAsInteger().value_or(0));
  return buffer;
}

/// `buffers` is empty where the net has no entry `infer`.
static llvm::Expected<Interface> readInterface(llvm::StringRef manifest) {
  auto parsed = json::parse(manifest);
  if (!parsed)
    return parsed.takeError();
  const json::Object *root = parsed->getAsObject();
  const json::Array *entries = root ? root->getArray("entries") : nullptr;
  if (!entries)
    return llvm::createStringError("the manifest has no list of entry points");
  Interface result;
  result.net = root->getString("net").value_or("").str();
  result.cpu = root->getString("cpu").value_or("").str();
  result.batch = root->getInteger("batch").value_or(0);
  result.stateBytes = root->getInteger("state_bytes").value_or(0);
  for (const json::Value &value : *entries) {
    const json::Object &entry = *value.getAsObject();
    result.entrySymbols.push_back(entry.getString("symbol").value_or("").str());
    if (entry.getString("name") != llvm::StringRef("infer"))
      continue;
    result.symbol = result.entrySymbols.back();
    for (const json::Value &buffer : *entry.getArray("buffers"))
      result.buffers.push_back(readBuffer(*buffer.getAsObject()));
  }
  for (const Buffer &buffer : result.buffers)
    if (buffer.role == "arena" || buffer.role == "scratch")
      result.workspaceBytes += llvm::alignTo(buffer.bytes, CNN_ALIGNMENT);
  return result;
}

static llvm::Type *scalarType(llvm::IRBuilder<> &builder, llvm::StringRef element) {
  if (element == "f32")
    return builder.getFloatTy();
  if (element == "f64")
    return builder.getDoubleTy();
  if (element == "i64")
    return builder.getInt64Ty();
  return element == "i32" ? builder.getInt32Ty() : builder.getInt8Ty();
}

static llvm::StringRef cType(llvm::StringRef element) {
  if (element == "f32")
    return "float";
  if (element == "f64")
    return "double";
  if (element == "i64")
    return "int64_t";
  return element == "i32" ? "int32_t" : "uint8_t";
}

namespace {
/// Builds `<net>_predict`.
class PredictBuilder {
public:
  PredictBuilder(llvm::Module &module, const Interface &interface, llvm::GlobalVariable *weights)
      : module(module), interface(interface), weights(weights), builder(module.getContext()) {}
  void build();

private:
  void createFunction();
  void returnUnless(llvm::Value *good, int32_t code, llvm::BasicBlock *fail, llvm::PHINode *phi);
  llvm::Value *bufferFor(const Buffer &buffer, unsigned &argument, uint64_t &offset);

  llvm::Module &module;
  const Interface &interface;
  llvm::GlobalVariable *weights;
  llvm::IRBuilder<> builder;
  llvm::Function *function = nullptr;
};
} // namespace

void PredictBuilder::createFunction() {
  llvm::SmallVector<llvm::Type *> types;
  if (interface.hasWeights() && !weights)
    types.push_back(builder.getPtrTy());
  for (const Buffer &buffer : interface.buffers)
    if (buffer.isTensor())
      types.push_back(buffer.isScalarInput() ? scalarType(builder, buffer.element)
                                             : builder.getPtrTy());
  types.push_back(builder.getPtrTy());
  function = llvm::Function::Create(llvm::FunctionType::get(builder.getInt32Ty(), types, false),
                                    llvm::GlobalValue::ExternalLinkage,
                                    interface.net + "_predict", module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", function));
}

void PredictBuilder::returnUnless(llvm::Value *good, int32_t code, llvm::BasicBlock *fail,
                                  llvm::PHINode *phi) {
  auto *next = llvm::BasicBlock::Create(module.getContext(), "", function, fail);
  phi->addIncoming(builder.getInt32(code), builder.GetInsertBlock());
  builder.CreateCondBr(good, next, fail);
  builder.SetInsertPoint(next);
}

llvm::Value *PredictBuilder::bufferFor(const Buffer &buffer, unsigned &argument,
                                       uint64_t &offset) {
  if (buffer.role == "state_in")
    return weights ? static_cast<llvm::Value *>(weights) : function->getArg(0);
  if (!buffer.isTensor()) {
    llvm::Value *workspace = function->getArg(function->arg_size() - 1);
    llvm::Value *address = builder.CreateConstGEP1_64(builder.getInt8Ty(), workspace, offset);
    offset += llvm::alignTo(buffer.bytes, CNN_ALIGNMENT);
    return address;
  }
  llvm::Value *value = function->getArg(argument++);
  if (!buffer.isScalarInput())
    return value;
  llvm::AllocaInst *slot = builder.CreateAlloca(value->getType());
  slot->setAlignment(llvm::Align(CNN_ALIGNMENT));
  builder.CreateStore(value, slot);
  return slot;
}

void PredictBuilder::build() {
  createFunction();
  llvm::LLVMContext &context = module.getContext();
  auto *fail = llvm::BasicBlock::Create(context, "fail", function);
  llvm::PHINode *code = llvm::PHINode::Create(builder.getInt32Ty(), 2, "code", fail);
  llvm::ReturnInst::Create(context, code, fail);

  unsigned argument = interface.hasWeights() && !weights ? 1 : 0;
  unsigned position = argument;
  for (const Buffer &buffer : interface.buffers) {
    if (!buffer.isTensor())
      continue;
    llvm::Value *value = function->getArg(position++);
    if (!buffer.isScalarInput() || buffer.name != "rows")
      continue;
    llvm::Value *fromZero = builder.CreateSub(value, builder.getInt32(1));
    returnUnless(builder.CreateICmpULT(fromZero, builder.getInt32(interface.batch)), BadRows, fail,
                 code);
  }
  llvm::Value *bits = builder.getInt64(0);
  for (llvm::Argument &each : function->args())
    if (each.getType()->isPointerTy())
      bits = builder.CreateOr(bits, builder.CreatePtrToInt(&each, builder.getInt64Ty()));
  llvm::Value *low = builder.CreateAnd(bits, builder.getInt64(CNN_ALIGNMENT - 1));
  returnUnless(builder.CreateICmpEQ(low, builder.getInt64(0)), BadAlignment, fail, code);

  auto *arrayType = llvm::ArrayType::get(builder.getPtrTy(), interface.buffers.size());
  llvm::Value *array = builder.CreateAlloca(arrayType);
  uint64_t offset = 0;
  for (auto [index, buffer] : llvm::enumerate(interface.buffers))
    builder.CreateStore(bufferFor(buffer, argument, offset),
                        builder.CreateConstInBoundsGEP2_64(arrayType, array, 0, index));
  auto entry = module.getOrInsertFunction(
      interface.symbol, llvm::FunctionType::get(builder.getVoidTy(),
                                                {builder.getPtrTy(), builder.getPtrTy()}, false));
  // The entry point is in the same object.
  llvm::cast<llvm::Function>(entry.getCallee())->setDSOLocal(true);
  builder.CreateCall(entry, {array, llvm::ConstantPointerNull::get(builder.getPtrTy())});
  builder.CreateRet(builder.getInt32(Ok));
}

llvm::Expected<std::vector<IrBuilder>> cnn::buildCInterface(llvm::StringRef manifest,
                                                            const CInterfaceOptions &options) {
  auto interface = readInterface(manifest);
  if (!interface)
    return interface.takeError();
  if (!options.weights.empty() && int64_t(options.weights.size()) != interface->stateBytes)
    return llvm::createStringError("weights of %zu bytes for a state of %lld",
                                   options.weights.size(), (long long)interface->stateBytes);
  std::vector<IrBuilder> builders;
  if (interface->buffers.empty())
    return builders;
  builders.push_back([interface = *interface, weights = options.weights](
                         llvm::LLVMContext &context) {
    auto module = std::make_unique<llvm::Module>("c-interface", context);
    llvm::GlobalVariable *global = nullptr;
    if (!weights.empty()) {
      auto *data = llvm::ConstantDataArray::getString(context, weights, /*AddNull=*/false);
      global = new llvm::GlobalVariable(*module, data->getType(), /*isConstant=*/true,
                                        llvm::GlobalValue::ExternalLinkage, data,
                                        interface.net + "_weights");
      global->setAlignment(llvm::Align(CNN_ALIGNMENT));
      global->setDSOLocal(true);
    }
    PredictBuilder(*module, interface, global).build();
    return module;
  });
  return builders;
}

static std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t extent : shape)
    text += "[" + std::to_string(extent) + "]";
  return text;
}

/// The declaration of `<net>_predict` with what each argument is.
static void writePredict(llvm::raw_ostream &out, const Interface &interface,
                         const CInterfaceOptions &options) {
  std::string upper = llvm::StringRef(interface.net).upper();
  bool passWeights = interface.hasWeights() && options.weights.empty();
  out << "/* Runs the net on one batch, in the calling thread. Nothing is allocated and no state is\n"
         " * kept, so threads may call it at the same time, each with a workspace of its own. Every\n"
      << " * pointer must be a multiple of " << upper << "_ALIGNMENT. Returns 0, or 1 when `rows` is\n"
      << " * not in 1.." << upper << "_BATCH, or 2 when a pointer is not aligned.\n *\n";
  llvm::SmallVector<std::string> arguments;
  if (passWeights) {
    arguments.push_back("const void *weights");
    out << " *   weights   " << upper << "_WEIGHTS_BYTES bytes"
        << (options.weightsFile.empty() ? "" : ", the content of " + options.weightsFile) << "\n";
  }
  for (const Buffer &buffer : interface.buffers) {
    if (!buffer.isTensor())
      continue;
    std::string type = cType(buffer.element).str();
    std::string padded = buffer.name + std::string(buffer.name.size() < 9 ? 9 - buffer.name.size() : 0, ' ');
    if (buffer.isScalarInput()) {
      arguments.push_back(type + " " + buffer.name);
      out << " *   " << padded
          << (buffer.name == "rows" ? " how many samples of the batch are given" : " a number") << "\n";
    } else {
      arguments.push_back((buffer.role == "input" ? "const " : "") + type + " *" + buffer.name);
      out << " *   " << padded << " " << type << shapeText(buffer.shape)
          << (buffer.role == "input" ? ", read" : ", written") << "\n";
    }
  }
  arguments.push_back("void *workspace");
  out << " *   workspace " << upper << "_WORKSPACE_BYTES bytes of any content\n */\n"
      << "int " << interface.net << "_predict(" << llvm::join(arguments, ", ") << ");\n\n";
}

llvm::Expected<std::string> cnn::buildCHeader(llvm::StringRef manifest,
                                              const CInterfaceOptions &options) {
  auto interface = readInterface(manifest);
  if (!interface)
    return interface.takeError();
  std::string upper = llvm::StringRef(interface->net).upper();
  std::string guard;
  for (char c : llvm::StringRef(options.headerName).upper())
    guard += llvm::isAlnum(c) ? c : '_';
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "/* " << options.headerName << " - the net '" << interface->net
      << "', compiled by cnnc for " << interface->cpu << ".\n"
      << " * Threads: 1 through " << interface->net << "_predict; any number through the entry points.\n"
      << " * Weights: "
      << (!interface->hasWeights()       ? "none"
          : !options.weights.empty()     ? "inside the object"
          : !options.weightsFile.empty() ? "in " + options.weightsFile + ", to be read by the caller"
                                         : std::string("passed by the caller"))
      << ".\n */\n#ifndef " << guard << "\n#define " << guard << "\n\n#include <stdint.h>\n\n"
      << "#define " << upper << "_BATCH " << interface->batch << " /* samples in one call, at most */\n"
      << "#define " << upper << "_ALIGNMENT " << CNN_ALIGNMENT << " /* of every pointer, in bytes */\n"
      << "#define " << upper << "_WEIGHTS_BYTES " << interface->stateBytes << "\n";
  if (!interface->buffers.empty())
    out << "#define " << upper << "_WORKSPACE_BYTES " << interface->workspaceBytes << "\n";
  out << "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  if (!interface->buffers.empty())
    writePredict(out, *interface, options);
  if (!options.weights.empty())
    out << "extern const unsigned char " << interface->net << "_weights[" << upper
        << "_WEIGHTS_BYTES];\n\n";
  out << "/* The entry points, for several threads (cnn_abi.h of cnnc says how), and what their buffers\n"
         " * are, as JSON. */\n"
      << "struct cnn_context;\nextern const char " << interface->net << "_manifest[];\n";
  for (const std::string &symbol : interface->entrySymbols)
    out << "void " << symbol << "(void *const *buffers, const struct cnn_context *context);\n";
  out << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return text;
}
