// Runs ptxas on files in the temporary folder and reads its report.
#include "compiler/emit/Cubin.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <optional>

using namespace cnn;

static llvm::Expected<std::string> findPtxas() {
  if (auto home = llvm::sys::Process::GetEnv("CUDA_HOME"))
    if (auto found = llvm::sys::findProgramByName("ptxas", {*home + "/bin"}))
      return *found;
  if (auto found = llvm::sys::findProgramByName("ptxas"))
    return *found;
  if (auto found = llvm::sys::findProgramByName("ptxas", {"/usr/local/cuda/bin"}))
    return *found;
  return llvm::createStringError(
      "--emit=cubin needs ptxas of the CUDA toolkit, which is neither in $CUDA_HOME/bin nor on "
      "PATH "
      "nor in /usr/local/cuda/bin\n  hint: --emit=ptx needs no toolkit, and drivers take it");
}

namespace {
/// A file in the temporary folder that goes with the object.
struct Temporary {
  llvm::SmallString<128> path;
  std::optional<llvm::FileRemover> remover;

  llvm::Error create(llvm::StringRef extension) {
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("cnnc", extension, path))
      return llvm::createStringError("temporary file: " + error.message());
    remover.emplace(path);
    return llvm::Error::success();
  }
  llvm::Expected<std::string> read() const {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer)
      return llvm::createStringError(path.str().str() + ": " + buffer.getError().message());
    return (*buffer)->getBuffer().str();
  }
};
} // namespace

llvm::Expected<Cubin> cnn::assemblePtx(llvm::StringRef ptx, const Target &target) {
  auto program = findPtxas();
  if (!program)
    return program.takeError();
  Temporary input, output, report;
  if (llvm::Error error = input.create("ptx"))
    return error;
  if (llvm::Error error = output.create("cubin"))
    return error;
  if (llvm::Error error = report.create("txt"))
    return error;
  std::error_code failed;
  llvm::raw_fd_ostream file(input.path, failed);
  if (!failed) {
    file << ptx;
    file.close();
    failed = file.error();
    file.clear_error();
  }
  if (failed)
    return llvm::createStringError(input.path.str().str() + ": " + failed.message());
  std::string message;
  llvm::StringRef arguments[] = {*program,   "-arch", target.cpu, "-v",
                                 input.path, "-o",    output.path};
  std::optional<llvm::StringRef> streams[] = {"", report.path.str(), report.path.str()};
  int status =
      llvm::sys::ExecuteAndWait(*program, arguments, std::nullopt, streams, 0, 0, &message);
  auto text = report.read();
  if (!text)
    return text.takeError();
  if (status != 0)
    return llvm::createStringError("ptxas failed: " +
                                   llvm::StringRef(*text + message).rtrim().str());
  auto bytes = output.read();
  if (!bytes)
    return bytes.takeError();
  return Cubin{std::move(*bytes), parseUse(*text, ptx)};
}

/// The number that stands before `unit` in `line`; 0 for none.
static int64_t numberBefore(llvm::StringRef line, llvm::StringRef unit) {
  size_t at = line.find((" " + unit).str());
  if (at == llvm::StringRef::npos)
    return 0;
  llvm::StringRef digits = line.take_front(at);
  digits = digits.substr(digits.find_last_not_of("0123456789") + 1);
  int64_t number = 0;
  digits.getAsInteger(10, number);
  return number;
}

/// The threads of a block, by kernel: what `.maxntid` says behind `.entry NAME(`.
static llvm::StringMap<int64_t> findThreads(llvm::StringRef ptx) {
  llvm::StringMap<int64_t> threads;
  llvm::StringRef name;
  while (!ptx.empty()) {
    auto [line, rest] = ptx.split('\n');
    ptx = rest;
    if (size_t at = line.find(".entry "); at != llvm::StringRef::npos)
      name = line.substr(at + 7).take_until([](char c) { return c == '('; });
    llvm::StringRef text = line.trim();
    if (text.consume_front(".maxntid ")) {
      int64_t product = 1;
      llvm::SmallVector<llvm::StringRef, 3> extents;
      text.split(extents, ',');
      for (llvm::StringRef extent : extents) {
        int64_t number = 1;
        extent.trim().getAsInteger(10, number);
        product *= number;
      }
      threads[name] = product;
    }
  }
  return threads;
}

std::vector<KernelUse> cnn::parseUse(llvm::StringRef report, llvm::StringRef ptx) {
  llvm::StringMap<int64_t> threads = findThreads(ptx);
  std::vector<KernelUse> kernels;
  while (!report.empty()) {
    auto [line, rest] = report.split('\n');
    report = rest;
    if (line.contains("Compiling entry function '")) {
      KernelUse kernel;
      kernel.name = line.split('\'').second.split('\'').first.str();
      kernel.threads = threads.lookup(kernel.name);
      kernels.push_back(std::move(kernel));
    }
    if (kernels.empty())
      continue;
    KernelUse &kernel = kernels.back();
    if (line.contains("bytes stack frame")) {
      kernel.stack = numberBefore(line, "bytes stack frame");
      kernel.spillBytes =
          numberBefore(line, "bytes spill stores") + numberBefore(line, "bytes spill loads");
    }
    if (line.contains("Used ")) {
      kernel.registers = numberBefore(line, "registers");
      kernel.shared = numberBefore(line, "bytes smem");
    }
  }
  return kernels;
}

namespace {
/// What one multiprocessor holds at a time; from the tables of the CUDA programming guide.
struct Processor {
  int64_t threads, blocks, sharedBytes;
};
} // namespace

static Processor getProcessor(llvm::StringRef gpu) {
  constexpr int64_t kilo = 1024;
  if (gpu == "sm_75")
    return {1024, 16, 64 * kilo};
  if (gpu == "sm_80")
    return {2048, 32, 164 * kilo};
  if (gpu == "sm_86")
    return {1536, 16, 100 * kilo};
  if (gpu == "sm_89")
    return {1536, 24, 100 * kilo};
  if (gpu == "sm_120")
    return {1536, 24, 100 * kilo};
  return {2048, 32, 228 * kilo};
}

int64_t cnn::getBlocksPerProcessor(const KernelUse &kernel, const Target &target) {
  constexpr int64_t allRegisters = 65536, warp = 32, registerUnit = 256, reservedShared = 1024;
  Processor processor = getProcessor(target.cpu);
  int64_t warps = llvm::divideCeil(std::max<int64_t>(kernel.threads, 1), warp);
  int64_t blocks = std::min(processor.blocks, processor.threads / (warps * warp));
  // Registers are given to warps in units.
  if (int64_t ofWarp = llvm::alignTo(kernel.registers * warp, registerUnit))
    blocks = std::min(blocks, allRegisters / ofWarp / warps);
  if (kernel.shared > 0)
    blocks = std::min(blocks, processor.sharedBytes / (kernel.shared + reservedShared));
  return blocks;
}

std::string cnn::formatUse(llvm::ArrayRef<KernelUse> kernels, const Target &target) {
  size_t width = 6;
  for (const KernelUse &kernel : kernels)
    width = std::max(width, kernel.name.size());
  std::string text;
  llvm::raw_string_ostream out(text);
  out << llvm::left_justify("kernel", width)
      << "  threads  registers  shared  spills  blocks  occupancy\n";
  for (const KernelUse &kernel : kernels) {
    int64_t blocks = getBlocksPerProcessor(kernel, target);
    out << llvm::left_justify(kernel.name, width)
        << llvm::format("  %7lld  %9lld  %6lld  %6lld  %6lld  %8.0f%%\n",
                        static_cast<long long>(kernel.threads),
                        static_cast<long long>(kernel.registers),
                        static_cast<long long>(kernel.shared),
                        static_cast<long long>(kernel.spillBytes), static_cast<long long>(blocks),
                        100.0 * static_cast<double>(blocks * kernel.threads) /
                            static_cast<double>(getProcessor(target.cpu).threads));
  }
  return text;
}
