// <net>_predict(weights?, prepared?, inputs..., scalars..., outputs..., workspace) checks its
// arguments, fills the array of buffers that the entry point `infer` takes, and calls it with one
// worker; <net>_prepare_weights(weights?, prepared, workspace) likewise for `prepare`, where there
// is one:
//
//   workspace | arena | scratch of the one worker |
#include "compiler/emit/CWrapper.h"
#include "runtime/abi/cnn_abi.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
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
  bool isWorkspace() const { return role == "arena" || role == "scratch"; }
  bool isScalarInput() const { return role == "input" && shape.empty(); }
};

/// An entry point as a function of C.
struct CFunction {
  std::string name, symbol;
  std::vector<Buffer> buffers;

  bool takes(llvm::StringRef role) const {
    return llvm::any_of(buffers, [&](const Buffer &buffer) { return buffer.role == role; });
  }
};

/// What of the manifest the C interface needs.
struct Interface {
  std::string net, cpu;
  int64_t batch = 0, stateBytes = 0, preparedBytes = 0, workspaceBytes = 0;
  std::vector<CFunction> functions; // none where the net has no entry `infer`
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
  result.preparedBytes = root->getInteger("prepared_bytes").value_or(0);
  for (const json::Value &value : *entries) {
    const json::Object &entry = *value.getAsObject();
    result.entrySymbols.push_back(entry.getString("symbol").value_or("").str());
    llvm::StringRef name = entry.getString("name").value_or("");
    if (name != "infer" && name != "prepare")
      continue;
    CFunction function;
    function.name = result.net + (name == "infer" ? "_predict" : "_prepare_weights");
    function.symbol = result.entrySymbols.back();
    int64_t workspace = 0;
    for (const json::Value &buffer : *entry.getArray("buffers")) {
      function.buffers.push_back(readBuffer(*buffer.getAsObject()));
      if (function.buffers.back().isWorkspace())
        workspace += llvm::alignTo(function.buffers.back().bytes, CNN_ALIGNMENT);
    }
    result.workspaceBytes = std::max(result.workspaceBytes, workspace);
    // What is called first stands first.
    result.functions.insert(name == "prepare" ? result.functions.begin() : result.functions.end(),
                            std::move(function));
  }
  if (llvm::none_of(result.functions,
                    [](const CFunction &function) { return function.takes("output"); }))
    result.functions.clear();
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
/// Builds a function of the C interface.
class FunctionBuilder {
public:
  FunctionBuilder(llvm::Module &module, const Interface &interface, const CFunction &entry,
                  llvm::GlobalVariable *weights)
      : module(module), interface(interface), entry(entry), weights(weights),
        builder(module.getContext()) {}
  void build();

private:
  void createFunction();
  void returnUnless(llvm::Value *good, int32_t code, llvm::BasicBlock *fail, llvm::PHINode *phi);
  llvm::Value *bufferFor(const Buffer &buffer, unsigned &argument, uint64_t &offset);

  llvm::Module &module;
  const Interface &interface;
  const CFunction &entry;
  llvm::GlobalVariable *weights;
  llvm::IRBuilder<> builder;
  llvm::Function *function = nullptr;
};
} // namespace

void FunctionBuilder::createFunction() {
  llvm::SmallVector<llvm::Type *> types;
  for (const Buffer &buffer : entry.buffers)
    if (buffer.role == "prepared" || (buffer.role == "state_in" && !weights))
      types.push_back(builder.getPtrTy());
    else if (buffer.isTensor())
      types.push_back(buffer.isScalarInput() ? scalarType(builder, buffer.element)
                                             : builder.getPtrTy());
  types.push_back(builder.getPtrTy());
  function = llvm::Function::Create(llvm::FunctionType::get(builder.getInt32Ty(), types, false),
                                    llvm::GlobalValue::ExternalLinkage, entry.name, module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", function));
}

void FunctionBuilder::returnUnless(llvm::Value *good, int32_t code, llvm::BasicBlock *fail,
                                   llvm::PHINode *phi) {
  auto *next = llvm::BasicBlock::Create(module.getContext(), "", function, fail);
  phi->addIncoming(builder.getInt32(code), builder.GetInsertBlock());
  builder.CreateCondBr(good, next, fail);
  builder.SetInsertPoint(next);
}

llvm::Value *FunctionBuilder::bufferFor(const Buffer &buffer, unsigned &argument,
                                        uint64_t &offset) {
  if (buffer.role == "state_in" && weights)
    return weights;
  if (buffer.isWorkspace()) {
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

void FunctionBuilder::build() {
  createFunction();
  llvm::LLVMContext &context = module.getContext();
  auto *fail = llvm::BasicBlock::Create(context, "fail", function);
  llvm::PHINode *code = llvm::PHINode::Create(builder.getInt32Ty(), 2, "code", fail);
  llvm::ReturnInst::Create(context, code, fail);

  unsigned argument = 0, position = 0;
  for (const Buffer &buffer : entry.buffers) {
    if (buffer.isWorkspace() || (buffer.role == "state_in" && weights))
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

  auto *arrayType = llvm::ArrayType::get(builder.getPtrTy(), entry.buffers.size());
  llvm::Value *array = builder.CreateAlloca(arrayType);
  uint64_t offset = 0;
  for (auto [index, buffer] : llvm::enumerate(entry.buffers))
    builder.CreateStore(bufferFor(buffer, argument, offset),
                        builder.CreateConstInBoundsGEP2_64(arrayType, array, 0, index));
  auto callee = module.getOrInsertFunction(
      entry.symbol, llvm::FunctionType::get(builder.getVoidTy(),
                                            {builder.getPtrTy(), builder.getPtrTy()}, false));
  // The entry point is in the same object.
  llvm::cast<llvm::Function>(callee.getCallee())->setDSOLocal(true);
  builder.CreateCall(callee, {array, llvm::ConstantPointerNull::get(builder.getPtrTy())});
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
  if (interface->functions.empty())
    return builders;
  builders.push_back(
      [interface = *interface, weights = options.weights](llvm::LLVMContext &context) {
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
        for (const CFunction &function : interface.functions)
          FunctionBuilder(*module, interface, function, global).build();
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

/// Words of C and C++ that no argument can be called.
static bool isKeyword(llvm::StringRef name) {
  static const llvm::StringSet<> keywords = {
      "alignas",   "alignof",  "and",      "asm",      "auto",     "bool",     "break",
      "case",      "catch",    "char",     "class",    "concept",  "const",    "constexpr",
      "continue",  "default",  "delete",   "do",       "double",   "else",     "enum",
      "explicit",  "export",   "extern",   "false",    "float",    "for",      "friend",
      "goto",      "if",       "inline",   "int",      "long",     "mutable",  "namespace",
      "new",       "noexcept", "not",      "nullptr",  "operator", "or",       "private",
      "protected", "public",   "register", "requires", "restrict", "return",   "short",
      "signed",    "sizeof",   "static",   "struct",   "switch",   "template", "this",
      "throw",     "true",     "try",      "typedef",  "typeof",   "typename", "union",
      "unsigned",  "using",    "virtual",  "void",     "volatile", "while",    "xor"};
  return keywords.contains(name);
}

/// The declaration of a function with what each argument is.
static void writeFunction(llvm::raw_ostream &out, const Interface &interface,
                          const CFunction &function, const CInterfaceOptions &options) {
  std::string upper = llvm::StringRef(interface.net).upper();
  bool predicts = function.takes("output");
  if (predicts)
    out << "/* Runs the net on one batch, in the calling thread. Nothing is allocated and no state "
           "is\n"
           " * kept, so threads may call it at the same time, each with a workspace of its own. "
           "Every\n"
        << " * pointer must be a multiple of " << upper
        << "_ALIGNMENT. Returns 0, or 1 when `rows` is\n"
        << " * not in 1.." << upper << "_BATCH, or 2 when a pointer is not aligned.\n *\n";
  else
    out << "/* Computes once what depends on the weights only; to be called before the first "
           "prediction"
           "\n * and after every change of the weights. Returns 0, or 2 when a pointer is not "
           "aligned.\n"
           " *\n";
  llvm::SmallVector<std::string> arguments;
  // Tensors keep their names as far as C allows it.
  llvm::StringSet<> taken = {"weights", "prepared", "workspace"};
  auto unique = [&](std::string name) {
    for (char &c : name)
      c = llvm::isAlnum(c) ? c : '_';
    while (isKeyword(name) || !taken.insert(name).second)
      name += "_";
    return name;
  };
  auto describe = [&](llvm::StringRef name, const llvm::Twine &text) {
    out << " *   " << name << std::string(name.size() < 9 ? 9 - name.size() : 0, ' ') << " " << text
        << "\n";
  };
  for (const Buffer &buffer : function.buffers) {
    std::string type = cType(buffer.element).str();
    std::string name = buffer.isTensor() ? unique(buffer.name) : "";
    if (buffer.role == "state_in" && options.weights.empty()) {
      arguments.push_back("const void *weights");
      describe("weights", upper + "_WEIGHTS_BYTES bytes" +
                              (options.weightsFile.empty() ? "" : ", the content of ") +
                              options.weightsFile);
    } else if (buffer.role == "prepared") {
      arguments.push_back(predicts ? "const void *prepared" : "void *prepared");
      describe("prepared", upper + "_PREPARED_BYTES bytes, " +
                               (predicts ? "what " + interface.net + "_prepare_weights has written"
                                         : std::string("written")));
    } else if (buffer.isScalarInput()) {
      arguments.push_back(type + " " + name);
      describe(name,
               buffer.name == "rows" ? "how many samples of the batch are given" : "a number");
    } else if (buffer.isTensor()) {
      arguments.push_back((buffer.role == "input" ? "const " : "") + type + " *" + name);
      describe(name,
               type + shapeText(buffer.shape) + (buffer.role == "input" ? ", read" : ", written"));
    }
  }
  arguments.push_back("void *workspace");
  out << " *   workspace " << upper << "_WORKSPACE_BYTES bytes of any content\n */\n"
      << "int " << function.name << "(" << llvm::join(arguments, ", ") << ");\n\n";
}

llvm::Expected<std::string> cnn::buildCHeader(llvm::StringRef manifest,
                                              const CInterfaceOptions &options) {
  auto interface = readInterface(manifest);
  if (!interface)
    return interface.takeError();
  std::string upper = llvm::StringRef(interface->net).upper();
  // Names of files that differ give other guards: what no macro can have is written in hex.
  llvm::StringRef stem = options.headerName;
  stem.consume_back(".h");
  std::string guard = "CNNC_";
  for (char c : stem)
    guard += llvm::isAlnum(c) || c == '_' ? std::string(1, llvm::toUpper(c))
                                          : "_x" + llvm::utohexstr(static_cast<uint8_t>(c));
  guard += "_H";
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "/* " << options.headerName << " - the net '" << interface->net
      << "', compiled by cnnc for " << interface->cpu << ".\n"
      << " * Threads: 1 through " << interface->net
      << "_predict; any number through the entry points.\n"
      << " * Weights: "
      << (!interface->hasWeights()   ? "none"
          : !options.weights.empty() ? "inside the object"
          : !options.weightsFile.empty()
              ? "in " + options.weightsFile + ", to be read by the caller"
              : std::string("passed by the caller"))
      << ".\n */\n#ifndef " << guard << "\n#define " << guard << "\n\n#include <stdint.h>\n\n"
      << "#define " << upper << "_BATCH " << interface->batch
      << " /* samples in one call, at most */\n"
      << "#define " << upper << "_ALIGNMENT " << CNN_ALIGNMENT
      << " /* of every pointer, in bytes */\n"
      << "#define " << upper << "_WEIGHTS_BYTES " << interface->stateBytes << "\n";
  if (interface->preparedBytes)
    out << "#define " << upper << "_PREPARED_BYTES " << interface->preparedBytes << "\n";
  if (!interface->functions.empty())
    out << "#define " << upper << "_WORKSPACE_BYTES " << interface->workspaceBytes << "\n";
  out << "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  for (const CFunction &function : interface->functions)
    writeFunction(out, *interface, function, options);
  if (!options.weights.empty())
    out << "extern const unsigned char " << interface->net << "_weights[" << upper
        << "_WEIGHTS_BYTES];\n\n";
  out << "/* The entry points, for several threads (cnn_abi.h of cnnc says how), and what their "
         "buffers\n"
         " * are, as JSON. */\n"
      << "struct cnn_context;\nextern const char " << interface->net << "_manifest[];\n";
  for (const std::string &symbol : interface->entrySymbols)
    out << "void " << symbol << "(void *const *buffers, const struct cnn_context *context);\n";
  out << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return text;
}
