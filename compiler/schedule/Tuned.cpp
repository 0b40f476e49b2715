//===- Tuned.cpp - What was measured for the groups of an entry point ------------------------===//

#include "compiler/schedule/Tuned.h"
#include "compiler/schedule/Overrides.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <algorithm>

using namespace mlir;
using namespace mlir::cnn;

StringRef TunedChoice::getAlgorithm() const {
  StringRef first = StringRef(choice).split(';').first;
  return first.contains(':') ? StringRef() : first;
}

std::optional<SmallVector<int64_t>> TunedChoice::getNumbers(StringRef key, size_t count) const {
  SmallVector<StringRef> parts;
  StringRef(choice).split(parts, ';', -1, false);
  for (StringRef part : parts) {
    if (!part.consume_front(key) || !part.consume_front(":"))
      continue;
    FailureOr<SmallVector<int64_t>> numbers = parseNumbers(part);
    if (succeeded(numbers) && numbers->size() == count &&
        llvm::all_of(*numbers, [](int64_t number) { return number >= 1; }))
      return *numbers;
  }
  return std::nullopt;
}

static std::optional<TunedChoice> find(GroupOp group, StringRef kind, StringRef name) {
  auto entry = group->getParentOfType<func::FuncOp>();
  auto tuned = entry ? entry->getAttrOfType<DictionaryAttr>(tunedAttr) : DictionaryAttr();
  auto choices = tuned ? tuned.getAs<DictionaryAttr>(kind) : DictionaryAttr();
  auto pair = choices ? choices.getAs<ArrayAttr>(name) : ArrayAttr();
  if (!pair || pair.size() != 2)
    return std::nullopt;
  auto choice = dyn_cast<StringAttr>(pair[0]), reason = dyn_cast<StringAttr>(pair[1]);
  if (!choice || !reason)
    return std::nullopt;
  return TunedChoice{choice.str(), reason.str()};
}

std::optional<TunedChoice> mlir::cnn::getTunedAlgorithm(GroupOp group) {
  std::string repeated = getRepeatedName(group);
  StringRef name = repeated;
  name.consume_back(".slices");
  return find(group, tunedAlgorithms, name);
}

std::optional<TunedChoice> mlir::cnn::getTunedSchedule(GroupOp group) {
  return find(group, tunedSchedules, getRepeatedName(group));
}

SmallVector<NestSchedule> mlir::cnn::getAlternatives(const ScheduleSpace &space,
                                                     const NestSchedule &best, unsigned count) {
  const Nest &nest = space.getInfo().nest;
  MLIRContext *context = space.getInfo().anchor->getContext();
  ScopedDiagnosticHandler silence(context, [](Diagnostic &) { return success(); });
  Location nowhere = UnknownLoc::get(context);
  struct Priced {
    NestSchedule schedule;
    double cycles;
  };
  std::vector<Priced> found;
  auto consider = [&](const NestSchedule &schedule) {
    auto isSame = [&](const NestSchedule &other) { return other.tile == schedule.tile; };
    if (isSame(best) ||
        llvm::any_of(found, [&](const Priced &other) { return isSame(other.schedule); }) ||
        failed(space.verify(schedule, [&]() { return mlir::emitError(nowhere); })))
      return;
    double cycles = space.getCycles(schedule);
    if (cycles < 2 * space.getCycles(best))
      found.push_back({schedule, cycles});
  };
  // One dimension of the tile longer or shorter, alone or in exchange for another.
  auto forEachMove = [&](int64_t dim, NestSchedule schedule, auto &&visit) {
    int64_t before = schedule.tile[dim];
    for (int64_t after : {before * 2, before / 2, before + 1, before - 1})
      if (after >= 1 && after != before && (after != before + 1 || before > 1)) {
        schedule.tile[dim] = after;
        visit(schedule);
      }
  };
  for (int64_t dim = 0; dim < static_cast<int64_t>(nest.getNumDims()); ++dim)
    forEachMove(dim, best, [&](const NestSchedule &first) {
      consider(first);
      for (int64_t other = dim + 1; other < static_cast<int64_t>(nest.getNumDims()); ++other)
        forEachMove(other, first, consider);
    });
  std::sort(found.begin(), found.end(),
            [](const Priced &left, const Priced &right) { return left.cycles < right.cycles; });
  SmallVector<NestSchedule> result;
  for (const Priced &priced : found)
    if (result.size() < count)
      result.push_back(priced.schedule);
  return result;
}
