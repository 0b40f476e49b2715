// Small things that several subcommands need.
#include "compiler/tools/cnn/Commands.h"

#include "compiler/tools/cnn/Options.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>

using namespace llvm;

namespace cnn::tool {

static std::string programName = "cnn";

void setProgramName(const std::string &name) { programName = name; }

/// `word` as a POSIX shell reads it back.
static std::string quote(const std::string &word) {
  constexpr const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos)
    return word;
  std::string result = "'";
  for (char c : word)
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string commandLine(const std::vector<std::string> &arguments) {
  std::string line = quote(programName);
  for (const std::string &argument : arguments)
    line += " " + quote(argument);
  return line;
}

void addSettings(std::vector<std::string> &arguments, bool withSchedule) {
  for (const std::string &setting : settings) {
    if (!withSchedule && StringRef(setting).ltrim().starts_with("schedule."))
      continue;
    arguments.push_back("--set");
    arguments.push_back(setting);
  }
}

int fail(const std::string &message) {
  std::fflush(stdout);
  std::string text = message; // hints stand as the front end writes them
  for (size_t at; (at = text.find("\n  hint: ")) != std::string::npos;)
    text.erase(at + 1, 2);
  errs() << "error: " << text << "\n";
  return exitFailure;
}

static int threadsToUse() {
  return threads.getNumOccurrences() ? static_cast<int>(threads)
                                     : ThreadPool::availableProcessors();
}

static void noteCpu(const std::string &reason) {
  errs() << "note: computing on the CPU: " << StringRef(reason).split('\n').first << "\n";
}

Result<OpenDevice> chooseDevice() {
  Result<DeviceRequest> request = DeviceRequest::parse(deviceName);
  if (request.failed())
    return request.status();
  Result<OpenDevice> opened = openDevice(*request, threadsToUse());
  if (opened.isOk() && !opened->reason.empty())
    noteCpu(opened->reason);
  return opened;
}

Result<OpenDevice> chooseCpu(const Status &reason) {
  noteCpu(reason.message());
  return openDevice(DeviceRequest(), threadsToUse());
}

std::string withExtension(const std::string &path, const std::string &extension) {
  SmallString<128> result(path);
  sys::path::replace_extension(result, extension);
  return std::string(result);
}

} // namespace cnn::tool
