// What the stand-in driver reads of a PTX module: enough to refuse what a driver would refuse, to
// find the module's IR, and to see that the two agree.
#ifndef CNNC_TEST_EMULATOR_PTX_H
#define CNNC_TEST_EMULATOR_PTX_H

#include "test/emulator/Result.h"

#include <map>
#include <string>
#include <string_view>

namespace cnn::emulator {

struct Ptx {
  /// From the comment "// cnnc-ir <16 hex digits>".
  std::string hash;
  /// 10 * major + minor of .version.
  int version = 0;
  /// 10 * major + minor of .target sm_XX; `specific` for sm_90a, which runs on 9.0 only.
  int target = 0;
  bool specific = false;
  /// Parameters of each .entry.
  std::map<std::string, unsigned, std::less<>> entries;
  /// Names of .extern .func: a driver cannot link them.
  std::string unresolved;
};

/// Parses a module. False, and `log` says why, when it is not PTX or names no IR.
bool parsePtx(std::string_view text, Ptx &ptx, std::string &log);

/// What a driver of `driverVersion` (as cuDriverGetVersion) says to a module on a GPU of
/// `capability` (10 * major + minor); `log` gets the reason.
Result acceptPtx(const Ptx &ptx, int driverVersion, int capability, std::string &log);

} // namespace cnn::emulator

#endif
