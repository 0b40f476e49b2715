// JSON of a manifest -> Manifest, with every fact checked that later code relies on.
#include "runtime/core/Manifest.h"

#include "runtime/abi/cnn_abi.h"
#include "runtime/core/Json.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace cnn {

int EntryPoint::find(BufferRole role, std::string_view name) const {
  for (size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].role == role && (name.empty() || buffers[i].name == name))
      return int(i);
  return -1;
}

int EntryPoint::findImage() const {
  int found = -1;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].role != BufferRole::Input || buffers[i].shape.size() < 2)
      continue;
    if (found >= 0)
      return -1;
    found = static_cast<int>(i);
  }
  return found;
}

const EntryPoint *Manifest::findEntry(std::string_view name) const {
  for (const EntryPoint &entry : entries)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

bool Manifest::writesState() const {
  return std::any_of(entries.begin(), entries.end(),
                     [](const EntryPoint &entry) { return entry.find(BufferRole::StateOut) >= 0; });
}

const StateTensor *Manifest::findState(std::string_view name) const {
  for (const StateTensor &tensor : state)
    if (tensor.name == name)
      return &tensor;
  return nullptr;
}

namespace {

/// Reads the members of one JSON object; the first mistake is kept in `status` and everything after
/// it yields zeros.
class Members {
public:
  Members(const Json &object, std::string where, Status &status)
      : object(object), where(std::move(where)), status(status) {
    if (!object.is_object())
      fail("expected an object");
  }

  bool has(const char *key) {
    known.insert(key);
    return object.is_object() && object.contains(key);
  }

  std::string text(const char *key) {
    const Json *value = get(key);
    if (value && !value->is_string())
      fail(std::string("'") + key + "' must be a string");
    return value && value->is_string() ? value->get<std::string>() : std::string();
  }

  int64_t integer(const char *key, int64_t least) {
    const Json *value = get(key);
    return value ? integer(*value, key, least) : least;
  }

  double number(const char *key) {
    const Json *value = get(key);
    if (value && !value->is_number())
      fail(std::string("'") + key + "' must be a number");
    return value && value->is_number() ? value->get<double>() : 0;
  }

  bool boolean(const char *key) {
    const Json *value = get(key);
    if (value && !value->is_boolean())
      fail(std::string("'") + key + "' must be true or false");
    return value && value->is_boolean() && value->get<bool>();
  }

  std::vector<int64_t> shape(const char *key) {
    std::vector<int64_t> extents;
    for (const Json &extent : array(key))
      extents.push_back(integer(extent, key, 1));
    return extents;
  }

  const Json &array(const char *key) {
    static const Json empty = Json::array();
    const Json *value = get(key);
    if (value && !value->is_array())
      fail(std::string("'") + key + "' must be an array");
    return value && value->is_array() ? *value : empty;
  }

  const Json &member(const char *key) {
    static const Json empty = Json::object();
    const Json *value = get(key);
    return value ? *value : empty;
  }

  ElementType element(const char *key) {
    std::string name = text(key);
    std::optional<ElementType> element = parseElement(name);
    if (!element)
      fail(std::string("'") + key + "' is '" + name + "', expected f32, f64, i32, i64 or u8");
    return element.value_or(ElementType::F32);
  }

  /// The value of `key` among `names`; its position is that of the enumerator.
  template <typename Enum> Enum choice(const char *key, std::vector<std::string> names) {
    std::string name = text(key);
    auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end())
      return Enum(found - names.begin());
    std::string all;
    for (const std::string &each : names)
      all += (all.empty() ? "" : ", ") + each;
    fail(std::string("'") + key + "' is '" + name + "', expected one of " + all);
    return Enum(0);
  }

  /// Call after the last key: others are mistakes.
  void finish() {
    if (object.is_object())
      for (const auto &[key, value] : object.items())
        if (!known.count(key))
          fail("unknown key '" + key + "'");
  }

  void fail(const std::string &message) {
    if (status.isOk())
      status = Status::failure("manifest: " + where + message);
  }

private:
  const Json *get(const char *key) {
    known.insert(key);
    if (!object.is_object())
      return nullptr;
    auto found = object.find(key);
    if (found == object.end()) {
      fail(std::string("'") + key + "' is missing");
      return nullptr;
    }
    return &*found;
  }

  int64_t integer(const Json &value, const char *key, int64_t least) {
    bool fits = value.is_number_integer() &&
                (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
    if (fits && value.get<int64_t>() >= least)
      return value.get<int64_t>();
    fail(formatText("'%s' must be an integer of at least %lld", key, (long long)least));
    return least;
  }

  const Json &object;
  std::string where;
  Status &status;
  std::set<std::string> known;
};

InitSpec readInit(const Json &json, const std::string &where, Status &status) {
  Members members(json, where + "init: ", status);
  InitSpec init;
  init.kind = members.choice<InitKind>(
      "kind", {"xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal",
               "pytorch_default", "constant", "zeros", "uniform", "normal"});
  bool constant = init.kind == InitKind::Constant, zeros = init.kind == InitKind::Zeros;
  bool xavier = init.kind == InitKind::XavierUniform || init.kind == InitKind::XavierNormal;
  bool uniform = init.kind == InitKind::Uniform, normal = init.kind == InitKind::Normal;
  if (members.has("fan_in") || !(constant || zeros || uniform || normal))
    init.fanIn = members.integer("fan_in", 1);
  if (members.has("fan_out") || xavier)
    init.fanOut = members.integer("fan_out", 1);
  if (constant || uniform || normal)
    init.value = members.number(constant ? "value" : uniform ? "low" : "mean");
  if (uniform || normal)
    init.second = members.number(uniform ? "high" : "std");
  members.finish();
  return init;
}

StateTensor readState(const Json &json, size_t index, Status &status) {
  std::string where = formatText("state[%zu]: ", index);
  Members members(json, where, status);
  StateTensor tensor;
  tensor.name = members.text("name");
  tensor.kind = members.choice<StateKind>("kind", {"parameter", "optimizer", "running"});
  tensor.element = members.element("element");
  tensor.shape = members.shape("shape");
  tensor.offset = uint64_t(members.integer("offset", 0));
  tensor.init = readInit(members.member("init"), where, status);
  members.finish();
  std::optional<int64_t> count = elementCount(tensor.shape);
  int64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, int64_t(elementBytes(tensor.element)), &bytes))
    members.fail("the shape " + shapeText(tensor.shape) + " of '" + tensor.name +
                 "' exceeds 2^63 bytes");
  else
    tensor.elements = *count;
  tensor.bytes = uint64_t(bytes);
  if (tensor.offset % CNN_ALIGNMENT)
    members.fail(formatText("the offset %llu of '%s' is not a multiple of %d",
                            (unsigned long long)tensor.offset, tensor.name.c_str(), CNN_ALIGNMENT));
  return tensor;
}

BufferSpec readBuffer(const Json &json, const std::string &where, Status &status) {
  Members members(json, where, status);
  BufferSpec buffer;
  buffer.role = members.choice<BufferRole>(
      "role", {"state_in", "state_out", "prepared", "input", "output", "arena", "scratch"});
  if (buffer.role == BufferRole::Input || buffer.role == BufferRole::Output) {
    buffer.name = members.text("name");
    buffer.element = members.element("element");
    buffer.shape = members.shape("shape");
    std::optional<int64_t> count = elementCount(buffer.shape);
    int64_t bytes = 0;
    if (!count || __builtin_mul_overflow(*count, int64_t(elementBytes(buffer.element)), &bytes))
      members.fail("the shape " + shapeText(buffer.shape) + " of '" + buffer.name +
                   "' exceeds 2^63 bytes");
    buffer.bytes = uint64_t(bytes);
  } else {
    buffer.bytes = uint64_t(members.integer("bytes", 0));
  }
  members.finish();
  return buffer;
}

/// [x, y, z], each from 1 to what CUDA has.
std::array<int64_t, 3> readExtents(Members &members, const char *key, const int64_t (&most)[3]) {
  std::vector<int64_t> extents = members.shape(key);
  std::array<int64_t, 3> result = {1, 1, 1};
  if (extents.size() != 3)
    members.fail(std::string("'") + key + "' must have three extents");
  for (size_t i = 0; i < 3 && i < extents.size(); ++i) {
    if (extents[i] > most[i])
      members.fail(formatText("'%s' is %s, the most is %s", key, shapeText(extents).c_str(),
                              shapeText(most).c_str()));
    result[i] = extents[i];
  }
  return result;
}

LaunchWork readWork(const Json &json, const std::string &where, Status &status) {
  Members members(json, where + "work: ", status);
  LaunchWork work;
  work.algorithm = members.text("algorithm");
  work.instruction = members.text("instruction");
  work.schedule = members.text("schedule");
  work.flops = members.integer("flops", 0);
  work.operations = members.integer("operations", 0);
  work.bytesRead = members.integer("bytes_read", 0);
  work.bytesWritten = members.integer("bytes_written", 0);
  work.bytesL2 = members.integer("bytes_l2", 0);
  work.instructions = members.integer("instructions", 0);
  work.requests = members.integer("requests", 0);
  work.sectors = members.integer("sectors", 0);
  work.passes = members.integer("passes", 0);
  members.finish();
  return work;
}

Launch readLaunch(const Json &json, const EntryPoint &entry, Status &status) {
  // Of every GPU since compute capability 3.0.
  constexpr int64_t mostBlocks[] = {INT32_MAX, 65535, 65535}, mostThreads[] = {1024, 1024, 64};
  std::string where =
      formatText("entry '%s': launches[%zu]: ", entry.name.c_str(), entry.launches.size());
  Members members(json, where, status);
  Launch launch;
  launch.kernel = members.text("kernel");
  launch.layer = members.text("layer");
  launch.grid = readExtents(members, "grid", mostBlocks);
  launch.block = readExtents(members, "block", mostThreads);
  if (int64_t threads = launch.block[0] * launch.block[1] * launch.block[2]; threads > 1024)
    members.fail(formatText("a block of %lld threads, the most is 1024", (long long)threads));
  launch.shared = uint64_t(members.integer("shared", 0));
  if (launch.shared > INT32_MAX)
    members.fail("'shared' exceeds 2^31 bytes");
  for (const Json &each : members.array("arguments")) {
    Members known(each, formatText("%sarguments[%zu]: ", where.c_str(), launch.arguments.size()),
                  status);
    int64_t buffer = known.integer("buffer", 0), offset = known.integer("offset", 0);
    if (buffer >= int64_t(entry.buffers.size()))
      known.fail(formatText("buffer %lld of %zu", (long long)buffer, entry.buffers.size()));
    else if (uint64_t bytes = entry.buffers[size_t(buffer)].bytes; uint64_t(offset) >= bytes)
      known.fail(formatText("byte %lld of a buffer of %llu", (long long)offset,
                            (unsigned long long)bytes));
    else
      launch.arguments.push_back({int(buffer), uint64_t(offset)});
    known.finish();
  }
  if (members.has("work"))
    launch.work = readWork(json["work"], where, status);
  members.finish();
  return launch;
}

EntryPoint readEntry(const Json &json, size_t index, CodeTarget target, Status &status) {
  std::string where = formatText("entries[%zu]: ", index);
  Members members(json, where, status);
  EntryPoint entry;
  entry.name = members.text("name");
  if (target == CodeTarget::Cpu || members.has("symbol"))
    entry.symbol = members.text("symbol");
  entry.flops = members.number("flops");
  if (members.has("fused_bytes"))
    entry.fusedBytes = members.number("fused_bytes");
  for (const Json &buffer : members.array("buffers"))
    entry.buffers.push_back(readBuffer(
        buffer, formatText("entry '%s': buffers[%zu]: ", entry.name.c_str(), entry.buffers.size()),
        status));
  if (target == CodeTarget::Nvptx) {
    for (const Json &launch : members.array("launches"))
      entry.launches.push_back(readLaunch(launch, entry, status));
    if (entry.find(BufferRole::Scratch) >= 0)
      members.fail("GPUs have no scratch memory");
  }
  members.finish();
  return entry;
}

Timing readTiming(const Json &json, Status &status) {
  Members members(json, "timing: ", status);
  Timing timing;
  timing.counters = uint64_t(members.integer("counters", 0));
  timing.vectorBits = members.integer("vector_bits", 0);
  for (const Json &each : members.array("kernels")) {
    Members known(each, formatText("timing: kernels[%zu]: ", timing.kernels.size()), status);
    TimedKernel kernel;
    kernel.name = known.text("name");
    kernel.group = known.text("group");
    kernel.algorithm = known.text("algorithm");
    kernel.tile = known.shape("tile");
    kernel.vector = known.integer("vector", 0);
    kernel.flops = known.number("flops");
    kernel.cycles = known.number("cycles");
    kernel.isOuter = known.boolean("outer");
    known.finish();
    timing.kernels.push_back(std::move(kernel));
  }
  members.finish();
  return timing;
}

/// No two tensors of one name or over each other, none outside the state.
Status checkState(const Manifest &manifest) {
  std::set<std::string_view> names;
  std::vector<const StateTensor *> byOffset;
  for (const StateTensor &tensor : manifest.state) {
    if (!names.insert(tensor.name).second)
      return Status::failure("manifest: two state tensors are called '" + tensor.name + "'");
    if (tensor.offset > manifest.stateBytes || tensor.bytes > manifest.stateBytes - tensor.offset)
      return Status::failure(formatText("manifest: '%s' ends at byte %llu, the state at %llu",
                                        tensor.name.c_str(),
                                        (unsigned long long)(tensor.offset + tensor.bytes),
                                        (unsigned long long)manifest.stateBytes));
    byOffset.push_back(&tensor);
  }
  std::sort(byOffset.begin(), byOffset.end(),
            [](auto *a, auto *b) { return a->offset < b->offset; });
  for (size_t i = 1; i < byOffset.size(); ++i)
    if (byOffset[i - 1]->offset + byOffset[i - 1]->bytes > byOffset[i]->offset)
      return Status::failure("manifest: '" + byOffset[i - 1]->name + "' and '" + byOffset[i]->name +
                             "' overlap in the state");
  return Status::success();
}

/// Every entry point has room for the counters behind what it uses of the scratch memory itself.
Status checkTiming(const Manifest &manifest) {
  const Timing &timing = manifest.timing;
  if (timing.kernels.empty())
    return Status::success();
  uint64_t end = timing.counters + 8 * (Timing::firstKernel + timing.kernels.size());
  for (const EntryPoint &entry : manifest.entries) {
    int scratch = entry.find(BufferRole::Scratch);
    if (timing.counters % 8 || timing.counters > INT64_MAX || scratch < 0 ||
        entry.buffers[scratch].bytes < end)
      return Status::failure("manifest: entry '" + entry.name + "' has no room for its counters");
  }
  return Status::success();
}

/// Entries have names of their own, the state buffers the size of the state; what is prepared has
/// the size that the manifest states, and an entry point that writes it.
Status checkEntries(const Manifest &manifest) {
  std::set<std::string_view> names;
  for (const EntryPoint &entry : manifest.entries) {
    if (!names.insert(entry.name).second)
      return Status::failure("manifest: two entries are called '" + entry.name + "'");
    for (const BufferSpec &buffer : entry.buffers) {
      if (buffer.role == BufferRole::Prepared &&
          (buffer.bytes != manifest.preparedBytes || !manifest.findEntry("prepare")))
        return Status::failure(formatText(
            "manifest: entry '%s' takes %llu prepared bytes, %s", entry.name.c_str(),
            (unsigned long long)buffer.bytes,
            manifest.findEntry("prepare")
                ? formatText("there are %llu", (unsigned long long)manifest.preparedBytes).c_str()
                : "and there is no entry 'prepare'"));
      if ((buffer.role == BufferRole::StateIn || buffer.role == BufferRole::StateOut) &&
          buffer.bytes != manifest.stateBytes)
        return Status::failure(
            formatText("manifest: entry '%s' takes a state of %llu bytes, the state has %llu",
                       entry.name.c_str(), (unsigned long long)buffer.bytes,
                       (unsigned long long)manifest.stateBytes));
    }
  }
  return Status::success();
}

} // namespace

Result<Manifest> parseManifest(std::string_view text) {
  Result<Json> json = parseJson(text, "manifest");
  if (json.failed())
    return json.status();
  Status status;
  Members members(*json, "", status);
  Manifest manifest;
  int64_t abi = members.integer("abi", 0);
  if (status.isOk() && abi != CNN_ABI_VERSION)
    return Status::failure(formatText("manifest: compiled for version %lld of the interface, this "
                                      "runtime has version %d",
                                      (long long)abi, CNN_ABI_VERSION))
        .withHint("compile the net again");
  manifest.net = members.text("net");
  manifest.batch = members.integer("batch", 1);
  manifest.element = members.element("element");
  if (members.has("target"))
    manifest.target = members.choice<CodeTarget>("target", {"cpu", "nvptx"});
  if (manifest.target == CodeTarget::Nvptx)
    manifest.arch = members.text("arch");
  if (manifest.target == CodeTarget::Cpu || members.has("cpu"))
    manifest.cpu = members.text("cpu");
  manifest.stateBytes = uint64_t(members.integer("state_bytes", 0));
  manifest.preparedBytes = uint64_t(members.integer("prepared_bytes", 0));
  for (const Json &tensor : members.array("state"))
    manifest.state.push_back(readState(tensor, manifest.state.size(), status));
  for (const Json &entry : members.array("entries"))
    manifest.entries.push_back(readEntry(entry, manifest.entries.size(), manifest.target, status));
  if (members.has("timing"))
    manifest.timing = readTiming(members.member("timing"), status);
  members.finish();
  if (status.isOk())
    status = checkState(manifest);
  if (status.isOk())
    status = checkEntries(manifest);
  if (status.isOk())
    status = checkTiming(manifest);
  if (status.failed())
    return status;
  return manifest;
}

} // namespace cnn
