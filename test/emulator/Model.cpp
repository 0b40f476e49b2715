// Model mode: sectors and bank conflicts.
#include "test/emulator/Model.h"
#include "test/emulator/Block.h"
#include "test/emulator/Program.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

namespace cnn::emulator {

namespace {

/// Passes of one part of a warp through the banks: the most different words in one bank.
unsigned passes(const std::vector<uint64_t> &addresses, size_t first, size_t last, unsigned bytes) {
  std::array<std::set<uint64_t>, 32> banks;
  for (size_t i = first; i < last; ++i)
    for (uint64_t word = addresses[i] / 4; word <= (addresses[i] + bytes - 1) / 4; ++word)
      banks[word % 32].insert(word);
  size_t most = 1;
  for (const auto &bank : banks)
    most = std::max(most, bank.size());
  return most;
}

uint64_t distinctBytes(std::vector<uint64_t> addresses, unsigned bytes) {
  std::sort(addresses.begin(), addresses.end());
  uint64_t total = 0, end = 0;
  for (uint64_t address : addresses) {
    total += address + bytes - std::max(address, std::min(end, address + bytes));
    end = std::max(end, address + bytes);
  }
  return total;
}

} // namespace

void Model::startLaunch(const Program &of) { program = &of; }

void Model::access(Thread &thread, char *address, uint64_t bytes, unsigned site) {
  Block &block = *thread.block;
  if (thread.executed.size() <= site)
    thread.executed.resize(site + 1);
  uint64_t key = uint64_t(thread.executed[site]++) << 32 | uint64_t(site) << 8 | thread.warp();
  Request &request = open[key];
  request.bytes = bytes;
  request.shared = address >= block.shared && address < block.shared + block.sharedBytes;
  request.addresses.push_back(request.shared ? uint64_t(address - block.shared)
                                             : uint64_t(address));
  if (request.addresses.size() < 32)
    return;
  finish(site, request);
  open.erase(key);
}

void Model::copy(Thread &thread, char *destination, char *source, unsigned bytes,
                 unsigned sourceBytes, unsigned site) {
  access(thread, destination, bytes, site);
  if (sourceBytes != 0)
    access(thread, source, sourceBytes, site + 1);
}

void Model::endBlock() {
  for (auto &[key, request] : open)
    finish(key >> 8 & 0xffffff, request);
  open.clear();
}

void Model::finish(unsigned site, const Request &request) {
  Count &count = counts[{program, site}];
  const Site &where = program->sites[site];
  if (count.requests++ == 0) {
    count.shared = request.shared;
    count.store = where.kind != Site::Load;
    count.kernel = where.kernel;
    count.text = where.text;
  }
  const auto &addresses = request.addresses;
  if (!request.shared) {
    std::set<uint64_t> sectors;
    for (uint64_t address : addresses)
      for (uint64_t sector = address / 32; sector <= (address + request.bytes - 1) / 32; ++sector)
        sectors.insert(sector);
    count.units += sectors.size();
    count.ideal += (distinctBytes(addresses, request.bytes) + 31) / 32;
    return;
  }
  size_t lanes = request.bytes >= 16 ? 8 : request.bytes == 8 ? 16 : 32;
  for (size_t first = 0; first < addresses.size(); first += lanes) {
    count.units +=
        passes(addresses, first, std::min(first + lanes, addresses.size()), request.bytes);
    ++count.ideal;
  }
}

bool Model::write(const std::string &path) const {
  std::FILE *file = std::fopen(path.c_str(), "a");
  if (!file)
    return false;
  auto print = [&](const Count &count, const std::string &text) {
    std::fprintf(file, "%s %s %s requests %llu units %llu ideal %llu ratio %.2f%s%s\n",
                 count.kernel.c_str(), count.shared ? "shared" : "global",
                 count.store ? "store" : "load", (unsigned long long)count.requests,
                 (unsigned long long)count.units, (unsigned long long)count.ideal,
                 double(count.units) / double(count.ideal), text.empty() ? "" : " ", text.c_str());
  };
  std::map<std::string, Count> sums;
  for (const auto &[key, count] : counts) {
    Count &sum = sums[count.kernel + (count.shared ? " shared" : " global") +
                      (count.store ? " store" : " load")];
    sum.kernel = count.kernel;
    sum.shared = count.shared;
    sum.store = count.store;
    sum.requests += count.requests;
    sum.units += count.units;
    sum.ideal += count.ideal;
  }
  for (const auto &[name, sum] : sums)
    print(sum, "");
  for (const auto &[key, count] : counts)
    if (double(count.units) > 1.1 * double(count.ideal))
      print(count, count.text);
  return std::fclose(file) == 0;
}

} // namespace cnn::emulator
