// The log of a training run: a file of JSON lines (--log) that a resumed run continues as if it had
// never stopped.
#ifndef CNNC_RUNTIME_TRAIN_TRAINLOG_H
#define CNNC_RUNTIME_TRAIN_TRAINLOG_H

#include "runtime/core/Json.h"
#include "runtime/core/Status.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

namespace cnn {

class TrainLog {
public:
  /// Opens `path` for a new run (an existing file is emptied), or, with `resumedAt` >= 0, to
  /// continue it: what stands beyond that many bytes belongs to steps that will be done again and
  /// is cut off. An empty path makes a log that drops everything. Fails, naming the path.
  static Result<TrainLog> open(const std::string &path, int64_t resumedAt = -1);

  /// Adds one line. A failure to write shows at the next flush.
  void write(const Json &record);
  /// {"kind": "step", "step": N, "epoch": N, "loss": X, "lr": X}, without building JSON; 9 digits
  /// give an f32 back exactly. Without a learning rate, without `lr`.
  void writeStep(int64_t step, uint64_t epoch, double loss, std::optional<double> lr = {});
  /// Hands everything to the system; fails when the disk is full.
  Status flush();
  /// The length of the file after a flush.
  uint64_t bytes() const { return length; }

private:
  void add(const char *text, size_t size);

  struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  std::string path;
  std::unique_ptr<std::FILE, Close> file;
  uint64_t length = 0;
  int errorNumber = 0;
};

} // namespace cnn

#endif
