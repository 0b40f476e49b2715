// Reads the environment of the stand-in driver.
#include "test/emulator/Settings.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace cnn::emulator {

namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

template <typename T> bool number(std::string_view text, T &value) {
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size();
}

bool code(std::string_view text, Result &value) {
  int parsed = 0;
  if (!number(text, parsed))
    return false;
  value = Result(parsed);
  return true;
}

/// "9.0" to 90.
bool capability(std::string_view text, int &value) {
  size_t dot = text.find('.');
  int major = 0, minor = 0;
  if (dot == text.npos || !number(text.substr(0, dot), major) ||
      !number(text.substr(dot + 1), minor))
    return false;
  value = 10 * major + minor;
  return true;
}

bool launch(std::string_view text, Faults &faults) {
  auto parts = split(text, ':');
  Faults::Launch fault;
  fault.kernel = parts[0];
  faults.launches.push_back(fault);
  return !fault.kernel.empty() && parts.size() <= 3 &&
         (parts.size() < 2 || number(parts[1], faults.launches.back().nth)) &&
         (parts.size() < 3 || code(parts[2], faults.launches.back().code));
}

bool lost(std::string_view text, Faults &faults) {
  auto parts = split(text, ':');
  return parts.size() <= 2 && number(parts[0], faults.lostAt) &&
         (parts.size() < 2 || code(parts[1], faults.lostCode));
}

constexpr const char *knownFaults = "init=CODE, driver=VERSION, no-device, devices=N, "
                                    "capability=N.N, memory=BYTES, ptx, "
                                    "launch=KERNEL[:N-TH[:CODE]], lost=N-TH[:CODE]";

bool parseFault(std::string_view name, std::string_view value, Faults &faults) {
  if (name == "init")
    return code(value, faults.init);
  if (name == "driver")
    return number(value, faults.driverVersion);
  if (name == "no-device")
    return faults.devices = 0, value.empty();
  if (name == "devices")
    return number(value, faults.devices);
  if (name == "capability")
    return capability(value, faults.capability);
  if (name == "memory")
    return number(value, faults.memory);
  if (name == "ptx")
    return faults.refusePtx = value.empty();
  if (name == "launch")
    return launch(value, faults);
  return name == "lost" && lost(value, faults);
}

std::string variable(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

} // namespace

std::string parseFaults(std::string_view text, Faults &faults) {
  if (text.empty())
    return {};
  for (std::string_view part : split(text, ',')) {
    size_t equals = part.find('=');
    std::string_view value = equals == part.npos ? "" : part.substr(equals + 1);
    if (!parseFault(part.substr(0, equals), value, faults))
      return "CNN_FAKECUDA_FAULT: '" + std::string(part) + "' is not a fault; there are " +
             knownFaults;
  }
  return {};
}

/// What is wrong with the names of variables, or nothing.
static std::string checkNames() {
  constexpr std::string_view prefix = "CNN_FAKECUDA_";
  constexpr std::string_view known[] = {"CHECK",  "FAULT", "IR",   "MODEL",
                                        "MUTATE", "ORDER", "SEED", "TRACE"};
  for (char **entry = environ; *entry; ++entry) {
    std::string_view name = split(*entry, '=').front();
    if (!name.starts_with(prefix))
      continue;
    name.remove_prefix(prefix.size());
    if (std::find(std::begin(known), std::end(known), name) != std::end(known))
      continue;
    std::string message = "there is no " + std::string(prefix) + std::string(name) + "; there are ";
    for (std::string_view other : known)
      message += (other == known[0] ? "" : ", ") + std::string(prefix) + std::string(other);
    return message;
  }
  return {};
}

Settings Settings::read(std::string &error) {
  Settings settings;
  error = checkNames();
  if (std::string wrong = parseFaults(variable("CNN_FAKECUDA_FAULT"), settings.faults);
      !wrong.empty())
    error = wrong;
  settings.irFolder = variable("CNN_FAKECUDA_IR");
  settings.trace = variable("CNN_FAKECUDA_TRACE");
  settings.model = variable("CNN_FAKECUDA_MODEL");
  settings.mutate = variable("CNN_FAKECUDA_MUTATE");
  std::string check = variable("CNN_FAKECUDA_CHECK");
  settings.check = (!check.empty() && check != "0") || !settings.mutate.empty();
  std::string order = variable("CNN_FAKECUDA_ORDER");
  settings.lazy = order != "eager";
  if (!order.empty() && order != "eager" && order != "lazy")
    error = "CNN_FAKECUDA_ORDER: '" + order + "' is neither lazy nor eager";
  std::string seed = variable("CNN_FAKECUDA_SEED");
  if (!seed.empty() && !number(std::string_view(seed), settings.seed))
    error = "CNN_FAKECUDA_SEED: '" + seed + "' is not a number";
  return settings;
}

} // namespace cnn::emulator
