// Which state counts, and the calls of a net.
#include "runtime/train/Session.h"

#include <utility>

namespace cnn {

Result<int> Call::position(BufferRole role, std::string_view name) const {
  if (int found = point->find(role, name); found >= 0)
    return found;
  return Status::failure(formatText("entry point '%s' of net '%s' has no %s '%s'",
                                    point->name.c_str(), session->manifest().net.c_str(),
                                    role == BufferRole::Input ? "input" : "output",
                                    std::string(name).c_str()));
}

Result<int> Call::image() const {
  if (int found = point->findImage(); found >= 0)
    return found;
  return Status::failure(formatText("entry point '%s' of net '%s' does not take one tensor of "
                                    "images",
                                    point->name.c_str(), session->manifest().net.c_str()));
}

/// Runs `prepare` where this call reads what it makes, and the state is another one since.
Status Call::takePrepared() {
  if (!prepare || session->isPrepared)
    return Status();
  Status status = prepare->run();
  session->isPrepared = status.isOk();
  return status;
}

Status Call::start() {
  if (Status status = takePrepared(); status.failed())
    return status;
  return device->start(session->current);
}

Result<std::vector<double>> Call::timeLaunches() {
  if (Status status = takePrepared(); status.failed())
    return status;
  return device->timeLaunches(session->current);
}

Result<std::unique_ptr<Session>> Session::create(CompiledNet net, Device &device) {
  std::unique_ptr<Session> session(new Session(std::move(net)));
  Result<std::unique_ptr<DeviceNet>> loaded = device.load(session->compiled);
  if (loaded.failed())
    return loaded.status();
  session->net = std::move(*loaded);
  return session;
}

Result<Call *> Session::call(std::string_view name) {
  for (std::unique_ptr<Call> &made : calls)
    if (made->point->name == name)
      return made.get();
  const EntryPoint *point = manifest().findEntry(name);
  if (!point)
    return Status::failure(formatText("net '%s' was compiled without the entry point '%s'",
                                      manifest().net.c_str(), std::string(name).c_str()));
  Call *prepare = nullptr;
  if (point->find(BufferRole::Prepared) >= 0 && point->name != "prepare") {
    Result<Call *> made = call("prepare");
    if (made.failed())
      return made.status();
    prepare = *made;
  }
  Result<std::unique_ptr<DeviceCall>> made = net->makeCall(*point);
  if (made.failed())
    return made.status();
  calls.push_back(std::unique_ptr<Call>(new Call(*this, *point, std::move(*made))));
  calls.back()->prepare = prepare;
  return calls.back().get();
}

} // namespace cnn
