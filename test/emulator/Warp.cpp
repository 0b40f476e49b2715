// Operations of a warp: its lanes are gathered, and the last one to come computes for all.
#include "test/emulator/Runtime.h"

#include "test/emulator/Checker.h"

namespace cnn::emulator {

void Block::gather(LaneData &data, uint32_t mask, unsigned siteNumber,
                   void (*compute)(Collective &, int), int argument) {
  Thread &thread = *data.thread;
  Warp &warp = warpOf(thread);
  unsigned lane = thread.lane();
  if (!(mask >> lane & 1))
    fail(thread, LaunchFailed, "a warp operation whose mask leaves out the thread itself",
         siteNumber);
  size_t number = 0;
  while (number < warp.open.size() && warp.open[number].mask != mask)
    ++number;
  if (number == warp.open.size()) {
    warp.open.emplace_back();
    warp.open[number].mask = mask;
    warp.open[number].site = siteNumber;
  }
  Collective &collective = warp.open[number];
  if (options.checker && collective.site != siteNumber)
    fail(thread, LaunchFailed,
         "divergent warp operation: other lanes wait at " + site(collective.site).text, siteNumber);
  collective.arrived |= 1u << lane;
  collective.lanes[lane] = &data;
  thread.state = Thread::AtWarpOperation;
  if ((collective.arrived & warp.live) == (mask & warp.live))
    complete(warp, number, compute, argument);
  cnnEmulatorSwitch(&thread.stackPointer, scheduler);
}

void Block::complete(Warp &warp, size_t number, void (*compute)(Collective &, int), int argument) {
  Collective collective = warp.open[number];
  warp.open.erase(warp.open.begin() + number);
  compute(collective, argument);
  for (LaneData *data : collective.lanes)
    if (data)
      ready.push_back(data->thread);
}

namespace {

/// What PTX says of shfl.sync: the source lane and whether it is in range.
unsigned sourceLane(Shuffle mode, unsigned lane, uint32_t b, uint32_t c, bool &valid) {
  unsigned clamp = c & 31, segment = c >> 8 & 31;
  unsigned highest = (lane & segment) | (clamp & ~segment), lowest = lane & segment;
  unsigned offset = b & 31;
  int source = lane;
  switch (mode) {
  case Shuffle::Up:
    source = int(lane) - int(offset);
    valid = source >= int(highest);
    break;
  case Shuffle::Down:
    source = lane + offset;
    valid = source <= int(highest);
    break;
  case Shuffle::Butterfly:
    source = lane ^ offset;
    valid = source <= int(highest);
    break;
  case Shuffle::Index:
    source = lowest | (offset & ~segment);
    valid = source <= int(highest);
    break;
  }
  return valid ? source : lane;
}

void shuffle(Collective &collective, int mode) {
  for (unsigned lane = 0; lane < 32; ++lane) {
    LaneData *data = collective.lanes[lane];
    if (!data)
      continue;
    bool valid = false;
    unsigned source = sourceLane(Shuffle(mode), lane, data->in[1], data->in[2], valid);
    LaneData *from = collective.lanes[source];
    data->out[0] = from ? from->in[0] : 0xdeadbeef;
    data->out[1] = valid;
    data->out[2] = from != nullptr;
  }
}

void vote(Collective &collective, int operation) {
  uint32_t ballot = 0;
  for (unsigned lane = 0; lane < 32; ++lane)
    if (collective.lanes[lane] && (collective.lanes[lane]->in[0] & 1))
      ballot |= 1u << lane;
  uint32_t result = ballot;
  if (Vote(operation) == Vote::All)
    result = ballot == collective.arrived;
  else if (Vote(operation) == Vote::Any)
    result = ballot != 0;
  else if (Vote(operation) == Vote::Uniform)
    result = ballot == 0 || ballot == collective.arrived;
  for (LaneData *data : collective.lanes)
    if (data)
      data->out[0] = result;
}

uint32_t combine(Reduce operation, uint32_t a, uint32_t b) {
  switch (operation) {
  case Reduce::Add:
    return a + b;
  case Reduce::Min:
    return std::min(int32_t(a), int32_t(b));
  case Reduce::Max:
    return std::max(int32_t(a), int32_t(b));
  case Reduce::UMin:
    return std::min(a, b);
  case Reduce::UMax:
    return std::max(a, b);
  case Reduce::And:
    return a & b;
  case Reduce::Or:
    return a | b;
  case Reduce::Xor:
    return a ^ b;
  }
  return 0;
}

void reduce(Collective &collective, int operation) {
  uint32_t result = 0;
  bool first = true;
  for (LaneData *data : collective.lanes)
    if (data) {
      result = first ? data->in[0] : combine(Reduce(operation), result, data->in[0]);
      first = false;
    }
  for (LaneData *data : collective.lanes)
    if (data)
      data->out[0] = result;
}

/// Orders the memory accesses of the lanes, when all of the warp take part.
void synchronize(Collective &collective, int) {
  for (LaneData *data : collective.lanes)
    if (data) {
      Warp &warp = data->thread->block->warpOf(*data->thread);
      if ((collective.arrived & warp.live) == warp.live)
        ++warp.epoch;
      return;
    }
}

LaneData laneData(Thread *thread) {
  LaneData data{};
  data.thread = thread;
  return data;
}

} // namespace

extern "C" {

void cnnEmulatorSyncWarp(Thread *thread, uint32_t mask, uint32_t site) {
  LaneData data = laneData(thread);
  thread->block->gather(data, mask, site, synchronize, 0);
}

uint32_t cnnEmulatorShuffle(Thread *thread, uint32_t mode, uint32_t mask, uint32_t value,
                            uint32_t lane, uint32_t clamp, uint32_t *valid, uint32_t site) {
  LaneData data = laneData(thread);
  data.in[0] = value;
  data.in[1] = lane;
  data.in[2] = clamp;
  thread->block->gather(data, mask, site, shuffle, mode);
  if (thread->block->options.checker && !data.out[2])
    thread->block->fail(*thread, LaunchFailed, "a shuffle from a lane that does not take part",
                        site);
  *valid = data.out[1];
  return data.out[0];
}

uint32_t cnnEmulatorVote(Thread *thread, uint32_t operation, uint32_t mask, uint32_t predicate,
                         uint32_t site) {
  LaneData data = laneData(thread);
  data.in[0] = predicate;
  thread->block->gather(data, mask, site, vote, operation);
  return data.out[0];
}

uint32_t cnnEmulatorReduce(Thread *thread, uint32_t operation, uint32_t mask, uint32_t value,
                           uint32_t site) {
  LaneData data = laneData(thread);
  data.in[0] = value;
  thread->block->gather(data, mask, site, reduce, operation);
  return data.out[0];
}

} // extern "C"

} // namespace cnn::emulator
