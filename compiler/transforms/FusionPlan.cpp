// Decides which operations form a group, from their nests alone:
//
//   prologue (pointwise) -> anchor (reduction, window, scatter) -> epilogue (pointwise)
//                                                               -> pooling -> epilogue

#include "compiler/transforms/FusionPlan.h"
#include "compiler/transforms/LayerName.h"
#include "dialect/Recompute.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"

#include <queue>

using namespace mlir;
using namespace mlir::cnn;

FusionPlan::FusionPlan(Block &block, unsigned maxSize) : maxSize(maxSize) {
  for (Operation &op : block) {
    position[&op] = position.size();
    if (auto nest = dyn_cast<NestOpInterface>(op))
      facts[&op] = std::make_unique<NestFacts>(nest);
  }
  for (Operation &op : block)
    joinOperands(&op);
  for (auto [index, unit] : llvm::enumerate(units))
    for (Operation *op : unit.members)
      places[op] = {{static_cast<unsigned>(index), true}};
  if (maxSize != 1)
    for (Operation &op : llvm::reverse(block))
      if (facts.contains(&op))
        absorb(&op);
}

void FusionPlan::decline(Operation *op, const Twine &reason) const {
  remark::missed(op->getLoc(), remark::RemarkOpts::name("NotFused").category("cnn-fuse"))
      << (getLayerName(op) + " (" + op->getName().getStringRef() + "): " + reason).str();
}

//===--------------------------------------------------------------------------------------------===//
// Epilogues and poolings
//===--------------------------------------------------------------------------------------------===//

void FusionPlan::joinOperands(Operation *op) {
  bool isNest = facts.contains(op);
  bool mayJoin =
      isNest && (getFacts(op).tilesOperand || (getFacts(op).pointwise && !getFacts(op).generates));
  // The units of the operands: those with an anchor first, later ones first.
  SmallVector<unsigned> candidates;
  if (mayJoin)
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp(); source && facts.contains(source))
        if (unsigned unit = unitOf.at(source); !llvm::is_contained(candidates, unit))
          candidates.push_back(unit);
  llvm::sort(candidates, [&](unsigned a, unsigned b) {
    return std::make_pair(units[a].anchor != nullptr, a) >
           std::make_pair(units[b].anchor != nullptr, b);
  });
  std::string reason;
  for (unsigned candidate : candidates) {
    if (!canJoin(op, candidate, reason))
      continue;
    units[candidate].members.push_back(op);
    if (!getFacts(op).pointwise)
      units[candidate].pool = op;
    unitOf[op] = candidate;
    return;
  }
  if (!reason.empty())
    decline(op, reason);
  FusionUnit unit;
  unit.members = {op};
  unit.isGroup = isNest;
  if (isNest && !getFacts(op).pointwise)
    unit.anchor = op;
  unitOf[op] = units.size();
  units.push_back(std::move(unit));
}

bool FusionPlan::canJoin(Operation *op, unsigned index, std::string &reason) const {
  const FusionUnit &unit = units[index];
  const NestFacts &own = getFacts(op);
  auto name = [](Operation *other) { return "'" + getLayerName(other) + "'"; };
  if (!hasRoom(unit)) {
    reason = "the group of " + name(unit.members[0]) + " is full";
    return false;
  }
  // What is computed again would be kept, if it were computed with what it repeats.
  if (op->hasAttr(recomputedAttr) && !unit.members[0]->hasAttr(recomputedAttr))
    return false;
  if (unit.anchor && getFacts(unit.anchor).scatters) {
    reason = "the results of " + name(unit.anchor) + " are complete only after all of its points";
    return false;
  }
  if (!unit.anchor && getFacts(unit.members[0]).generates)
    return false; // rather computed in here
  if (!own.pointwise && (!unit.anchor || !getFacts(unit.anchor).reduces || unit.pool)) {
    if (unit.anchor)
      reason = "the group of " + name(unit.anchor) + " takes no (further) pooling";
    return false;
  }
  // Operands out of the unit are read where they are computed; in the shape that comes behind a
  // pooling or in the one before, not in both.
  bool before = false, behind = false;
  for (auto [number, operand] : llvm::enumerate(op->getOperands())) {
    Operation *source = operand.getDefiningOp();
    if (!source)
      continue;
    unsigned from = unitOf.at(source);
    if (from != index) {
      if (dependsOn(from, index)) {
        reason = "its operand of " + name(source) + " depends on the group of " +
                 name(unit.anchor ? unit.anchor : unit.members[0]);
        return false;
      }
      continue;
    }
    if (own.pointwise && !own.readsSamePoint[number]) {
      reason = "it repeats the result of " + name(source);
      return false;
    }
    bool pooled = unit.pool &&
                  (source == unit.pool ||
                   getTensor(operand).getShape() == getTensor(unit.pool->getResult(0)).getShape());
    (pooled ? behind : before) = true;
  }
  return !(before && behind);
}

bool FusionPlan::dependsOn(unsigned from, unsigned on) const {
  unsigned first = position.at(units[on].members.front());
  SmallVector<unsigned> pending = {from};
  llvm::DenseSet<unsigned> seen = {from};
  while (!pending.empty()) {
    unsigned unit = pending.pop_back_val();
    if (unit == on)
      return true;
    for (Operation *op : units[unit].members)
      for (Value operand : op->getOperands()) {
        Operation *source = operand.getDefiningOp();
        if (!source)
          continue;
        unsigned next = unitOf.at(source);
        // What stands before all of `on` cannot depend on it.
        if (position.at(units[next].members.back()) >= first && seen.insert(next).second)
          pending.push_back(next);
      }
  }
  return false;
}

//===--------------------------------------------------------------------------------------------===//
// Prologues
//===--------------------------------------------------------------------------------------------===//

void FusionPlan::absorb(Operation *op) {
  const NestFacts &own = getFacts(op);
  unsigned home = unitOf.at(op);
  if (!own.pointwise || units[home].anchor)
    return;
  // Where the operation would be computed, if not at home.
  SmallVector<Place, 2> users;
  bool usedAtHome = false, stored = false;
  for (OpOperand &use : op->getUses()) {
    Operation *user = use.getOwner();
    if (!facts.contains(user)) {
      stored = true;
      continue;
    }
    const NestFacts &reader = getFacts(user);
    unsigned number = use.getOperandNumber();
    bool once = reader.pointwise
                    ? reader.readsSamePoint[number]
                    : reader.readsOnce[number] || (own.streams && reader.readsFew[number]);
    for (Place place : places.at(user)) {
      if (place.unit == home) {
        usedAtHome = true;
        continue;
      }
      auto known = llvm::find_if(users, [&](Place other) { return other.unit == place.unit; });
      if (known == users.end())
        users.push_back({place.unit, once && place.once});
      else
        known->once &= once && place.once;
    }
  }
  if (users.empty())
    return;
  // To compute it again pays where it writes more than it reads, or where its operand is stored
  // anyway.
  bool again = own.generates;
  if (own.streams)
    again |= llvm::none_of(op->getOperands(), [&](Value operand) {
      Operation *source = operand.getDefiningOp();
      return source && source != op && unitOf.at(source) == home;
    });
  bool single = users.size() == 1 && users[0].once && !usedAtHome && !stored;
  if (!again && (!single || stored)) {
    decline(op, users.size() + usedAtHome + stored > 1
                    ? "several groups use it, and it is too dear to be computed in each"
                    : "each element is used several times, and it is too dear for that");
    return;
  }
  for (Place place : users)
    if (!hasRoom(units[place.unit])) {
      decline(op, "the group of '" + getLayerName(units[place.unit].members[0]) + "' is full");
      return;
    }
  SmallVector<Place, 2> &computed = places[op];
  if (!usedAtHome && !stored) {
    computed.clear();
    llvm::erase(units[home].members, op);
  }
  for (Place place : users) {
    units[place.unit].copies.insert(op);
    computed.push_back(place);
  }
}

//===--------------------------------------------------------------------------------------------===//
// The finished plan
//===--------------------------------------------------------------------------------------------===//

SmallVector<Value> FusionPlan::getResults(const FusionUnit &unit) const {
  unsigned index = &unit - units.data();
  SmallVector<Value> results;
  for (Operation *op : unit.members)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            return !facts.contains(user) || llvm::any_of(places.at(user), [&](Place place) {
              return place.unit != index && !units[place.unit].copies.contains(op);
            });
          }))
        results.push_back(result);
  return results;
}

size_t FusionPlan::getNumUnits() const {
  return llvm::count_if(units, [](const FusionUnit &unit) { return !unit.members.empty(); });
}

SmallVector<const FusionUnit *> FusionPlan::getOrder() const {
  // Kahn's algorithm; among the units that are ready, the one whose last member comes first.
  SmallVector<SmallVector<unsigned>> users(units.size());
  SmallVector<unsigned> missing(units.size(), 0);
  for (auto [index, unit] : llvm::enumerate(units)) {
    llvm::DenseSet<unsigned> sources;
    auto visit = [&](Operation *op) {
      for (Value operand : op->getOperands())
        if (Operation *source = operand.getDefiningOp())
          if (unsigned from = unitOf.at(source);
              from != index && !unit.copies.contains(source) && sources.insert(from).second) {
            users[from].push_back(index);
            ++missing[index];
          }
    };
    llvm::for_each(unit.members, visit);
    llvm::for_each(unit.copies, visit);
  }
  using Ready = std::pair<unsigned, unsigned>; // position, unit
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
  auto push = [&](unsigned unit) {
    // A unit whose members all moved away is empty, and nothing waits for it.
    ready.push({units[unit].members.empty() ? 0 : position.at(units[unit].members.back()), unit});
  };
  for (unsigned unit = 0; unit < units.size(); ++unit)
    if (missing[unit] == 0)
      push(unit);
  SmallVector<const FusionUnit *> order;
  while (!ready.empty()) {
    unsigned unit = ready.top().second;
    ready.pop();
    if (!units[unit].members.empty())
      order.push_back(&units[unit]);
    for (unsigned user : users[unit])
      if (--missing[user] == 0)
        push(user);
  }
  return order;
}
