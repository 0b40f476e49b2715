// Streams, events and graphs of the stand-in driver. Work is queued, and (unless the order is
// eager) run only when the host waits for it, stream by stream as the wait demands: a program that
// forgets a wait reads what is not there yet, and one that forgets an event between two streams
// gets the order that it did not expect.
#ifndef CNNC_TEST_EMULATOR_QUEUE_H
#define CNNC_TEST_EMULATOR_QUEUE_H

#include "test/emulator/Result.h"

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace cnn::emulator {

/// One piece of work; its result is that of the device from then on.
using Operation = std::function<Result()>;

/// Work in an order that keeps all its dependences.
struct Graph {
  std::vector<Operation> operations;
};

struct Stream;

/// How much of each other stream's captured work a stream has waited for: number of operations.
using Covered = std::map<Stream *, size_t>;

/// A capture in progress: one origin stream and those that waited for its events.
struct Capture {
  Stream *origin = nullptr;
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  std::set<Stream *> streams;
  bool invalid = false;
};

struct Stream {
  std::deque<Operation> pending;
  std::shared_ptr<Capture> capture;
  /// While capturing: operations of its own so far, and what it has waited for.
  size_t captured = 0;
  Covered covered;
};

/// One recording of an event: reached when `stream` has run what was queued before it.
struct Recording {
  Stream *stream = nullptr;
  bool reached = false;
  std::chrono::steady_clock::time_point time;
};

struct Event {
  /// The latest recording, or null.
  std::shared_ptr<Recording> recording;
  /// Set when it was recorded in a capture.
  std::shared_ptr<Capture> capture;
  Covered covered;
};

/// All streams of the device, and its state: a failed operation's code stays.
class Queue {
public:
  void configure(bool runLazily) { lazy = runLazily; }

  Stream *createStream();
  Result destroyStream(Stream *stream);
  bool has(Stream *stream) const { return streams.count(stream) != 0; }

  /// Queues, captures, or (eager order) runs an operation. A null stream waits for all others.
  Result add(Stream *stream, Operation operation);
  Result record(Event &event, Stream *stream);
  Result wait(Stream *stream, Event &event);

  /// Runs what is queued in a stream (null: in all), and what that depends on.
  Result synchronize(Stream *stream);
  Result synchronize(Event &event);

  Result beginCapture(Stream *stream);
  Result endCapture(Stream *stream, std::shared_ptr<Graph> &graph);
  /// Calls that a capture forbids (allocation, waits) spoil every capture in progress.
  Result forbidInCapture();

  /// The code of the first operation that failed: every call returns it from then on.
  Result state() const { return sticky; }

private:
  Result runNext(Stream &stream);

  bool lazy = true;
  Result sticky = Success;
  std::map<Stream *, std::unique_ptr<Stream>> streams;
};

} // namespace cnn::emulator

#endif
