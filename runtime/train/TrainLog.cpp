// Appending lines, and cutting off what a checkpoint does not know.
#include "runtime/train/TrainLog.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
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

void TrainLog::writeStep(int64_t step, uint64_t epoch, double loss, std::optional<double> lr) {
  if (!file)
    return;
  char number[40] = "null", rate[48] = "", line[200];
  if (std::isfinite(loss))
    std::snprintf(number, sizeof(number), "%.9g", loss);
  if (lr)
    std::snprintf(rate, sizeof(rate), ",\"lr\":%.9g", *lr);
  int size = std::snprintf(line, sizeof(line),
                           "{\"kind\":\"step\",\"step\":%" PRId64 ",\"epoch\":%" PRIu64
                           ",\"loss\":%s%s}\n",
                           step, epoch, number, rate);
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
