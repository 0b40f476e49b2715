// The one device that the stand-in plays: its settings, memory, queue and modules, and the running
// of launches with the faults that were asked for.
#ifndef CNNC_TEST_EMULATOR_DEVICE_H
#define CNNC_TEST_EMULATOR_DEVICE_H

#include "test/emulator/Block.h"
#include "test/emulator/Checker.h"
#include "test/emulator/Memory.h"
#include "test/emulator/Model.h"
#include "test/emulator/Mutate.h"
#include "test/emulator/Program.h"
#include "test/emulator/Queue.h"
#include "test/emulator/Settings.h"

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cnn::emulator {

struct Module {
  std::unique_ptr<Program> program;
};

/// What cuModuleGetFunction returns.
struct Function {
  Module *module;
  const Kernel *kernel;
  /// CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, as set.
  unsigned maxDynamicShared = 48 << 10;
};

class Device {
public:
  /// The device of this process; reads the environment the first time.
  static Device &get();
  ~Device();

  /// Loads a PTX module; on failure `log` says what the driver's log would.
  Result load(std::string_view ptx, Module *&module, std::string &log);
  Result unload(Module *module);
  /// The function of a kernel; one per name, so that its attributes stay.
  Result function(Module *module, const std::string &name, Function *&function);

  /// Checks a launch against the device's limits and queues it.
  Result launch(Function &function, Launch launch, Stream *stream);

  /// One line in the trace, if there is one.
  void trace(const std::string &line);

  static constexpr unsigned maxSharedPerBlock = 227 << 10;

  Settings settings;
  Memory memory;
  Queue queue;
  std::recursive_mutex mutex;
  bool initialized = false;

private:
  Device();
  Result run(const Launch &launch);
  Result emulate(const Launch &launch, std::string &problem);
  std::string unknownFault() const;
  Result injected(const Launch &launch, bool atLaunch);
  void report(const std::string &message);

  Checker checker{memory};
  Model model;
  Mutation mutation{memory};
  std::vector<std::unique_ptr<Module>> modules;
  std::vector<std::unique_ptr<Function>> functions;
  std::vector<unsigned> seenAtLaunch, seenAtRun;
  unsigned runs = 0;
  std::FILE *traceFile = nullptr;
};

} // namespace cnn::emulator

#endif
