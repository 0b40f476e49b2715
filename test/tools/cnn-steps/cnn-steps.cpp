// cnn-steps: the training steps of nets from numbers that the counter-based stream gives, for
// comparisons with PyTorch, which starts from the same ones, or with the slow reference.
//
//   cnn-steps FILE.cnn --net N --recipe R --batch B --steps S
//     prints JSON: the logits of a batch in evaluation, the gradient of every parameter, the losses
//     of S steps on S batches, and the state after them (tensors as Digest.h says)
//   cnn-steps --reference FILE.cnn...
//     for the first recipe of each file: whether compiled code computes what the reference does
#include "Digest.h"
#include "TestNet.h"
#include "TestValues.h"
#include "runtime/device/Devices.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace cnn;
using namespace llvm;

static cl::OptionCategory category("Options");
static cl::list<std::string> files(cl::Positional, cl::OneOrMore, cl::desc("FILE.cnn..."),
                                   cl::cat(category));
static cl::opt<std::string> netName("net", cl::cat(category), cl::desc("default: the recipe's"));
static cl::opt<std::string> recipeName("recipe", cl::cat(category), cl::desc("default: the first"));
static cl::opt<int64_t> batch("batch", cl::cat(category), cl::desc("default: the recipe's"));
static cl::opt<int64_t> steps("steps", cl::init(5), cl::cat(category), cl::desc("default: 5"));
static cl::opt<uint64_t> seed("seed", cl::cat(category), cl::desc("of the numbers (default: 0)"));
static cl::opt<std::string> element("element", cl::cat(category), cl::desc("f32 or f64"));
static cl::opt<unsigned> threads("workers", cl::init(2), cl::cat(category));
static cl::opt<std::string> deviceName("device", cl::init("cpu"), cl::cat(category),
                                       cl::desc("as for cnn (default: cpu)"));
static cl::opt<std::string> cpu("mcpu", cl::init("native"), cl::cat(category),
                                cl::desc("as for cnnc, one whose code runs here"));
static cl::list<std::string> settings("set", cl::cat(category), cl::desc("KEY=VALUE, as for cnnc"));
static cl::opt<bool> byReference("reference", cl::cat(category),
                                 cl::desc("compare with the slow reference"));
static cl::opt<bool> inferOnly("infer", cl::cat(category),
                               cl::desc("with --reference: no training step"));

static cl::opt<bool> varySchedules("vary-schedules", cl::cat(category),
                                   cl::desc("compile every third program with random schedules"));

static TestNetOptions netOptions() {
  TestNetOptions options;
  options.net = netName;
  options.recipe = recipeName;
  options.batch = batch;
  options.element = element;
  options.cpu = cpu;
  options.settings = settings;
  options.seed = seed;
  options.entries = {"infer"};
  if (!inferOnly)
    options.entries.push_back("train_step");
  return options;
}

/// The gradients are read off a step at a rate of 2^20, beside which the parameters are so small
/// that the difference keeps nearly all digits of the gradient.
static bool addGradients(TestNet &net, Json &result) {
  constexpr double rate = 0x1p20;
  const EntryPoint *entry = net.manifest().findEntry("train_step");
  NamedValues inputs = net.inputs(*entry, 0, net.manifest().batch), outputs;
  for (auto &[name, values] : inputs)
    if (name == "momentum" || name == "weight_decay")
      values = {0.0};
  if (!inputs.count("lr"))
    return false;
  inputs["lr"] = {rate};
  if (!net.run("train_step", inputs, outputs))
    return false;
  net.session().commit();
  for (const StateTensor &tensor : net.manifest().state) {
    if (tensor.kind != StateKind::Parameter)
      continue;
    const char *after = static_cast<const char *>(*net.session().state()) + tensor.offset;
    TestValues before = stateValues(seed, tensor);
    result["gradients"][tensor.name] = digest(tensor.elements, [&](int64_t i) {
      return (before.at(i) - readElement(tensor.element, after, i)) / rate;
    });
  }
  fillState(seed, net.manifest(), *net.session().state());
  return true;
}

static bool printSteps(TestNet &net) {
  const Manifest &manifest = net.manifest();
  Json result = {{"net", manifest.net}, {"batch", manifest.batch}};
  const EntryPoint *infer = manifest.findEntry("infer");
  NamedValues outputs;
  if (!net.run("infer", net.inputs(*infer, 0, manifest.batch), outputs))
    return false;
  result["logits"] = outputs.begin()->second;
  if (!addGradients(net, result))
    return false;
  const EntryPoint *entry = manifest.findEntry("train_step");
  for (int64_t step = 0; step < steps; ++step) {
    NamedValues stepOutputs;
    if (!net.run("train_step", net.inputs(*entry, step, manifest.batch), stepOutputs))
      return false;
    net.session().commit();
    result["losses"].push_back(stepOutputs["loss"].front());
  }
  for (const StateTensor &tensor : manifest.state) {
    const char *memory = static_cast<const char *>(*net.session().state()) + tensor.offset;
    result["state"][tensor.name] =
        digest(tensor.elements, [&](int64_t i) { return readElement(tensor.element, memory, i); });
  }
  outs() << jsonText(result) << "\n";
  return true;
}

/// Prints where `ours` is not `reference`: by more than `tolerance` of the largest number, or of 1.
static bool compare(const std::string &what, const std::vector<double> &ours,
                    const std::vector<double> &reference, double tolerance) {
  double scale = 1;
  for (double value : reference)
    scale = std::max(scale, std::abs(value));
  if (ours.size() != reference.size()) {
    outs() << what << ": " << ours.size() << " numbers, the reference has " << reference.size()
           << "\n";
    return false;
  }
  for (size_t i = 0; i < ours.size(); ++i) {
    if (std::abs(ours[i] - reference[i]) <= tolerance * scale)
      continue;
    if (std::isnan(ours[i]) && std::isnan(reference[i]))
      continue;
    outs() << what << " [" << i << "]: " << format("%.9g", ours[i]) << ", the reference has "
           << format("%.9g", reference[i]) << "; largest " << format("%.3g", scale) << "\n";
    return false;
  }
  return true;
}

/// f32: sums of a few thousand terms. f64: the reference computes in the same precision, in another
/// order.
static double toleranceOf(ElementType type) { return type == ElementType::F64 ? 1e-10 : 1e-4; }

static bool compareEntry(TestNet &net, const std::string &path, const EntryPoint &entry) {
  int64_t rows = 1 + TestValues(seed, "rows", 0, 1).below(0, net.manifest().batch);
  NamedValues inputs = net.inputs(entry, 0, rows), ours, reference;
  if (!net.run(entry.name, inputs, ours) || !net.evaluate(entry.name, inputs, reference))
    return false;
  bool agree = true;
  double tolerance = toleranceOf(net.manifest().element);
  if (entry.find(BufferRole::StateOut) >= 0)
    net.session().commit();
  for (const auto &[name, values] : reference) {
    std::string what = path + ": " + entry.name + "'s " + name;
    const StateTensor *state = nullptr;
    if (StringRef tensor = name; tensor.consume_front("state "))
      state = net.manifest().findState(tensor.str());
    if (state) {
      const char *memory = static_cast<const char *>(*net.session().state()) + state->offset;
      std::vector<double> now;
      for (int64_t i = 0; i < state->elements; ++i)
        now.push_back(readElement(state->element, memory, i));
      agree &= compare(what, now, values, tolerance);
    } else {
      agree &= compare(what, ours[name], values, tolerance);
    }
  }
  return agree && !reference.empty();
}

static bool compareFile(const std::string &path, unsigned number, Device &device) {
  PrettyStackTraceFormat trace("comparing %s with the reference", path.c_str());
  TestNetOptions options = netOptions();
  if (varySchedules && number % 3 == 2)
    options.settings.push_back("schedule.seed=" + std::to_string(number));
  std::unique_ptr<TestNet> net = TestNet::open(path, options, device);
  if (!net) {
    outs() << path << ": not compiled\n";
    return false;
  }
  bool agree = true;
  for (const char *name : {"infer", "train_step"})
    if (const EntryPoint *entry = net->manifest().findEntry(name))
      agree &= compareEntry(*net, path, *entry);
  return agree;
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "training steps from given numbers\n");
  Result<DeviceRequest> request = DeviceRequest::parse(deviceName);
  Result<OpenDevice> opened =
      request.isOk() ? openDevice(*request, threads) : Result<OpenDevice>(request.status());
  if (opened.failed()) {
    errs() << opened.message() << "\n";
    return 1;
  }
  Device &device = *opened->device;
  if (!byReference) {
    std::unique_ptr<TestNet> net = TestNet::open(files.front(), netOptions(), device);
    return net && printSteps(*net) ? 0 : 1;
  }
  unsigned agreed = 0, number = 0;
  for (const std::string &path : files) {
    agreed += compareFile(path, number++, device);
    outs().flush();
  }
  outs() << agreed << " of " << files.size() << " programs agree\n";
  return agreed == files.size() ? 0 : 1;
}
