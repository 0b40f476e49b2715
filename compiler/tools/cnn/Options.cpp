// All options in one place: positional ones count in the order of their definitions.
#include "compiler/tools/cnn/Options.h"
#include "compiler/frontend/Diagnostics.h"
#include "compiler/tools/cnn/Commands.h"
#include "runtime/task/ThreadPool.h"

#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace cnn::tool {

cl::SubCommand trainCommand("train", "train a net by a recipe of the file, and write its weights");
cl::SubCommand evalCommand("eval", "loss, accuracy, scores per class and confusion matrix of a "
                                   "trained net on the test images of a recipe's data");
cl::SubCommand predictCommand("predict", "what a trained net says about single images");
cl::SubCommand summaryCommand("summary", "the layers of a net: shapes, parameters, FLOPs, bytes");
cl::SubCommand checkCommand("check", "report the mistakes of files, and do nothing else");
cl::SubCommand testCommand("test", "run the self-tests of files");
cl::SubCommand timeCommand("time", "measure a step of a net, on random images and weights");

cl::SubCommand convertCommand("convert", "check a weight file and write it with the names of the "
                                         "net, or numbered for PyTorch's nn.Sequential");
cl::SubCommand layersCommand("layers", "the layers and functions of the language, with their "
                                       "hyperparameters");

cl::SubCommand devicesCommand("devices",
                              "what nets can be computed on here: the processor, and the "
                              "GPUs that NVIDIA's driver lists");

static cl::OptionCategory category("Options");

cl::opt<std::string> file(cl::Positional, cl::desc("FILE"), cl::cat(category),
                          cl::sub(trainCommand), cl::sub(evalCommand), cl::sub(predictCommand),
                          cl::sub(summaryCommand), cl::sub(timeCommand), cl::sub(convertCommand));
cl::list<std::string> files(cl::Positional, cl::desc("FILE..."), cl::cat(category),
                            cl::sub(checkCommand), cl::sub(testCommand));
cl::list<std::string> names(cl::Positional, cl::desc("[NAME...]"), cl::cat(category),
                            cl::sub(layersCommand));
cl::opt<std::string> recipeName(cl::Positional, cl::desc("[RECIPE]"), cl::cat(category),
                                cl::sub(trainCommand), cl::sub(evalCommand));
cl::list<std::string> inputs(cl::Positional, cl::desc("INPUT..."), cl::cat(category),
                             cl::sub(predictCommand));

cl::opt<std::string>
    output("o", cl::value_desc("W.safetensors"), cl::cat(category), cl::sub(trainCommand),
           cl::sub(convertCommand),
           cl::desc("where the weights go, with an existing file kept as .bak (default: FILE with "
                    ".safetensors for .cnn); checkpoints go beside them, with .ckpt"));
cl::opt<std::string> weightsPath("weights", cl::value_desc("W.safetensors"), cl::cat(category),
                                 cl::sub(evalCommand), cl::sub(predictCommand),
                                 cl::sub(convertCommand),
                                 cl::desc("the trained weights; a checkpoint is accepted"));
cl::opt<std::string> dataDir(
    "data", cl::value_desc("DIR"), cl::cat(category), cl::sub(trainCommand), cl::sub(evalCommand),
    cl::sub(predictCommand),
    cl::desc("the folder of the data set (default: $CNNC_DATA, else where its package puts it)"));
cl::opt<std::string> initPath("init", cl::value_desc("W.safetensors"), cl::cat(category),
                              cl::sub(trainCommand),
                              cl::desc("start from these weights instead of random ones"));
cl::opt<std::string> resumePath("resume", cl::value_desc("CKPT"), cl::cat(category),
                                cl::sub(trainCommand),
                                cl::desc("continue the run that wrote this checkpoint; the result "
                                         "has the bits of a run that never stopped"));
NumberOption epochs("epochs", Between{0, mostEpochs}, cl::value_desc("N"), cl::cat(category),
                    cl::sub(trainCommand),
                    cl::desc("go through the training images N times (default: "
                             "what the recipe says)"));
NumberOption seed("seed", cl::value_desc("N"), cl::cat(category), cl::sub(trainCommand),
                  cl::desc("of initial weights and order of images (default: what "
                           "the recipe says, else 0)"));
NumberOption threads("threads", Between{1, ThreadPool::maxWorkers}, cl::value_desc("N"),
                     cl::cat(category), cl::sub(trainCommand), cl::sub(evalCommand),
                     cl::sub(predictCommand), cl::sub(testCommand), cl::sub(timeCommand),
                     cl::desc("threads to compute with (default: one per processor); the "
                              "results have the same bits for every number"));
cl::opt<std::string> deviceName(
    "device", cl::value_desc("D"), cl::init("cpu"), cl::cat(category), cl::sub(trainCommand),
    cl::sub(evalCommand), cl::sub(predictCommand), cl::sub(testCommand), cl::sub(timeCommand),
    cl::desc(
        "what to compute on: cpu (default), cuda (a GPU of NVIDIA; cuda:1 for the second one), "
        "or auto: the first GPU where there is one that can be used, else the CPU"));
cl::opt<std::string> logPath("log", cl::value_desc("L.jsonl"), cl::cat(category),
                             cl::sub(trainCommand),
                             cl::desc("write the loss of each step, and what is known after each "
                                      "epoch, as JSON lines"));
cl::opt<std::string> netName("net", cl::value_desc("NAME"), cl::cat(category),
                             cl::sub(predictCommand), cl::sub(summaryCommand), cl::sub(timeCommand),
                             cl::sub(convertCommand),
                             cl::desc("which net of the file (default: with --weights the one that "
                                      "they are of; else that of the first recipe, else the "
                                      "first)"));
cl::opt<TimeMode>
    timeMode("mode", cl::cat(category), cl::sub(timeCommand), cl::desc("what a step is"),
             cl::values(clEnumValN(TimeMode::Infer, "infer", "from images to outputs"),
                        clEnumValN(TimeMode::Train, "train",
                                   "from images and labels to updated parameters")));
NumberOption batch("batch", Between{1, mostImages}, cl::value_desc("N"), cl::cat(category),
                   cl::sub(summaryCommand), cl::sub(timeCommand),
                   cl::desc("images per step (default: what the recipe says, else 1)"));
cl::opt<double> seconds("seconds", cl::value_desc("S"), cl::init(3), cl::cat(category),
                        cl::sub(timeCommand), cl::desc("how long to measure (default: 3)"));
NumberOption depth("depth", Between{0, 1000000}, cl::value_desc("N"), cl::cat(category),
                   cl::sub(summaryCommand),
                   cl::desc("a line per group of layers whose names agree in N parts, "
                            "instead of one per layer"));
NumberOption top("top", Between{1, 1000000}, cl::value_desc("N"), cl::init(3), cl::cat(category),
                 cl::sub(predictCommand), cl::desc("how many classes to show (default: 3)"));
cl::list<std::string> settings(
    "set", cl::value_desc("key=value"), cl::cat(category), cl::sub(trainCommand),
    cl::sub(evalCommand), cl::sub(predictCommand), cl::sub(summaryCommand), cl::sub(testCommand),
    cl::sub(timeCommand), cl::sub(convertCommand),
    cl::desc("override what the file says, as in --set train.optimizer.lr=0.05; may be repeated"));
cl::opt<bool> json("json", cl::cat(category), cl::sub(evalCommand), cl::sub(predictCommand),
                   cl::sub(summaryCommand), cl::sub(timeCommand), cl::sub(devicesCommand),
                   cl::desc("print JSON"));
cl::opt<bool> noCache("no-cache", cl::cat(category), cl::sub(trainCommand), cl::sub(evalCommand),
                      cl::sub(predictCommand), cl::sub(testCommand), cl::sub(timeCommand),
                      cl::desc("compile even where the compiled net is in the cache"));
cl::opt<bool> layers("layers", cl::cat(category), cl::sub(timeCommand),
                     cl::desc("also list every layer and kernel: its algorithm, tile, time, "
                              "share of the peak, and the time that the cost model predicts; on a "
                              "GPU the kernels that it is given"));
cl::opt<std::string>
    gpuModel("model", cl::value_desc("GPU"), cl::cat(category), cl::sub(timeCommand),
             cl::desc("with --device cuda: predict the step on this GPU (h100, h200), kernel by "
                      "kernel, from its data sheet; nothing is run, and no GPU is needed. With "
                      "--layers: measure, and show this prediction beside it"));
cl::opt<bool> layerErrors("errors", cl::cat(category), cl::sub(timeCommand),
                          cl::desc("with --layers: also the relative error of every convolution, "
                                   "computed alone by its algorithm, against the direct one in "
                                   "double"));
cl::opt<bool> reference("reference", cl::cat(category), cl::sub(testCommand),
                        cl::desc("run them on the slow reference instead of compiled code"));

cl::opt<bool> numbered("numbered", cl::cat(category), cl::sub(convertCommand),
                       cl::desc("call the layers 0, 1, 2, ... as PyTorch's nn.Sequential does, "
                                "for a net that is a chain of layers"));

static const char overview[] =
    "trains, evaluates and explains convolutional networks written in .cnn files\n\n"
    "  cnn train FILE [RECIPE] [-o W.safetensors]\n"
    "  cnn eval FILE [RECIPE] --weights W.safetensors [--json]\n"
    "  cnn predict FILE --weights W.safetensors INPUT...\n"
    "  cnn summary FILE [--depth N] [--batch N] [--json]\n"
    "  cnn check FILE...\n"
    "  cnn test FILE... [--reference]\n"
    "  cnn time FILE --mode infer|train [--net NAME] [--batch N] [--layers] [--model GPU] "
    "[--json]\n"
    "  cnn convert FILE --weights W.safetensors -o OUT.safetensors [--numbered]\n"
    "  cnn layers [NAME...]\n"
    "  cnn devices [--json]\n\n"
    "RECIPE is the name of a `train` declaration of FILE; without it, the first one counts.\n"
    "INPUT is FILE.png or FILE.jpg, FILE.npy (a tensor [C, H, W], or [N, C, H, W] for several\n"
    "images), FILE:N (item N of an IDX file, from 0), or DATA:train:N or DATA:test:N (an item of "
    "a\n"
    "known data set, as in fashion_mnist:test:0). Images and bytes go through the stages of the\n"
    "recipe's data.\n\n"
    "While training, Ctrl-C writes a checkpoint and says how to continue; a second one kills.\n"
    "Progress goes to standard error: a bar on a terminal, JSON lines otherwise.\n\n"
    "Compiled nets are cached in $CNNC_CACHE, $XDG_CACHE_HOME/cnnc or ~/.cache/cnnc. CNNC_PERF=1\n"
    "writes the names of layers to /tmp/perf-PID.map, where perf reads them: perf report then\n"
    "shows conv1.forward, conv2.data_grad and so on.\n\n"
    "Exit codes: 0 success; 1 wrong input or options, or a file that cannot be read or written;\n"
    "2 training stopped before an update that was not finite; 130 training was interrupted and\n"
    "wrote a checkpoint.\n";

/// What a command cannot do without, in the order in which it is missed.
struct Need {
  Need() = default;
  // By reference: the & of list options gives the list.
  Need(const cl::Option &option, const char *name) : option(&option), name(name) {}
  const cl::Option *option = nullptr;
  const char *name = nullptr;
};
struct CommandNeeds {
  cl::SubCommand *command;
  const char *usage;
  Need needs[3];
};

std::string findMissing() {
  const CommandNeeds table[] = {
      {&trainCommand, "cnn train FILE [RECIPE] [-o W.safetensors]", {{file, "FILE"}}},
      {&evalCommand,
       "cnn eval FILE [RECIPE] --weights W.safetensors",
       {{file, "FILE"}, {weightsPath, "--weights"}}},
      {&predictCommand,
       "cnn predict FILE --weights W.safetensors INPUT...",
       {{file, "FILE"}, {weightsPath, "--weights"}, {inputs, "INPUT"}}},
      {&summaryCommand, "cnn summary FILE [--depth N] [--batch N]", {{file, "FILE"}}},
      {&checkCommand, "cnn check FILE...", {{files, "FILE"}}},
      {&testCommand, "cnn test FILE... [--reference]", {{files, "FILE"}}},
      {&timeCommand, "cnn time FILE --mode infer|train", {{file, "FILE"}, {timeMode, "--mode"}}},
      {&convertCommand,
       "cnn convert FILE --weights W.safetensors -o OUT.safetensors",
       {{file, "FILE"}, {weightsPath, "--weights"}, {output, "-o"}}}};
  for (const CommandNeeds &entry : table)
    for (const Need &need : entry.needs)
      if (*entry.command && need.option && !need.option->getNumOccurrences())
        return std::string(need.name) + " is missing\n  hint: the command is " + entry.usage +
               "; cnn " + entry.command->getName().str() + " --help says more";
  return "";
}

void parseOptions(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  SmallVector<StringRef> commands;
  for (cl::SubCommand *command :
       {&trainCommand, &evalCommand, &predictCommand, &summaryCommand, &checkCommand, &testCommand,
        &timeCommand, &convertCommand, &layersCommand, &devicesCommand}) {
    cl::HideUnrelatedOptions(category, *command);
    commands.push_back(command->getName());
  }
  if (StringRef given = argc > 1 ? argv[1] : "-";
      !given.starts_with("-") && !given.starts_with("@") && !is_contained(commands, given)) {
    std::string meant = cnn::suggestName(given, commands, "");
    std::exit(fail("there is no command '" + given.str() +
                   "'\n  hint: " + (meant.empty() ? "cnn --help lists them" : meant)));
  }
  cl::SetVersionPrinter([](raw_ostream &out) { out << "cnn " CNNC_VERSION "\n"; });
  cl::ParseCommandLineOptions(argc, argv, overview);
}

} // namespace cnn::tool
