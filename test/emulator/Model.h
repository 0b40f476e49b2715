// Model mode: what the accesses to memory of each instruction cost. A warp's accesses by one
// instruction are taken together when each lane executes it for the n-th time, so lanes that skip
// an iteration shift the count by one; kernels whose lanes differ in that are modelled roughly.
//
// Global memory: sectors of 32 bytes touched, against those that the bytes would fill if they lay
// side by side. Shared memory: passes through the 32 banks of 4 bytes (wider accesses go in
// quarters or halves of a warp), against those without a conflict.
#ifndef CNNC_TEST_EMULATOR_MODEL_H
#define CNNC_TEST_EMULATOR_MODEL_H

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace cnn::emulator {

struct Program;
struct Thread;

class Model {
public:
  void access(Thread &thread, char *address, uint64_t bytes, unsigned site);
  /// A cp.async writes shared memory at `site` and reads global memory at the next.
  void copy(Thread &thread, char *destination, char *source, unsigned bytes, unsigned sourceBytes,
            unsigned site);
  void startLaunch(const Program &program);
  void endBlock();

  /// Appends to a file, per kernel and kind of memory, and per instruction that is above its
  /// ideal: "<kernel> <global|shared> <load|store> requests N units N ideal N ratio R [text]".
  bool write(const std::string &path) const;

private:
  struct Count {
    bool shared = false, store = false;
    uint64_t requests = 0, units = 0, ideal = 0;
    std::string kernel, text;
  };
  struct Request {
    unsigned bytes = 0;
    bool shared = false;
    std::vector<uint64_t> addresses;
  };
  void finish(unsigned site, const Request &request);

  const Program *program = nullptr;
  std::unordered_map<uint64_t, Request> open;
  std::map<std::pair<const Program *, unsigned>, Count> counts;
};

} // namespace cnn::emulator

#endif
