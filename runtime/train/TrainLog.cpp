// Appending lines, and cutting off what a checkpoint does not know.
#include "runtime/train/TrainLog.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cmath>
#include <cstring>

namespace cnn {

Result<TrainLog> TrainLog::open(const std::string &path, int64_t resumedAt) {
  TrainLog log;
  log.path = path;
  if (path.empty())
    return log;
  log.file.reset(std::fopen(path.c_str(), resumedAt >= 0 ? "a" : "w"));
  if (!log.file)
    return Status::failure(path,
                           std::string("cannot open the log for writing: ") + std::strerror(errno));
  struct stat info = {};
  if (resumedAt < 0 || fstat(fileno(log.file.get()), &info) != 0 || !S_ISREG(info.st_mode))
    return log;
  if (info.st_size > resumedAt && ftruncate(fileno(log.file.get()), resumedAt) != 0)
    return Status::failure(path, std::string("cannot cut the log to where the checkpoint was: ") +
                                     std::strerror(errno));
  log.length = info.st_size > resumedAt ? resumedAt : info.st_size;
  return log;
}

void TrainLog::add(const char *text, size_t size) {
  if (std::fwrite(text, 1, size, file.get()) != size && errorNumber == 0)
    errorNumber = errno;
  length += size;
}

void TrainLog::write(const Json &record) {
  if (!file)
    return;
  std::string line = jsonText(record) + "\n";
  add(line.data(), line.size());
}

/// Nine digits tell floats apart; what is no float (of a net in f64, a rate) as many as tell
/// doubles apart.
static std::string numberText(double value) {
  char text[40];
  if (double(float(value)) == value) {
    std::snprintf(text, sizeof(text), "%.9g", value);
    return text;
  }
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

void TrainLog::writeStep(int64_t step, uint64_t epoch, double loss, std::optional<double> lr) {
  if (!file)
    return;
  char line[200];
  std::string number = std::isfinite(loss) ? numberText(loss) : "null";
  std::string rate = lr ? ",\"lr\":" + numberText(*lr) : "";
  int size = std::snprintf(line, sizeof(line),
                           "{\"kind\":\"step\",\"step\":%" PRId64 ",\"epoch\":%" PRIu64
                           ",\"loss\":%s%s}\n",
                           step, epoch, number.c_str(), rate.c_str());
  add(line, static_cast<size_t>(size));
}

Status TrainLog::flush() {
  if (!file)
    return Status();
  if (std::fflush(file.get()) != 0 && errorNumber == 0)
    errorNumber = errno;
  if (errorNumber == 0)
    return Status();
  return Status::failure(path, std::string("cannot write the log: ") + std::strerror(errorNumber));
}

} // namespace cnn
