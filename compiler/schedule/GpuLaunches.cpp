//===- GpuLaunches.cpp - Which groups one launch computes on a GPU ---------------------------===//

#include "compiler/schedule/GpuLaunches.h"
#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/Stages.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::cnn;

/// A block computes that many points in the time of a launch or less.
static constexpr int64_t mostPointsInTurn = 8192;
/// Kernels take at least 4 KB of arguments on every GPU; this is an eighth of that.
static constexpr size_t mostArguments = 64;

SmallVector<GroupOp> GpuLaunch::getGroups() const {
  SmallVector<GroupOp> groups;
  for (ArrayRef<GroupOp> step : steps)
    llvm::append_range(groups, step);
  return groups;
}

namespace {

/// A group and how its schedule computes it.
struct Member {
  GroupOp group;
  GpuSchedule schedule;
  /// Elements times points of each.
  int64_t points;
  int64_t stage;

  bool isProduct() const { return schedule.algorithm == "contraction"; }
  bool isSmall() const { return !isProduct() && points <= mostPointsInTurn; }
  size_t getNumArguments() { return group.getInputs().size() + group.getNumResults(); }
};

class Gatherer {
public:
  LogicalResult read(func::FuncOp entry, bool together);
  std::vector<GpuLaunch> gather();
  std::vector<GpuLaunch> separate();

private:
  FailureOr<Member> readGroup(GroupOp group);
  bool mayWait(GroupOp group);
  void addSideBySide(std::vector<GpuLaunch> &launches, SmallVectorImpl<Member *> &members);

  std::vector<Member> members;
  int64_t numStages = 0;
};

FailureOr<Member> Gatherer::readGroup(GroupOp group) {
  auto fail = [&]() -> InFlightDiagnostic {
    return group.emitError() << "group '" << group.getName() << "': ";
  };
  if (!group.getGpuSchedule())
    return group.emitError() << "group '" << group.getName() << "' has no schedule for a GPU";
  FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(group);
  GpuSchedule schedule = GpuSchedule::get(group.getGpuSchedule());
  if (failed(space) || failed(space->verify(schedule, fail)))
    return failure();
  return Member{group, schedule, llvm::product_of(space->getInfo().nest.sizes), 0};
}

/// Whether nothing but the outside reads what the group gives, and what it reads stays in memory.
bool Gatherer::mayWait(GroupOp group) {
  auto isOutside = [](Operation *user) { return isa<WriteOp, func::ReturnOp>(user); };
  for (Value result : group.getResults()) {
    if (!llvm::all_of(getReaders(result), isOutside))
      return false;
  }
  for (Value input : group.getInputs()) {
    Value owner = getOwner(input);
    if (owner.getDefiningOp<GroupOp>() && llvm::none_of(owner.getUsers(), isOutside))
      return false;
  }
  return true;
}

LogicalResult Gatherer::read(func::FuncOp entry, bool together) {
  GroupStages stages = getStages(entry, /*stateWaits=*/false);
  for (auto group : entry.getOps<GroupOp>()) {
    FailureOr<Member> member = readGroup(group);
    if (failed(member))
      return failure();
    member->stage = stages.at(group);
    numStages = std::max(numStages, member->stage + 1);
    members.push_back(*member);
  }
  for (Member &member : members)
    if (together && !member.isProduct() && mayWait(member.group))
      member.stage = numStages - 1;
  return success();
}

std::vector<GpuLaunch> Gatherer::separate() {
  std::vector<GpuLaunch> launches;
  for (int64_t stage = 0; stage < numStages; ++stage)
    for (Member &member : members)
      if (member.stage == stage)
        launches.emplace_back().steps.push_back({member.group});
  return launches;
}

/// One launch for all of `members` that have blocks of one size, and not too many arguments.
void Gatherer::addSideBySide(std::vector<GpuLaunch> &launches, SmallVectorImpl<Member *> &members) {
  llvm::MapVector<int64_t, std::pair<size_t, size_t>> open; // block: launch, arguments
  for (Member *member : members) {
    size_t arguments = member->getNumArguments();
    auto found = open.find(member->schedule.block);
    if (found == open.end() || found->second.second + arguments > mostArguments) {
      open[member->schedule.block] = {launches.size(), arguments};
      launches.emplace_back().steps.push_back({member->group});
      continue;
    }
    found->second.second += arguments;
    launches[found->second.first].steps.front().push_back(member->group);
  }
}

std::vector<GpuLaunch> Gatherer::gather() {
  std::vector<GpuLaunch> launches;
  // The block and arguments of the last launch where it is one of small groups, which may go on.
  int64_t block = 0;
  size_t arguments = 0;
  for (int64_t stage = 0; stage < numStages; ++stage) {
    SmallVector<Member *> products, others;
    size_t more = 0;
    for (Member &member : members)
      if (member.stage == stage) {
        (member.isProduct() ? products : others).push_back(&member);
        more += member.getNumArguments();
      }
    bool small =
        products.empty() && !others.empty() && llvm::all_of(others, [&](Member *member) {
          return member->isSmall() && member->schedule.block == others.front()->schedule.block;
        });
    if (small && block == others.front()->schedule.block && arguments + more <= mostArguments) {
      launches.back().steps.emplace_back();
      for (Member *member : others)
        launches.back().steps.back().push_back(member->group);
      arguments += more;
      continue;
    }
    for (Member *member : products)
      launches.emplace_back().steps.push_back({member->group});
    size_t before = launches.size();
    addSideBySide(launches, others);
    block = small && launches.size() == before + 1 ? others.front()->schedule.block : 0;
    arguments = more;
  }
  return launches;
}

} // namespace

FailureOr<std::vector<GpuLaunch>> mlir::cnn::gatherGpuLaunches(func::FuncOp entry, bool together) {
  Gatherer gatherer;
  if (failed(gatherer.read(entry, together)))
    return failure();
  return together ? gatherer.gather() : gatherer.separate();
}
