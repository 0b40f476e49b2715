// Modules and launches.
#include "test/emulator/Device.h"
#include "test/emulator/Ptx.h"

#include <algorithm>

namespace cnn::emulator {

Device &Device::get() {
  static Device device;
  return device;
}

Device::Device() {
  std::string error;
  settings = Settings::read(error);
  if (!error.empty()) {
    // A test with a fault that is not injected would pass for nothing.
    report(error);
    settings.faults.init = Unknown;
  }
  memory.configure(settings.faults.memory, settings.check);
  queue.configure(settings.lazy);
  seenAtLaunch.resize(settings.faults.launches.size());
  seenAtRun.resize(settings.faults.launches.size());
  if (!settings.trace.empty() && !(traceFile = std::fopen(settings.trace.c_str(), "a")))
    report("cannot write " + settings.trace);
  if (!settings.mutate.empty() && !mutation.open(settings.mutate))
    report("cannot write " + settings.mutate);
}

Device::~Device() {
  if (!settings.model.empty() && !model.write(settings.model))
    report("cannot write " + settings.model);
  if (traceFile)
    std::fclose(traceFile);
}

void Device::report(const std::string &message) {
  std::fprintf(stderr, "fakecuda: error: %s\n", message.c_str());
}

void Device::trace(const std::string &line) {
  if (!traceFile)
    return;
  std::fprintf(traceFile, "%s\n", line.c_str());
  std::fflush(traceFile);
}

Result Device::load(std::string_view text, Module *&module, std::string &log) {
  const Faults &faults = settings.faults;
  if (faults.refusePtx) {
    log = "ptxas application ptx input, line 7; error   : refused as CNN_FAKECUDA_FAULT asks";
    return InvalidPtx;
  }
  Ptx ptx;
  if (!parsePtx(text, ptx, log))
    return InvalidPtx;
  if (Result result = acceptPtx(ptx, faults.driverVersion, faults.capability, log))
    return result;
  std::string path = settings.irFolder + "/" + ptx.hash + ".bc";
  bool instrument = settings.check || !settings.model.empty();
  auto program = Program::load(path, instrument, log);
  if (program)
    log = program->compare(ptx);
  if (!log.empty()) {
    // The driver's log buffer may be small, and a caller may not print it.
    report("module " + ptx.hash + ": " + log);
    return program ? InvalidPtx : FileNotFound;
  }
  modules.push_back(std::make_unique<Module>());
  modules.back()->program = std::move(program);
  if (log = unknownFault(); !log.empty()) {
    modules.pop_back();
    report(log);
    return NotFound;
  }
  module = modules.back().get();
  trace("module " + ptx.hash);
  return Success;
}

/// What is wrong with a fault whose kernel no module has, or nothing: a test would pass for
/// nothing.
std::string Device::unknownFault() const {
  for (const Faults::Launch &fault : settings.faults.launches) {
    auto has = [&](auto &module) { return module->program->find(fault.kernel); };
    if (std::any_of(modules.begin(), modules.end(), has))
      continue;
    std::string known;
    for (const auto &[name, kernel] : modules.back()->program->kernels)
      known += (known.empty() ? "" : ", ") + name;
    return "CNN_FAKECUDA_FAULT: there is no kernel '" + fault.kernel + "'; there are " + known;
  }
  return {};
}

Result Device::unload(Module *module) {
  Result result = queue.synchronize(static_cast<Stream *>(nullptr));
  std::erase_if(functions, [&](auto &function) { return function->module == module; });
  // Its program stays: the model's counts and a graph may name it.
  auto found = std::find_if(modules.begin(), modules.end(),
                            [&](auto &owned) { return owned.get() == module; });
  return found == modules.end() ? InvalidHandle : result;
}

Result Device::function(Module *module, const std::string &name, Function *&function) {
  const Kernel *kernel = module->program->find(name);
  if (!kernel)
    return NotFound;
  for (auto &known : functions)
    if (known->kernel == kernel) {
      function = known.get();
      return Success;
    }
  functions.push_back(std::make_unique<Function>(Function{module, kernel}));
  function = functions.back().get();
  return Success;
}

/// The fault that a launch meets: when it is queued (the codes of refused launches) or when it
/// runs.
Result Device::injected(const Launch &launch, bool atLaunch) {
  const Faults &faults = settings.faults;
  for (size_t i = 0; i < faults.launches.size(); ++i) {
    const Faults::Launch &fault = faults.launches[i];
    bool refused = fault.code == InvalidValue || fault.code == LaunchOutOfResources;
    if (fault.kernel != launch.kernel->name || refused != atLaunch)
      continue;
    unsigned &seen = atLaunch ? seenAtLaunch[i] : seenAtRun[i];
    if (++seen == fault.nth)
      return fault.code;
  }
  return !atLaunch && ++runs == faults.lostAt ? faults.lostCode : Success;
}

Result Device::launch(Function &function, Launch launch, Stream *stream) {
  const Kernel &kernel = *function.kernel;
  launch.program = function.module->program.get();
  launch.kernel = &kernel;
  const unsigned *required = kernel.requiredBlock;
  auto [x, y, z] = launch.block;
  bool fits = x && y && z && x <= 1024 && y <= 1024 && z <= 64 &&
              uint64_t(x) * y * z <= kernel.maxThreads && launch.grid[0] && launch.grid[1] &&
              launch.grid[2] && launch.grid[0] <= 0x7fffffff && launch.grid[1] <= 65535 &&
              launch.grid[2] <= 65535 && launch.dynamicShared <= function.maxDynamicShared &&
              kernel.staticShared <= (48 << 10) &&
              kernel.staticShared + launch.dynamicShared <= maxSharedPerBlock;
  if (!fits || (required[0] && (x != required[0] || y != required[1] || z != required[2])))
    return InvalidValue;
  if (Result result = injected(launch, /*atLaunch=*/true))
    return result;
  return queue.add(stream, [this, launch = std::move(launch)] { return run(launch); });
}

Result Device::emulate(const Launch &launch, std::string &problem) {
  RunOptions options;
  options.seed = settings.seed;
  if (settings.check) {
    options.checker = &checker;
    problem = checker.startLaunch(launch);
  }
  if (!settings.model.empty()) {
    options.model = &model;
    model.startLaunch(*launch.program);
  }
  return problem.empty() ? Block(launch, options).runAll(problem) : IllegalAddress;
}

Result Device::run(const Launch &launch) {
  trace("run " + launch.describe());
  if (Result result = injected(launch, /*atLaunch=*/false)) {
    trace("fault " + std::to_string(result));
    return result;
  }
  std::string problem;
  Result result = settings.mutate.empty() ? emulate(launch, problem)
                                          : mutation.run(launch, settings.seed, problem);
  if (result != Success)
    report(problem);
  return result;
}

} // namespace cnn::emulator
