// Checked mode: the shadow of memory, and where an address may lie.
#include "test/emulator/Checker.h"
#include "test/emulator/Block.h"

#include <algorithm>
#include <cstring>

namespace cnn::emulator {

namespace {
std::string number(uint64_t value) { return std::to_string(value); }
} // namespace

std::string Checker::startLaunch(const Launch &launch) {
  accesses = {};
  global.clear();
  recent.fill({~uint64_t(0), nullptr});
  const auto &parameters = launch.kernel->parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Parameter &parameter = parameters[i];
    if (!parameter.pointer)
      continue;
    std::string name = "argument " + number(i) + " of kernel '" + launch.kernel->name + "'";
    uint64_t address = launch.arguments[i];
    if (parameter.alignment && address % parameter.alignment != 0)
      return name + " is not aligned to " + number(parameter.alignment) + " bytes";
    if (!memory.find(address, std::max<uint64_t>(parameter.extent, 1)))
      return name + " does not point to " + number(parameter.extent) + " bytes of device memory";
    for (size_t j = 0; j < parameters.size(); ++j) {
      // noalias is wrong when the memory is written through either of the two.
      const Parameter &other = parameters[j];
      bool overlap = i != j && other.pointer && address < launch.arguments[j] + other.extent &&
                     launch.arguments[j] < address + parameter.extent;
      if (overlap && parameter.noAlias && !(parameter.readOnly && other.readOnly))
        return name + " is noalias, but overlaps argument " + number(j);
    }
  }
  return {};
}

void Checker::startBlock(Block &block) { shared.assign(block.sharedBytes, Byte()); }

Checker::Where Checker::sharedObject(Thread &thread, unsigned index) {
  Block &block = *thread.block;
  const SharedVariable &variable = block.launch.program->sharedVariables[index];
  if (variable.dynamic)
    return {Base::Shared, index, block.shared + block.launch.kernel->sharedBytes,
            block.launch.dynamicShared};
  return {Base::Shared, index, block.shared + variable.offset, variable.bytes};
}

Checker::Where Checker::argumentObject(Thread &thread, unsigned index) {
  const Launch &launch = thread.block->launch;
  const Parameter &parameter = launch.kernel->parameters[index];
  uint64_t begin = launch.arguments[index];
  Where where{Base::Argument,
              index,
              reinterpret_cast<char *>(begin),
              parameter.extent,
              parameter.readOnly,
              parameter.readOnly && parameter.noAlias};
  if (parameter.pointer && parameter.extent == 0)
    // No extent promised: the whole allocation.
    if (Allocation *allocation = memory.find(begin, 1)) {
      where.begin = allocation->data;
      where.bytes = allocation->bytes;
    }
  return where;
}

Checker::Where Checker::globalObject(const Program &program, unsigned index) {
  const GlobalVariable &variable = program.globals[index];
  return {Base::Global, index, variable.data, variable.bytes, variable.constant};
}

Checker::Where Checker::locate(Thread &thread, char *address, const Site &site) {
  Block &block = *thread.block;
  const Program &program = *block.launch.program;
  if (site.base.kind == Base::Shared)
    return sharedObject(thread, site.base.index);
  if (site.base.kind == Base::Argument)
    return argumentObject(thread, site.base.index);
  if (site.base.kind == Base::Global)
    return globalObject(program, site.base.index);
  for (unsigned i = 0; i < block.launch.kernel->shared.size(); ++i)
    if (Where where = sharedObject(thread, block.launch.kernel->shared[i]); where.holds(address, 1))
      return where;
  for (unsigned i = 0; i < program.globals.size(); ++i)
    if (Where where = globalObject(program, i); where.holds(address, 1))
      return where;
  // A result may lie where an input does, which is never stored to by its own name.
  Where found;
  for (unsigned i = 0; i < block.launch.arguments.size(); ++i)
    if (Where where = argumentObject(thread, i); where.holds(address, 1)) {
      if (!where.readOnly)
        return where;
      if (found.kind == Base::Unknown)
        found = where;
    }
  return found;
}

std::string Checker::describe(const Program &program, const Where &where, const char *address) {
  std::string offset = "offset " + std::to_string(address - where.begin) + " of ";
  switch (where.kind) {
  case Base::Shared:
    return offset + "shared memory '" + program.sharedVariables[where.index].name + "'";
  case Base::Argument:
    return offset + "argument " + number(where.index);
  case Base::Global:
    return offset + "global '" + program.globals[where.index].name + "'";
  case Base::Unknown:
    break;
  }
  return "memory of no argument";
}

void Checker::access(Thread &thread, char *address, uint64_t bytes, unsigned siteNumber) {
  Block &block = *thread.block;
  if (block.stacks.contains(address))
    return;
  const Site &site = block.site(siteNumber);
  Where where = locate(thread, address, site);
  auto report = [&](Result code, const std::string &what) {
    const char *kind = site.kind == Site::Load    ? "a load of "
                       : site.kind == Site::Store ? "a store of "
                                                  : "an atomic access of ";
    block.fail(thread, code,
               kind + number(bytes) + " bytes " + what + ": " +
                   describe(*block.launch.program, where, address) + ", which has " +
                   number(where.bytes) + " bytes",
               siteNumber);
  };
  if (!where.holds(address, bytes))
    report(IllegalAddress, "out of bounds");
  if (uintptr_t(address) % site.alignment != 0)
    report(MisalignedAddress, "not aligned to " + number(site.alignment) + " bytes");
  if (where.readOnly && site.kind != Site::Load)
    report(IllegalAddress, "to read-only memory");
  count(thread, where, address, bytes, site.kind);
  touch(thread, address, bytes, site.kind, false, where, siteNumber);
}

void Checker::count(const Thread &thread, const Where &where, const char *address, uint64_t bytes,
                    Site::Kind kind) {
  // Variables of a kernel have no numbers or addresses that another program with it has, too.
  bool isFixed = where.kind == Base::Argument;
  const uint64_t parts[] = {thread.block->linear,
                            thread.linear,
                            uint64_t(kind),
                            bytes,
                            uint64_t(where.kind),
                            isFixed ? 0 : where.bytes,
                            isFixed ? uint64_t(address) : uint64_t(address - where.begin)};
  uint64_t hash = 0;
  for (uint64_t part : parts) {
    hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
  }
  ++accesses.count;
  accesses.sum += hash;
}

Checker::Mark Checker::markOf(Thread &thread) const {
  Block &block = *thread.block;
  return {int32_t(thread.linear),
          int32_t(thread.warp()),
          block.linear,
          block.epoch,
          block.warpOf(thread).epoch,
          false};
}

bool Checker::ordered(const Mark &before, const Mark &now) {
  if (before.thread == nobody)
    return true;
  if (before.block != now.block)
    return false;
  if (before.thread == now.thread || before.epoch != now.epoch)
    return true;
  return before.thread != manyWarps && before.warp == now.warp && before.warpEpoch != now.warpEpoch;
}

void Checker::merge(Mark &readers, const Mark &now) {
  if (readers.thread == nobody) {
    readers = now;
    return;
  }
  int64_t block = readers.block == now.block ? now.block : -1;
  bool before = readers.block == now.block && ordered(readers, now);
  if (before || readers.thread == now.thread)
    readers = now;
  else
    readers.thread = readers.warp == now.warp ? manyOfWarp : manyWarps;
  readers.block = block;
  readers.epoch = now.epoch;
  readers.warpEpoch = now.warpEpoch;
}

Checker::Byte *Checker::bytesOf(const Where &where, Thread &thread, char *address,
                                uint64_t &count) {
  if (where.kind == Base::Shared)
    return &shared[address - thread.block->shared];
  constexpr uint64_t size = std::tuple_size<Page>();
  uint64_t number = uint64_t(address) / size, offset = uint64_t(address) % size;
  count = std::min(count, size - offset);
  auto &[known, page] = recent[number % recent.size()];
  if (known != number) {
    auto &owned = global[number];
    if (!owned)
      owned = std::make_unique<Page>();
    known = number;
    page = owned.get();
  }
  return page->data() + offset;
}

void Checker::touch(Thread &thread, char *address, uint64_t bytes, Site::Kind kind, bool completes,
                    const Where &where, unsigned site) {
  Block &block = *thread.block;
  Mark now = markOf(thread);
  now.atomic = kind == Site::Atomic;
  Allocation *allocation =
      where.kind == Base::Argument ? memory.find(uint64_t(address), bytes) : nullptr;
  if (allocation && allocation->written.empty())
    allocation = nullptr;
  if (where.constant && kind == Site::Load &&
      (!allocation || !std::memchr(&allocation->written[address - allocation->data], 0, bytes)))
    return;
  auto report = [&](char *byte, const std::string &what, const Mark *other) {
    std::string text = what + ": " + describe(*block.launch.program, where, byte);
    if (other && other->thread >= 0)
      text += ", other thread " + number(other->thread) + " of block " + number(other->block);
    block.fail(thread, LaunchFailed, text, site);
  };
  Byte *shadow = nullptr;
  uint64_t left = 0; // bytes of the shadow that lie side by side
  for (char *at = address; at != address + bytes; ++at, ++shadow, --left) {
    if (left == 0) {
      left = address + bytes - at;
      shadow = bytesOf(where, thread, at, left);
    }
    Byte &byte = *shadow;
    if (byte.copying && !completes)
      report(at,
             kind == Site::Load ? "read of memory that a cp.async is writing (missing wait)"
                                : "write to memory that a cp.async is writing (missing wait)",
             nullptr);
    if (!ordered(byte.write, now) && !(now.atomic && byte.write.atomic))
      report(at, kind == Site::Load ? "race: read after write" : "race: write after write",
             &byte.write);
    if (kind == Site::Load) {
      bool written = where.kind == Base::Shared ? byte.written
                     : allocation               ? allocation->written[at - allocation->data]
                                                : true;
      if (!written)
        report(at, "read of memory that was never written", nullptr);
      merge(byte.read, now);
      continue;
    }
    if (!ordered(byte.read, now))
      report(at, "race: write after read", &byte.read);
    byte.write = now;
    byte.written = true;
    if (allocation)
      allocation->written[at - allocation->data] = 1;
  }
}

void Checker::setCopying(Thread &thread, char *address, unsigned bytes, const Where &where,
                         bool copying) {
  for (unsigned i = 0; i < bytes; ++i) {
    uint64_t one = 1;
    bytesOf(where, thread, address + i, one)->copying = copying;
  }
}

void Checker::startCopy(Thread &thread, char *destination, char *source, unsigned bytes,
                        unsigned sourceBytes, unsigned site) {
  Block &block = *thread.block;
  if (sourceBytes != 0)
    access(thread, source, sourceBytes, site + 1);
  access(thread, destination, bytes, site);
  Where where = locate(thread, destination, block.site(site));
  setCopying(thread, destination, bytes, where, true);
}

void Checker::finishCopy(Thread &thread, char *destination, unsigned bytes, unsigned site) {
  Where where = locate(thread, destination, thread.block->site(site));
  touch(thread, destination, bytes, Site::Store, true, where, site);
  setCopying(thread, destination, bytes, where, false);
}

} // namespace cnn::emulator
