// Translates, optimises and prints the kernels. One module for all of them: they share constants.
#include "compiler/emit/Ptx.h"
#include "compiler/emit/Optimize.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace cnn;

std::string cnn::nvvmFolder() { return llvm::sys::Process::GetEnv("CNNC_SAVE_NVVM").value_or(""); }

static void registerTranslations(mlir::MLIRContext *context) {
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerGPUDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
  context->appendDialectRegistry(registry);
}

/// Through a file of another name: who looks for it sees all of it or nothing.
static llvm::Error save(llvm::StringRef folder, llvm::StringRef hash, llvm::StringRef content) {
  std::string path = (folder + "/" + hash + ".bc").str();
  auto fail = [&](std::error_code error) {
    return llvm::createStringError(path + ": cannot write (CNNC_SAVE_NVVM): " + error.message());
  };
  if (std::error_code error = llvm::sys::fs::create_directories(folder))
    return fail(error);
  auto file = llvm::sys::fs::TempFile::create(path + ".%%%%%%");
  if (!file) {
    llvm::consumeError(file.takeError());
    return fail(std::make_error_code(std::errc::permission_denied));
  }
  llvm::raw_fd_ostream out(file->FD, /*shouldClose=*/false);
  out << content;
  out.flush();
  std::error_code error = out.error();
  out.clear_error();
  if (error) {
    llvm::consumeError(file->discard());
    return fail(error);
  }
  return file->keep(path);
}

llvm::Expected<std::string> cnn::generatePtx(mlir::ModuleOp module, const Target &target) {
  registerTranslations(module.getContext());
  auto kernels = llvm::to_vector(module.getOps<mlir::gpu::GPUModuleOp>());
  if (kernels.size() != 1)
    return llvm::createStringError("the module has no kernels for a GPU");
  auto machine = createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  auto ir = mlir::translateModuleToLLVMIR(kernels.front(), context, "cnn");
  if (!ir)
    return llvm::createStringError("translation to LLVM IR failed");
  ir->setTargetTriple(llvm::Triple(target.triple));
  ir->setDataLayout((*machine)->createDataLayout());
  optimize(*ir, **machine, /*unrollLoops=*/true);
  llvm::SmallString<0> bitcode;
  {
    llvm::raw_svector_ostream out(bitcode);
    llvm::WriteBitcodeToFile(*ir, out);
  }
  std::string hash =
      llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(bitcode)), /*LowerCase=*/true)
          .substr(0, 16);
  if (std::string folder = nvvmFolder(); !folder.empty())
    if (llvm::Error error = save(folder, hash, bitcode))
      return error;
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream out(text);
  out << "// cnnc-ir " << hash << '\n';
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile))
    return llvm::createStringError("no PTX for '" + target.cpu + "'");
  passes.run(*ir);
  return text.str().str();
}
