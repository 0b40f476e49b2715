// Reads the directives of a PTX module line by line, as LLVM prints them.
#include "test/emulator/Ptx.h"

#include <cctype>
#include <cstdio>

namespace cnn::emulator {

namespace {

bool startsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

std::string_view identifier(std::string_view text) {
  text = trim(text);
  size_t end = 0;
  while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) ||
                               text[end] == '_' || text[end] == '$' || text[end] == '%'))
    ++end;
  return text.substr(0, end);
}

/// "7.8" to 78, "13.0" to 130.
int parseVersion(std::string_view text) {
  int major = 0, minor = 0;
  return std::sscanf(std::string(text).c_str(), "%d.%d", &major, &minor) == 2 ? 10 * major + minor
                                                                              : 0;
}

void parseTarget(std::string_view text, Ptx &ptx) {
  char suffix = 0;
  if (std::sscanf(std::string(text).c_str(), "sm_%d%c", &ptx.target, &suffix) > 1)
    ptx.specific = suffix == 'a';
}

/// The newest PTX that a driver understands: CUDA 11.y takes 7.y, 12.y takes 8.y (8.5 twice), 13.y
/// takes 9.y.
int newestPtx(int driverVersion) {
  int major = driverVersion / 1000, minor = driverVersion % 1000 / 10;
  if (major == 12 && minor >= 6)
    return 80 + minor - 1;
  return 10 * (major - 4) + minor;
}

} // namespace

bool parsePtx(std::string_view text, Ptx &ptx, std::string &log) {
  std::string *entry = nullptr, name;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (startsWith(line, "// cnnc-ir "))
      ptx.hash = identifier(line.substr(11));
    else if (startsWith(line, ".version "))
      ptx.version = parseVersion(line.substr(9));
    else if (startsWith(line, ".target "))
      parseTarget(line.substr(8), ptx);
    else if (startsWith(line, ".extern .func"))
      ptx.unresolved += " " + std::string(line.substr(13));
    if (size_t at = line.find(".entry "); at != line.npos && !startsWith(line, "//")) {
      name = identifier(line.substr(at + 7));
      ptx.entries[name] = 0;
      entry = &name;
    }
    if (entry && startsWith(line, ".param "))
      ++ptx.entries[*entry];
    if (entry && line.find('{') != line.npos)
      entry = nullptr;
  }
  if (ptx.version == 0 || ptx.target == 0)
    log = "ptxas fatal   : Missing .version or .target directive";
  else if (ptx.hash.size() != 16)
    log = "fakecuda: the module has no line '// cnnc-ir <16 hex digits>', so its IR is not known";
  return log.empty();
}

Result acceptPtx(const Ptx &ptx, int driverVersion, int capability, std::string &log) {
  if (ptx.version > newestPtx(driverVersion)) {
    log = "ptxas application ptx input, line 1; fatal   : Unsupported .version " +
          std::to_string(ptx.version / 10) + "." + std::to_string(ptx.version % 10) +
          "; current version is '" + std::to_string(newestPtx(driverVersion) / 10) + "." +
          std::to_string(newestPtx(driverVersion) % 10) + "'";
    return UnsupportedPtxVersion;
  }
  if (ptx.target > capability || (ptx.specific && ptx.target != capability)) {
    log = "ptxas fatal   : the module is for sm_" + std::to_string(ptx.target) +
          (ptx.specific ? "a" : "") + ", the device is sm_" + std::to_string(capability);
    return NoBinaryForGpu;
  }
  if (!ptx.unresolved.empty()) {
    log = "ptxas fatal   : Unresolved extern function:" + ptx.unresolved;
    return InvalidPtx;
  }
  return Success;
}

} // namespace cnn::emulator
