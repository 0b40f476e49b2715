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

Result<OpenDevice> chooseDevice() {
  int wanted = ThreadPool::availableProcessors();
  if (threads.getNumOccurrences())
    wanted = static_cast<int>(threads);
  return openDevice(DeviceRequest(), wanted);
}

std::string withExtension(const std::string &path, const std::string &extension) {
  SmallString<128> result(path);
  sys::path::replace_extension(result, extension);
  return std::string(result);
}

} // namespace cnn::tool
