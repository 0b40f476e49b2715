// Runs mutants of a launch and tells what became of each.
#include "test/emulator/Checker.h"
#include "test/emulator/Mutate.h"
#include "test/emulator/Program.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>

namespace cnn::emulator {

namespace {
/// By instruction: how often it was false, true.
std::map<uint32_t, std::array<uint64_t, 2>> observed;

/// Removes all kernels but one, so that the rest need not be compiled.
llvm::Function *keepOnly(llvm::Module &module, const std::string &kernel) {
  for (llvm::Function &function : llvm::make_early_inc_range(module))
    if (function.getCallingConv() == llvm::CallingConv::PTX_Kernel &&
        function.getName() != kernel && function.use_empty())
      function.eraseFromParent();
  for (llvm::GlobalVariable &variable : llvm::make_early_inc_range(module.globals()))
    if (variable.use_empty())
      variable.eraseFromParent();
  return module.getFunction(kernel);
}
} // namespace

extern "C" void cnnEmulatorObserve(uint32_t instruction, uint32_t value) {
  ++observed[instruction][value & 1];
}

bool Mutation::open(const std::string &path) {
  file = std::fopen(path.c_str(), "w");
  return file;
}

Mutation::~Mutation() {
  if (!file)
    return;
  unsigned all = 0;
  for (const auto &[fate, count] : fates)
    all += count;
  std::fprintf(file, "%u mutants:", all);
  const char *separator = " ";
  for (const auto &[fate, count] : fates) {
    std::fprintf(file, "%s%u %s", separator, count, fate.c_str());
    separator = ", ";
  }
  std::fprintf(file, "\n");
  std::fclose(file);
}

Mutation::Image Mutation::save(const Launch &launch) {
  Image image;
  for (uint64_t address : launch.arguments)
    if (Allocation *allocation = memory.find(address, 1);
        allocation && std::none_of(image.begin(), image.end(), [&](const Snapshot &known) {
          return known.allocation == allocation;
        }))
      image.push_back({allocation,
                       {allocation->data, allocation->data + allocation->bytes},
                       allocation->written});
  return image;
}

void Mutation::restore(const Image &image) {
  for (const Snapshot &snapshot : image) {
    std::copy(snapshot.data.begin(), snapshot.data.end(), snapshot.allocation->data);
    snapshot.allocation->written = snapshot.written;
  }
}

bool Mutation::isSame(const Image &image) {
  return std::all_of(image.begin(), image.end(), [](const Snapshot &snapshot) {
    return std::memcmp(snapshot.data.data(), snapshot.allocation->data, snapshot.data.size()) == 0;
  });
}

Result Mutation::check(const Launch &launch, unsigned seed, std::string &report,
                       Checker::Accesses &accesses) {
  Checker checker(memory);
  report = checker.startLaunch(launch);
  if (!report.empty())
    return IllegalAddress;
  RunOptions options;
  options.checker = &checker;
  options.seed = seed;
  Result result = Block(launch, options).runAll(report);
  accesses = checker.getAccesses();
  return result;
}

bool Mutation::observe(const Launch &launch, const std::vector<Mutant> &mutants) {
  observed.clear();
  auto edit = [&](llvm::Module &module) {
    llvm::Function *kernel = keepOnly(module, launch.kernel->name);
    std::vector<llvm::Instruction *> instructions;
    for (llvm::Instruction &instruction : llvm::instructions(*kernel))
      instructions.push_back(&instruction);
    std::set<unsigned> seen;
    for (const Mutant &mutant : mutants) {
      if (mutant.kind != Mutant::ForceTrue || !seen.insert(mutant.instruction).second)
        continue;
      llvm::Instruction *compare = instructions[mutant.instruction];
      llvm::IRBuilder<> builder(&*std::next(compare->getIterator()));
      llvm::Type *i32 = builder.getInt32Ty();
      auto *type = llvm::FunctionType::get(builder.getVoidTy(), {i32, i32}, false);
      builder.CreateCall(module.getOrInsertFunction("cnnEmulatorObserve", type),
                         {builder.getInt32(mutant.instruction), builder.CreateZExt(compare, i32)});
    }
  };
  std::string log;
  auto program = Program::load(launch.program->path, /*instrument=*/false, log, edit);
  if (!program)
    return false;
  Launch with = launch;
  with.program = program.get();
  with.kernel = program->find(launch.kernel->name);
  return Block(with, {}).runAll(log) == Success;
}

void Mutation::perturb(const Launch &launch, size_t number) {
  std::vector<std::pair<uint64_t, size_t>> words; // where, and how many words
  for (size_t i = 0; i < launch.arguments.size(); ++i)
    if (const Parameter &parameter = launch.kernel->parameters[i];
        parameter.readOnly && parameter.extent >= 4)
      words.push_back({launch.arguments[i], parameter.extent / 4});
  if (words.empty())
    return;
  auto [begin, count] = words[number % words.size()];
  // Of an infinity, a product with zero shows; of NaN, that one was read at all.
  static const float values[] = {std::numeric_limits<float>::quiet_NaN(),
                                 std::numeric_limits<float>::infinity(), 1234.5f, -0.375f};
  size_t round = number / words.size(), kind = round % 4, turn = round / 4;
  // One NaN, or of large arguments a few, for many would hide one another. Of infinities one or
  // every seventh word in turn, so that all words of a small argument are among them. At first NaN
  // is the first word and an infinity the last: these are what kernels read where there is nothing
  // to read.
  bool even = turn % 2 == 0;
  size_t step = kind == 0 ? (even ? count : 487) : kind == 1 && even ? count : 7;
  size_t first = step == 7 ? 5 * turn : turn > 0 ? number * 2654435761u : kind == 0 ? 0 : count - 1;
  for (size_t word = first % std::min(count, step); word < count; word += step)
    std::memcpy(reinterpret_cast<char *>(begin) + 4 * word, &values[kind], 4);
}

Mutation::Trial &Mutation::trial(const Launch &launch, size_t number) {
  while (trials.size() <= number) {
    restore(trials[0].before);
    perturb(launch, trials.size());
    Trial trial;
    trial.before = save(launch);
    std::string report;
    // A changed index may lead the right kernel out of bounds.
    trial.valid = check(launch, 0, report, trial.accesses) == Success;
    trial.after = save(launch);
    trials.push_back(std::move(trial));
  }
  return trials[number];
}

const char *Mutation::judge(const Launch &launch, const Mutant &mutant, std::string &report) {
  bool force = mutant.kind == Mutant::ForceTrue || mutant.kind == Mutant::ForceFalse;
  // It is always what the mutant makes it: no launch of this shape can tell them apart.
  if (force && observed[mutant.instruction][mutant.kind == Mutant::ForceFalse] == 0)
    return "not exercised";
  auto edit = [&](llvm::Module &module) {
    applyMutant(*keepOnly(module, launch.kernel->name), mutant);
  };
  auto program = Program::load(launch.program->path, /*instrument=*/true, report, edit);
  if (!program)
    return "cannot be built";
  Launch with = launch;
  with.program = program.get();
  with.kernel = program->find(launch.kernel->name);
  bool more = true, same = true;
  for (size_t number = 0; number < mostTrials; ++number) {
    const Trial &data = trial(launch, number);
    if (!data.valid)
      continue;
    restore(data.before);
    Checker::Accesses accesses;
    if (check(with, 0, report, accesses) != Success)
      return "caught by a check";
    if (!isSame(data.after))
      return "caught by the result";
    more &= accesses.count > data.accesses.count;
    same &= accesses.count == data.accesses.count && accesses.sum == data.accesses.sum;
  }
  bool isBarrier = mutant.kind == Mutant::RemoveBarrier || mutant.kind == Mutant::RemoveWait;
  return isBarrier ? "survives"
         : more    ? "spares accesses"
         : same    ? "decided by others"
                   : "survives";
}

Result Mutation::run(const Launch &launch, unsigned seed, std::string &report) {
  bool fresh = done.insert(launch.program->path + launch.kernel->name).second;
  Trial own;
  if (fresh)
    own.before = save(launch);
  Result result = check(launch, seed, report, own.accesses);
  if (!fresh || result != Success)
    return result;
  own.after = save(launch);
  trials.clear();
  trials.push_back(std::move(own));
  std::vector<Mutant> mutants;
  auto list = [&](llvm::Module &module) {
    mutants = listMutants(*keepOnly(module, launch.kernel->name));
  };
  Program::load(launch.program->path, /*instrument=*/false, report, list);
  restore(trials[0].before);
  if (!observe(launch, mutants))
    report = "the comparisons of kernel '" + launch.kernel->name + "' could not be observed";
  for (const Mutant &mutant : mutants) {
    std::string why;
    const char *fate = judge(launch, mutant, why);
    ++fates[fate];
    why = why.substr(0, why.find('\n'));
    std::fprintf(file, "%s: %s: %s%s%s\n", launch.kernel->name.c_str(), fate,
                 mutant.describe().c_str(), why.empty() ? "" : " -- ", why.c_str());
  }
  std::fflush(file);
  restore(trials[0].after);
  return report.empty() ? Success : Unknown;
}

} // namespace cnn::emulator
