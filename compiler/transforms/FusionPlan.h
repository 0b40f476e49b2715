// Which operations of a function form a group. The plan only decides; cnn-fuse builds the groups.

#ifndef CNNC_COMPILER_TRANSFORMS_FUSION_PLAN_H
#define CNNC_COMPILER_TRANSFORMS_FUSION_PLAN_H

#include "compiler/transforms/NestFacts.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

#include <memory>

namespace mlir::cnn {

/// Operations that become one group, or one operation that stays outside of groups.
struct FusionUnit {
  /// The operations whose results the group may yield, in program order.
  SmallVector<Operation *> members;
  /// Operations that are computed again in here for the members' sake. What all users compute
  /// themselves is a member of no unit.
  llvm::SetVector<Operation *> copies;
  /// The operation after which the group is named: its reduction, window or scatter, or null where
  /// all members are pointwise.
  Operation *anchor = nullptr;
  /// The pooling behind the anchor, or null.
  Operation *pool = nullptr;
  /// False for a cnn.read, a cnn.write, a reshape, a return.
  bool isGroup = false;
};

/// The partition of a block's operations into units.
///
/// One walk in program order lets pointwise operations join the unit of an operand (its epilogue)
/// and one pooling join the unit of its operand. A second one, backwards, moves or copies pointwise
/// operations that were left alone into the units that use them (prologues). Both keep the graph of
/// units free of cycles.
class FusionPlan {
public:
  /// `maxSize` is the largest number of operations in a group, 0 for any.
  FusionPlan(Block &block, unsigned maxSize);

  /// The units in an order in which each stands behind those it depends on; equal to program order
  /// where that is one.
  SmallVector<const FusionUnit *> getOrder() const;

  /// How many units are not empty.
  size_t getNumUnits() const;

  /// The values of members that are used outside of the unit: the results of its group.
  SmallVector<Value> getResults(const FusionUnit &unit) const;

private:
  /// Where an operation is computed in a unit, and whether it is computed once per element there.
  struct Place {
    unsigned unit;
    bool once;
  };

  const NestFacts &getFacts(Operation *op) const { return *facts.at(op); }
  bool hasRoom(const FusionUnit &unit) const {
    return maxSize == 0 || unit.members.size() + unit.copies.size() < maxSize;
  }
  void joinOperands(Operation *op);
  /// Whether `op` may be computed behind the results of `unit`; if not, says why in `reason`.
  bool canJoin(Operation *op, unsigned unit, std::string &reason) const;
  /// Whether anything in unit `from` depends on unit `on`.
  bool dependsOn(unsigned from, unsigned on) const;
  void absorb(Operation *op);
  /// Whether some unit computes `op` and yields the result.
  bool isMember(Operation *op) const { return unitOf.contains(op); }
  void decline(Operation *op, const Twine &reason) const;

  unsigned maxSize;
  SmallVector<FusionUnit> units;
  llvm::DenseMap<Operation *, unsigned> unitOf;
  llvm::DenseMap<Operation *, unsigned> position;
  llvm::DenseMap<Operation *, std::unique_ptr<NestFacts>> facts;
  llvm::DenseMap<Operation *, SmallVector<Place, 2>> places;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_TRANSFORMS_FUSION_PLAN_H
