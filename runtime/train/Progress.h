// What a training run shows while it runs, on standard error: a bar on a terminal, JSON lines
// elsewhere; and the table of epochs on standard output, a line as each epoch ends.
#ifndef CNNC_RUNTIME_TRAIN_PROGRESS_H
#define CNNC_RUNTIME_TRAIN_PROGRESS_H

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace cnn {

/// What is known of an epoch at its end.
struct EpochRecord {
  uint64_t epoch = 0;      ///< from 1
  double trainLoss = 0;    ///< mean over its images, while the parameters change
  double testLoss = 0;     ///< after it, on the test set, or on the validation images
  double testAccuracy = 0; ///< likewise, 0 to 1
  double seconds = 0;      ///< of training alone
  int64_t images = 0;      ///< of the training set
  bool validation = false; ///< some images were set aside to judge by instead of the test set

  std::string judge() const { return validation ? "validation" : "test"; }
};

class Progress {
public:
  /// `bar`: draw a bar on `status` instead of JSON lines. Neither file is owned; null shows
  /// nothing.
  Progress(std::FILE *table, std::FILE *status, bool bar)
      : table(table), status(status), bar(bar) {}
  /// Standard output and error; a bar when standard error is a terminal.
  static Progress standard();

  /// Step `step` of `steps` (from 1) of epoch `epoch` of `epochs` (from 1) is done. Shows at most
  /// ten bars a second, a JSON line every ten seconds.
  void step(uint64_t epoch, uint64_t epochs, int64_t step, int64_t steps, double loss,
            double imagesPerSecond);
  /// An epoch ended; `replayed`: it ended before the run was resumed, only the table shows it.
  void epoch(const EpochRecord &record, uint64_t epochs, bool replayed = false);
  /// Removes the bar, so that other text can be written.
  void clear();

private:
  using Clock = std::chrono::steady_clock;
  std::FILE *table, *status;
  bool bar, headerShown = false, barShown = false;
  Clock::time_point lastShown = Clock::now();
};

} // namespace cnn

#endif
