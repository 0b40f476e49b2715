// Options as LLVM's command line library parses them; --help lists the phases from their table.
#include "compiler/tools/cnnc/Options.h"
#include "compiler/tools/NumberOption.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using cnn::tool::Between;
using cnn::tool::mostImages;
using cnn::tool::NumberOption;

static cl::OptionCategory category("Options");

static cl::opt<std::string> input(cl::Positional, cl::desc("FILE"), cl::cat(category));
static cl::opt<std::string> net("net", cl::value_desc("NAME"), cl::cat(category),
                                cl::desc("which net of the file (default: the first recipe's, "
                                         "without recipes the first net)"));
static cl::opt<cnn::Mode>
    mode("mode", cl::cat(category), cl::init(cnn::Mode::Infer),
         cl::desc("what to compile (default: infer, or what a dump of "
                  "phase cnn was made for):"),
         cl::values(clEnumValN(cnn::Mode::Infer, "infer", "the entry point infer"),
                    clEnumValN(cnn::Mode::Train, "train", "train_step, eval and infer")));
static NumberOption batch("batch", Between{1, mostImages}, cl::value_desc("N"), cl::cat(category),
                          cl::desc("the most samples in one call (default: 1; with --mode "
                                   "train the recipe's); exactly this many are compiled "
                                   "for, and whole vectors of them are fastest"));
static cl::opt<std::string> recipe("recipe", cl::value_desc("NAME"), cl::cat(category),
                                   cl::desc("the recipe to train by (default: the net's first)"));
static cl::opt<std::string> target("target", cl::value_desc("cpu|nvptx"), cl::cat(category),
                                   cl::init("cpu"), cl::desc("what to compile for (default: cpu)"));
static cl::opt<std::string> cpu("mcpu", cl::value_desc("CPU"), cl::cat(category),
                                cl::init("native"),
                                cl::desc("the processor, as LLVM names it: znver4, x86-64-v3, "
                                         "cortex-a76 (default: native, the one at hand); of "
                                         "nvptx sm_75 to sm_120 (default: sm_80)"));
static cl::opt<std::string> features("mattr", cl::value_desc("+a,-b"), cl::cat(category),
                                     cl::desc("features to add to the processor's or to remove"));
static cl::opt<std::string> element("element", cl::value_desc("f32|f64"), cl::cat(category),
                                    cl::desc("the type of numbers (default: the recipe's, else "
                                             "f32)"));
static cl::opt<std::string> emitName("emit", cl::value_desc("PHASE"), cl::cat(category),
                                     cl::init("obj"),
                                     cl::desc("how far to compile; the phases are below "
                                              "(default: obj; of nvptx ptx)"));
static cl::opt<std::string>
    output("o", cl::value_desc("OUT"), cl::cat(category),
           cl::desc("where the result goes, - for standard output (default: "
                    "FILE with .o for an object, .ptx for a GPU, else -)"));
static cl::opt<bool> verbose("v", cl::cat(category),
                             cl::desc("with --emit=cubin: print registers, shared memory, spills "
                                      "and occupancy of every kernel to standard error"));
static cl::opt<std::string> dumps("dump-phases", cl::value_desc("DIR"), cl::cat(category),
                                  cl::desc("write every phase into this folder, one numbered file "
                                           "each, and layers.txt with what was decided for each "
                                           "layer; without -o and --emit nothing else"));
static cl::opt<std::string> weights("weights", cl::value_desc("W"), cl::cat(category),
                                    cl::desc("put the weights of this safetensors file into the "
                                             "object"));
static cl::opt<bool> weightsBeside("weights-beside", cl::cat(category),
                                   cl::desc("write them into a file beside the object instead: OUT "
                                            "with .weights for .o"));
static cl::list<std::string>
    settings("set", cl::value_desc("key=value"), cl::cat(category),
             cl::desc("override what the file says (lenet.classes=5) or the "
                      "schedule (schedule.KEY=VALUE); may be repeated"));
static cl::opt<bool> noFusion("no-fusion", cl::cat(category),
                              cl::desc("make every operation a kernel of its own"));
static NumberOption compileThreads("compile-threads", Between{1, 1024}, cl::value_desc("N"),
                                   cl::cat(category),
                                   cl::desc("threads to compile with (default: one per core); "
                                            "the result has the same bytes for every number"));
static cl::opt<bool> timePhases("time-phases", cl::cat(category),
                                cl::desc("print the time of each phase to standard error"));

static cl::opt<bool> tune("tune", cl::cat(category),
                          cl::desc("measure algorithms, blocks and tiles of the net on this "
                                   "machine, and store the fastest: later compilations use them "
                                   "(but not with --set schedule.tuned=off)"));
static NumberOption tuneSeconds("tune-seconds", Between{0, 86400}, cl::value_desc("N"),
                                cl::init(60), cl::cat(category),
                                cl::desc("stop trying when this time is over (default: 60)"));

static const char overview[] =
    "compiles a net of a .cnn file, or a dump of any phase (.mlir), to any later phase\n\n"
    "  cnnc lenet.cnn --emit=scheduled           print what was decided\n"
    "  cnnc lenet.cnn --mode train --dump-phases=dumps\n"
    "  cnnc dumps/04-scheduled.mlir -o lenet.o   go on from an edited dump\n"
    "  cnnc lenet.cnn --weights w.safetensors -o lenet.o\n"
    "  cnnc lenet.cnn --target=nvptx --mode train   lenet.ptx and lenet.json for a GPU\n"
    "  cnnc lenet.cnn --mode train --tune        measure what is fastest here, and keep it\n\n"
    "FILE may be - for standard input. An object comes with a C header (OUT with .h for .o) that\n"
    "says how to call it: it needs libc and libm only. PTX comes with a manifest (.json): the\n"
    "launches of every entry point.\n";

/// The table of phases, after the options.
static std::string phaseHelp() {
  std::string text = "\nPhases:\n";
  for (cnn::Phase phase : cnn::allPhases())
    text += "  " + cnn::phaseName(phase).str() +
            std::string(12 - cnn::phaseName(phase).size(), ' ') + cnn::phaseSummary(phase).str() +
            "\n";
  return text +
         "\nA dump of a phase from cnn to llvm or nvvm, fed back, gives the identical code.\n"
         "Compiled nets of `cnn`, and what --tune measures, are kept in $CNNC_CACHE, "
         "$XDG_CACHE_HOME/cnnc or\n"
         "~/.cache/cnnc; CNNC_PERF=1 writes their symbols to /tmp/perf-PID.map for perf.\n"
         "Exit codes: 0 success; 1 anything else, with a message.\n";
}

static Error checkCombinations(cnn::Phase phase) {
  if (target.getNumOccurrences()) {
    auto kind = cnn::parseTargetKind(target);
    if (!kind)
      return kind.takeError();
    if (!cnn::isPhaseOf(phase, *kind) && emitName.getNumOccurrences()) {
      std::string names;
      for (cnn::Phase other : cnn::phasesOf(*kind))
        names += (names.empty() ? "" : ", ") + cnn::phaseName(other).str();
      return createStringError("--emit=" + emitName + " is no phase of target " + target +
                               "\n  hint: its phases are " + names);
    }
    if (*kind == cnn::TargetKind::Nvptx && !features.empty())
      return createStringError("--mattr is for CPUs: the features of a GPU follow from -mcpu");
  }
  if (verbose && phase != cnn::Phase::Cubin)
    return createStringError("-v needs --emit=cubin: only machine code has registers");
  if (!element.empty() && element != "f32" && element != "f64")
    return createStringError("unknown element type '" + element + "'\n  hint: f32 or f64");
  if (!weights.empty() && phase != cnn::Phase::Obj)
    return createStringError("--weights needs --emit=obj: no other phase holds weights");
  if (weightsBeside && weights.empty())
    return createStringError("--weights-beside needs --weights");
  if (weightsBeside && output == "-")
    return createStringError("--weights-beside needs an object in a file, not on standard output");
  return Error::success();
}

/// What is measured is for the processor at hand, and is stored, not written.
static Error checkTune() {
  if (!tune)
    return tuneSeconds.getNumOccurrences() ? createStringError("--tune-seconds needs --tune")
                                           : Error::success();
  if (target != "cpu")
    return createStringError("--tune measures on the processor at hand, not on a GPU\n  hint: "
                             "leave out --target");
  const cl::Option *written[] = {&emitName, &output, &dumps, &weights};
  for (const cl::Option *option : written)
    if (option->getNumOccurrences())
      return createStringError(
          "--tune stores what it measures and writes nothing else: leave out " +
          std::string(option->ArgStr.size() > 1 ? "--" : "-") + option->ArgStr.str());
  if (cpu != "native" || !features.empty())
    return createStringError("--tune measures on the processor at hand, not on another\n  hint: "
                             "leave out " +
                             std::string(cpu != "native" ? "-mcpu" : "--mattr"));
  for (const std::string &setting : settings)
    for (StringRef key : {"seed", "tuned"})
      if (StringRef(setting).split('=').first.trim() == "schedule." + key.str())
        return createStringError("--tune compares with what the cost model chooses: leave out "
                                 "--set " +
                                 setting);
  return Error::success();
}

/// Nothing that is written may be what is read, nor two of it one file: the later would destroy the
/// earlier.
static Error checkDistinct(const cnn::tool::Options &options) {
  struct Named {
    StringRef what;
    std::string path;
  };
  if (options.output.empty() || options.output == "-")
    return Error::success();
  SmallVector<Named, 3> written = {{"output", options.output}};
  auto beside = [&](StringRef what, StringRef extension) {
    SmallString<128> path(options.output);
    sys::path::replace_extension(path, extension);
    written.push_back({what, path.str().str()});
  };
  if (options.emit == cnn::Phase::Obj)
    beside("header", ".h");
  if (options.emit == cnn::Phase::Ptx || options.emit == cnn::Phase::Cubin)
    beside("manifest", ".json");
  if (options.weightsBeside)
    beside("weights file", ".weights");
  const Named read[] = {{"input", options.input}, {"weights", options.weights}};
  for (const Named &one : written) {
    for (const Named &other : read)
      if (one.path == other.path || sys::fs::equivalent(one.path, other.path))
        return createStringError(one.path + ": the " + one.what + " would overwrite the " +
                                 other.what);
    if (&one != written.begin() && one.path == options.output)
      return createStringError(one.path + ": the " + one.what + " goes there, so the " +
                               (options.emit == cnn::Phase::Obj ? "object" : "code") + " cannot");
  }
  return Error::success();
}

static std::string defaultOutput(cnn::Phase phase) {
  StringRef extension = phase == cnn::Phase::Obj     ? ".o"
                        : phase == cnn::Phase::Ptx   ? ".ptx"
                        : phase == cnn::Phase::Cubin ? ".cubin"
                                                     : "";
  if (extension.empty())
    return "-";
  if (!dumps.empty() && !emitName.getNumOccurrences())
    return "";
  if (input == "-")
    return "-";
  SmallString<128> path = sys::path::filename(input);
  sys::path::replace_extension(path, extension);
  return path.str().str();
}

Error cnn::tool::setDefaults(Options &options, TargetKind target) {
  if (!options.isEmitAsked)
    options.emit = defaultPhase(target);
  if (!options.isOutputAsked)
    options.output = defaultOutput(options.emit);
  return checkDistinct(options);
}

Expected<cnn::tool::Options> cnn::tool::parseOptions(int argc, char **argv) {
  errorPrefix = "cnnc: ";
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter([](raw_ostream &out) { out << "cnnc " CNNC_VERSION "\n"; });
  static const std::string phases = phaseHelp();
  static const cl::extrahelp more(phases);
  cl::ParseCommandLineOptions(argc, argv, overview);
  if (!input.getNumOccurrences())
    return createStringError("FILE is missing\n  hint: the command is cnnc FILE [-o OUT] "
                             "[--mode infer|train] [--emit=PHASE]; cnnc --help says more");
  auto phase = parsePhase(emitName);
  if (!phase)
    return phase.takeError();
  TargetKind kind = target == targetName(TargetKind::Nvptx) ? TargetKind::Nvptx : TargetKind::Cpu;
  if (!emitName.getNumOccurrences())
    phase = defaultPhase(kind);
  if (Error error = checkCombinations(*phase))
    return error;
  if (Error error = checkTune())
    return error;
  Options options;
  options.input = input;
  options.output = output;
  options.isOutputAsked = output.getNumOccurrences();
  options.net = net;
  options.recipe = recipe;
  options.batch = batch;
  options.element = element;
  options.emit = *phase;
  options.isEmitAsked = emitName.getNumOccurrences();
  options.verbose = verbose;
  options.weights = weights;
  options.weightsBeside = weightsBeside;
  options.tune = tune;
  options.tuneSeconds = static_cast<int64_t>(tuneSeconds);
  if (Error error = setDefaults(options, kind))
    return error;
  options.settings.assign(settings.begin(), settings.end());
  if (mode.getNumOccurrences())
    options.phases.mode = mode;
  if (target.getNumOccurrences())
    options.phases.target = kind;
  options.phases.recipe = recipe;
  options.phases.cpu = cpu;
  options.phases.features = features;
  options.phases.fuse = !noFusion;
  options.phases.compileThreads = compileThreads;
  options.phases.dumpDirectory = dumps;
  options.phases.timePhases = timePhases;
  for (const std::string &setting : settings) {
    auto [key, value] = StringRef(setting).split('=');
    if (key.trim().starts_with("schedule."))
      options.phases.settings.emplace_back(key.trim().str(), value.trim().str());
  }
  return options;
}
