// Streams, events and graphs.
#include "test/emulator/Queue.h"

namespace cnn::emulator {

Stream *Queue::createStream() {
  auto stream = std::make_unique<Stream>();
  Stream *handle = stream.get();
  streams[handle] = std::move(stream);
  return handle;
}

Result Queue::destroyStream(Stream *stream) {
  if (!has(stream))
    return InvalidHandle;
  Result result = synchronize(stream);
  streams.erase(stream);
  return result;
}

Result Queue::runNext(Stream &stream) {
  // Taken out first: a wait in it may come back to this stream's other work.
  Operation operation = std::move(stream.pending.front());
  stream.pending.pop_front();
  Result result = operation();
  if (sticky == Success)
    sticky = result;
  return sticky;
}

Result Queue::add(Stream *stream, Operation operation) {
  if (sticky != Success)
    return sticky;
  if (!stream) {
    if (Result result = synchronize(static_cast<Stream *>(nullptr)))
      return result;
    return sticky = operation();
  }
  if (!has(stream))
    return InvalidHandle;
  if (stream->capture) {
    stream->capture->graph->operations.push_back(std::move(operation));
    stream->captured = stream->capture->graph->operations.size();
    return stream->capture->invalid ? CaptureInvalidated : Success;
  }
  stream->pending.push_back(std::move(operation));
  return lazy ? Success : synchronize(stream);
}

Result Queue::record(Event &event, Stream *stream) {
  if (stream && !has(stream))
    return InvalidHandle;
  if (stream && stream->capture) {
    event.capture = stream->capture;
    event.covered = stream->covered;
    event.covered[stream] = stream->captured;
    return Success;
  }
  auto recording = std::make_shared<Recording>();
  recording->stream = stream;
  event.recording = recording;
  event.capture = nullptr;
  return add(stream, [recording] {
    recording->reached = true;
    recording->time = std::chrono::steady_clock::now();
    return Success;
  });
}

Result Queue::wait(Stream *stream, Event &event) {
  if (!has(stream))
    return InvalidHandle;
  if (event.capture) {
    if (stream->capture && stream->capture != event.capture)
      return CaptureUnsupported;
    stream->capture = event.capture;
    stream->capture->streams.insert(stream);
    for (auto &[other, operations] : event.covered)
      stream->covered[other] = std::max(stream->covered[other], operations);
    return Success;
  }
  if (!event.recording)
    return Success;
  if (stream->capture)
    return forbidInCapture();
  return add(stream, [this, recording = event.recording] {
    while (!recording->reached && has(recording->stream) && !recording->stream->pending.empty())
      if (Result result = runNext(*recording->stream))
        return result;
    return Success;
  });
}

Result Queue::synchronize(Stream *stream) {
  if (stream) {
    if (!has(stream))
      return InvalidHandle;
    if (stream->capture)
      return forbidInCapture();
    while (!stream->pending.empty() && sticky == Success)
      runNext(*stream);
    return sticky;
  }
  // By address: not the order in which the work was queued.
  for (auto it = streams.rbegin(); it != streams.rend() && sticky == Success; ++it)
    if (!it->first->capture)
      synchronize(it->first);
  return sticky;
}

Result Queue::synchronize(Event &event) {
  if (event.capture)
    return forbidInCapture();
  while (event.recording && !event.recording->reached && sticky == Success) {
    Stream *stream = event.recording->stream;
    if (!has(stream) || stream->pending.empty())
      break;
    runNext(*stream);
  }
  return sticky;
}

Result Queue::beginCapture(Stream *stream) {
  if (!has(stream))
    return stream ? InvalidHandle : CaptureUnsupported;
  if (stream->capture)
    return CaptureUnsupported;
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  stream->capture->streams.insert(stream);
  return sticky;
}

Result Queue::endCapture(Stream *stream, std::shared_ptr<Graph> &graph) {
  if (!has(stream))
    return InvalidHandle;
  std::shared_ptr<Capture> capture = stream->capture;
  if (!capture || capture->origin != stream)
    return CaptureUnmatched;
  bool joined = true;
  for (Stream *member : capture->streams) {
    joined &= member == stream || stream->covered[member] >= member->captured;
    member->capture = nullptr;
    member->captured = 0;
  }
  for (Stream *member : capture->streams)
    member->covered.clear();
  if (capture->invalid || !joined)
    return capture->invalid ? CaptureInvalidated : CaptureUnjoined;
  graph = capture->graph;
  return Success;
}

Result Queue::forbidInCapture() {
  bool capturing = false;
  for (auto &[stream, owned] : streams)
    if (stream->capture)
      capturing = stream->capture->invalid = true;
  return capturing ? CaptureUnsupported : Success;
}

} // namespace cnn::emulator
