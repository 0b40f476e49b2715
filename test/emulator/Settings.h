// What the stand-in driver reads from its environment: the device it plays, the faults it injects,
// and the modes of the emulator. README.md lists the variables.
#ifndef CNNC_TEST_EMULATOR_SETTINGS_H
#define CNNC_TEST_EMULATOR_SETTINGS_H

#include "test/emulator/Result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cnn::emulator {

/// What goes wrong, and the device that is played. CNN_FAKECUDA_FAULT, a list with commas.
struct Faults {
  /// The `nth` launch (from 1) of `kernel` fails with `code`.
  struct Launch {
    std::string kernel;
    unsigned nth = 1;
    Result code = LaunchFailed;
  };

  Result init = Success;
  int driverVersion = 13000;
  int devices = 1;
  /// 10 * major + minor.
  int capability = 90;
  /// Bytes of device memory.
  size_t memory = size_t(16) << 30;
  bool refusePtx = false;
  std::vector<Launch> launches;
  /// The device is lost at this launch of any kernel (from 1); 0: never.
  unsigned lostAt = 0;
  Result lostCode = LaunchFailed;
};

/// All of the environment, read once by cuInit or the first call.
struct Settings {
  Faults faults;
  /// CNN_FAKECUDA_IR: the folder of the modules' IR.
  std::string irFolder;
  /// CNN_FAKECUDA_TRACE: a file that gets one line per call and per launch that was run.
  std::string trace;
  /// CNN_FAKECUDA_CHECK: checked mode.
  bool check = false;
  /// CNN_FAKECUDA_ORDER: false for `eager` (queued work is run at once).
  bool lazy = true;
  /// CNN_FAKECUDA_SEED: the order of threads and blocks; 0 is ascending.
  unsigned seed = 0;
  /// CNN_FAKECUDA_MODEL: a file that gets memory transactions per kernel.
  std::string model;
  /// CNN_FAKECUDA_MUTATE: a file that gets the fate of every mutant of every kernel launched.
  std::string mutate;

  /// Reads the environment; `error` is set when a variable is not understood.
  static Settings read(std::string &error);
};

/// Parses CNN_FAKECUDA_FAULT into `faults`. Returns what is wrong with it, or nothing.
std::string parseFaults(std::string_view text, Faults &faults);

} // namespace cnn::emulator

#endif
