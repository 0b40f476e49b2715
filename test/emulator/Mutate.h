// Mutation: every barrier, wait and comparison of a kernel is changed in turn, and each mutant must
// be caught, by checked mode or by its results. What survives is a superfluous barrier or check, or
// a check that is missing in the emulator. CNN_FAKECUDA_MUTATE does it at each kernel's first
// launch, with the memory of that launch.
#ifndef CNNC_TEST_EMULATOR_MUTATE_H
#define CNNC_TEST_EMULATOR_MUTATE_H

#include "test/emulator/Block.h"
#include "test/emulator/Checker.h"
#include "test/emulator/Memory.h"

#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace llvm {
class Function;
}

namespace cnn::emulator {

/// One change to a kernel.
struct Mutant {
  enum Kind { RemoveBarrier, RemoveWait, ForceTrue, ForceFalse, DropBound } kind;
  /// The instruction, by its number in the function, and as text.
  unsigned instruction;
  std::string text;

  std::string describe() const;
};

/// All mutants of a kernel, in the order of its instructions. Comparisons that leave a loop are not
/// changed: the mutant might not end.
std::vector<Mutant> listMutants(llvm::Function &kernel);
void applyMutant(llvm::Function &kernel, const Mutant &mutant);

/// Runs the mutants of kernels and reports on them.
class Mutation {
public:
  explicit Mutation(Memory &memory) : memory(memory) {}
  /// Starts a report in a file. False when it cannot be written.
  bool open(const std::string &path);
  /// Writes the sums.
  ~Mutation();

  /// Runs a launch, and before it, when its kernel is new, all its mutants. Memory is afterwards as
  /// the launch alone leaves it.
  Result run(const Launch &launch, unsigned seed, std::string &report);

private:
  struct Snapshot {
    Allocation *allocation;
    std::vector<char> data;
    std::vector<uint8_t> written;
  };
  using Image = std::vector<Snapshot>;
  /// A launch's memory before it and after the right kernel.
  struct Trial {
    Image before, after;
    Checker::Accesses accesses;
    bool valid = true;
  };

  Image save(const Launch &launch);
  static void restore(const Image &image);
  static bool isSame(const Image &image);
  Result check(const Launch &launch, unsigned seed, std::string &report,
               Checker::Accesses &accesses);
  /// Notes how often each mutated comparison was false and true in a launch.
  bool observe(const Launch &launch, const std::vector<Mutant> &mutants);
  const char *judge(const Launch &launch, const Mutant &mutant, std::string &report);
  /// The launch's own memory (0), or with words of an argument that it only reads changed: what
  /// the data hides, such as a sum of zeros, then shows.
  Trial &trial(const Launch &launch, size_t number);
  void perturb(const Launch &launch, size_t number);

  static constexpr size_t mostTrials = 96;
  Memory &memory;
  std::FILE *file = nullptr;
  std::set<std::string> done;
  std::vector<Trial> trials;
  /// How many mutants met each fate.
  std::map<std::string, unsigned> fates;
};

extern "C" void cnnEmulatorObserve(uint32_t instruction, uint32_t value);

} // namespace cnn::emulator

#endif
