// What mutants a kernel has, and how one is made.
#include "test/emulator/Mutate.h"

#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/ModuleSlotTracker.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace cnn::emulator {

std::string Mutant::describe() const {
  static const char *const names[] = {"without the barrier", "without the wait", "always true",
                                      "always false", "without the bound"};
  return std::string(names[kind]) + " #" + std::to_string(instruction) + ": " + text;
}

namespace {

bool isBarrier(const CallInst &call) {
  const llvm::Function *callee = call.getCalledFunction();
  return callee && call.getType()->isVoidTy() &&
         (callee->getName().starts_with("llvm.nvvm.barrier") ||
          callee->getName().starts_with("llvm.nvvm.bar.warp.sync"));
}

bool isWait(const CallInst &call) {
  const llvm::Function *callee = call.getCalledFunction();
  return callee && callee->getName().starts_with("llvm.nvvm.cp.async.wait");
}

/// Whether a condition decides, alone or with others, when a loop is left.
bool leavesLoop(const Value &condition, const LoopInfo &loops, unsigned depth = 0) {
  for (const User *user : condition.users()) {
    if (const auto *branch = dyn_cast<BranchInst>(user)) {
      const Loop *loop = loops.getLoopFor(branch->getParent());
      if (loop && loop->isLoopExiting(branch->getParent()))
        return true;
    } else if (depth < 4 && user->getType()->isIntegerTy(1)) {
      if (leavesLoop(*user, loops, depth + 1))
        return true;
    }
  }
  return false;
}

} // namespace

std::vector<Mutant> listMutants(llvm::Function &kernel) {
  DominatorTree dominators(kernel);
  LoopInfo loops(dominators);
  ModuleSlotTracker slots(kernel.getParent());
  slots.incorporateFunction(kernel);
  std::vector<Mutant> mutants;
  unsigned number = 0;
  for (Instruction &instruction : instructions(kernel)) {
    std::vector<Mutant::Kind> kinds;
    if (auto *call = dyn_cast<CallInst>(&instruction)) {
      if (isBarrier(*call))
        kinds = {Mutant::RemoveBarrier};
      else if (isWait(*call))
        kinds = {Mutant::RemoveWait};
      else if (isa<MinMaxIntrinsic>(call) && call->getType()->isIntegerTy())
        kinds = {Mutant::DropBound};
    } else if (auto *compare = dyn_cast<ICmpInst>(&instruction)) {
      if (compare->getType()->isIntegerTy(1) && !leavesLoop(*compare, loops))
        kinds = {Mutant::ForceTrue, Mutant::ForceFalse};
    }
    for (Mutant::Kind kind : kinds) {
      Mutant mutant{kind, number, {}};
      raw_string_ostream text(mutant.text);
      instruction.print(text, slots);
      mutant.text.erase(0, mutant.text.find_first_not_of(' '));
      mutants.push_back(mutant);
    }
    ++number;
  }
  return mutants;
}

void applyMutant(llvm::Function &kernel, const Mutant &mutant) {
  Instruction &instruction = *std::next(inst_begin(kernel), mutant.instruction);
  Type *type = instruction.getType();
  if (mutant.kind == Mutant::ForceTrue || mutant.kind == Mutant::ForceFalse)
    instruction.replaceAllUsesWith(ConstantInt::get(type, mutant.kind == Mutant::ForceTrue));
  else if (mutant.kind == Mutant::DropBound)
    // The operand that is computed, not the bound.
    instruction.replaceAllUsesWith(
        instruction.getOperand(isa<Constant>(instruction.getOperand(0)) ? 1 : 0));
  instruction.eraseFromParent();
}

} // namespace cnn::emulator
