// The bar, the JSON lines and the table.
#include "runtime/train/Progress.h"

#include "runtime/core/Json.h"
#include "runtime/core/Status.h"
#include "runtime/train/Text.h"

#include <unistd.h>

#include <cmath>
#include <string>

namespace cnn {

Progress Progress::standard() { return {stdout, stderr, isatty(STDERR_FILENO) == 1}; }

void Progress::clear() {
  if (!barShown)
    return;
  std::fputs("\r\033[K", status);
  std::fflush(status);
  barShown = false;
}

static std::string lossText(double loss) { return formatText(loss < 1e4 ? "%.4f" : "%.2e", loss); }

static Json numberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(); }

void Progress::step(uint64_t epoch, uint64_t epochs, int64_t step, int64_t steps, double loss,
                    double imagesPerSecond) {
  if (!status)
    return;
  Clock::time_point now = Clock::now();
  if (now - lastShown < (bar ? std::chrono::milliseconds(100) : std::chrono::seconds(10)))
    return;
  lastShown = now;
  if (!bar) {
    Json line = {{"kind", "progress"},
                 {"epoch", epoch},
                 {"epochs", epochs},
                 {"step_in_epoch", step},
                 {"steps", steps},
                 {"loss", numberOrNull(loss)},
                 {"images_per_second", std::round(imagesPerSecond)}};
    std::fprintf(status, "%s\n", jsonText(line).c_str());
    return;
  }
  constexpr int width = 24;
  int filled = static_cast<int>(width * step / (steps > 0 ? steps : 1));
  std::string drawn = std::string(filled, '#') + std::string(width - filled, '.');
  std::fprintf(status, "\r\033[Kepoch %llu/%llu [%s] %lld/%lld  loss %.4f  %s images/s",
               static_cast<unsigned long long>(epoch), static_cast<unsigned long long>(epochs),
               drawn.c_str(), static_cast<long long>(step), static_cast<long long>(steps), loss,
               groupDigits(std::llround(imagesPerSecond)).c_str());
  std::fflush(status);
  barShown = true;
}

void Progress::epoch(const EpochRecord &record, uint64_t epochs, bool replayed) {
  clear();
  double rate = record.seconds > 0 ? double(record.images) / record.seconds : 0;
  if (status && !bar && !replayed) {
    Json line = {{"kind", "epoch"},
                 {"epoch", record.epoch},
                 {"epochs", epochs},
                 {"train_loss", numberOrNull(record.trainLoss)},
                 {record.judge() + "_loss", numberOrNull(record.testLoss)},
                 {record.judge() + "_accuracy", record.testAccuracy},
                 {"seconds", record.seconds}};
    std::fprintf(status, "%s\n", jsonText(line).c_str());
  }
  if (!table)
    return;
  if (!headerShown)
    std::fprintf(table, "epoch  train loss  %4s loss  %4s accuracy  seconds   images/s\n",
                 record.validation ? "val." : "test", record.validation ? "val." : "test");
  headerShown = true;
  std::fprintf(table, "%5llu  %s  %s  %12.2f%%  %7.1f  %9s\n",
               static_cast<unsigned long long>(record.epoch),
               padLeft(lossText(record.trainLoss), 10).c_str(),
               padLeft(lossText(record.testLoss), 9).c_str(), 100 * record.testAccuracy,
               record.seconds, groupDigits(std::llround(rate)).c_str());
  std::fflush(table);
}

} // namespace cnn
