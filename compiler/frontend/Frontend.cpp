// Finds the net and the recipe that a command means and runs the phases of the front end on them.
#include "compiler/frontend/Frontend.h"
#include "compiler/frontend/TestProgram.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::cast;
using llvm::dyn_cast;
using llvm::StringRef;
using llvm::Twine;

Frontend::Frontend(Diagnostics &diagnostics) : diagnostics(diagnostics) {}
Frontend::~Frontend() = default;

std::unique_ptr<Frontend> Frontend::open(StringRef path, ArrayRef<std::string> sets,
                                         Diagnostics &diagnostics) {
  std::optional<unsigned> buffer = diagnostics.addFile(path);
  return buffer ? make(*buffer, sets, diagnostics) : nullptr;
}

std::unique_ptr<Frontend> Frontend::openText(StringRef name, StringRef text,
                                             ArrayRef<std::string> sets, Diagnostics &diagnostics) {
  return make(diagnostics.addText(name, text), sets, diagnostics);
}

std::unique_ptr<Frontend> Frontend::make(unsigned buffer, ArrayRef<std::string> sets,
                                         Diagnostics &diagnostics) {
  unsigned before = diagnostics.errorCount();
  std::unique_ptr<Frontend> frontend(new Frontend(diagnostics));
  diagnostics.hold();
  ImportChain importing;
  frontend->load(buffer, importing);
  // Names that were lost in a mistake would be unknown.
  bool complete = llvm::none_of(frontend->files, [](auto &file) { return file->incomplete; });
  if (complete && frontend->addSets(sets)) {
    frontend->elaboration =
        std::make_unique<Elaboration>(frontend->file(), frontend->sets, diagnostics);
    if (diagnostics.errorCount() != before)
      frontend->checkDeclarations(); // whatever else is wrong is shown in the same run
  }
  diagnostics.release();
  return diagnostics.errorCount() == before ? std::move(frontend) : nullptr;
}

//===----------------------------------------------------------------------===//
// Imports
//===----------------------------------------------------------------------===//

File *Frontend::load(unsigned buffer, ImportChain &importing) {
  files.push_back(parseFile(buffer, diagnostics));
  File *file = files.back().get();
  llvm::sys::fs::UniqueID identity;
  if (!llvm::sys::fs::getUniqueID(file->name, identity))
    byIdentity[identity] = file;
  for (const Decl *decl : file->declarations)
    if (auto *import = dyn_cast<ImportDecl>(decl))
      file->incomplete |= !loadImport(*file, *import, importing);
  return file;
}

/// The path of `import` as seen from here, without the `..` that lead back out of a folder.
static llvm::SmallString<128> resolveImport(StringRef importer, StringRef path) {
  llvm::SmallString<128> plain(path);
  if (llvm::sys::path::is_relative(path)) {
    plain = llvm::sys::path::parent_path(importer);
    llvm::sys::path::append(plain, path);
  }
  llvm::SmallString<128> shorter(plain);
  llvm::sys::path::remove_dots(shorter, /*remove_dot_dot=*/true);
  // With links among the folders the two may differ.
  return llvm::sys::fs::equivalent(plain, shorter) ? shorter : plain;
}

/// Returns whether the declarations of the imported file are known.
bool Frontend::loadImport(File &file, const ImportDecl &import, ImportChain &importing) {
  if (diagnostics.full())
    return false;
  auto *text = llvm::cast<StringExpr>(import.path);
  std::string name;
  for (const StringPiece &piece : text->pieces) {
    if (piece.expr) {
      diagnostics.error(text->range, "the path of an import is a plain text, without {...}");
      return false;
    }
    name += piece.text;
  }
  if (name.empty()) {
    diagnostics.error(text->range, "the path of an import is empty");
    return false;
  }
  llvm::SmallString<128> path = resolveImport(file.name, name);
  bool exists = llvm::sys::fs::exists(path);
  if (exists && !llvm::sys::fs::is_regular_file(path) && !llvm::sys::fs::is_directory(path)) {
    diagnostics.error(text->range, "cannot read '" + path + "': it is not a regular file");
    return false;
  }
  llvm::sys::fs::UniqueID identity;
  auto known = exists && !llvm::sys::fs::getUniqueID(path, identity) ? byIdentity.find(identity)
                                                                     : byIdentity.end();
  if (known != byIdentity.end()) {
    File *other = known->second;
    auto inChain = llvm::find_if(importing, [&](auto &link) { return link.first == other; });
    if (other == &file || inChain != importing.end()) {
      auto error = diagnostics.error(text->range, "'" + other->name + "' imports itself");
      for (auto &link : llvm::make_range(inChain, importing.end()))
        error.note(link.second->range, "on the way from it, this file is imported here");
    } else if (llvm::is_contained(file.imports, other)) {
      diagnostics.error(text->range, "'" + other->name + "' is imported twice");
      return true;
    } else {
      file.imports.push_back(other);
      return true;
    }
    return false;
  }
  std::optional<unsigned> buffer = diagnostics.addFile(path, text->range);
  if (!buffer)
    return false;
  importing.push_back({&file, &import});
  file.imports.push_back(load(*buffer, importing));
  importing.pop_back();
  return true;
}

std::vector<const Decl *> Frontend::allDeclarations() const {
  std::vector<const Decl *> all;
  for (const std::unique_ptr<File> &file : files)
    llvm::append_range(all, file->declarations);
  return all;
}

std::vector<std::string> Frontend::nets() const {
  std::vector<std::string> names;
  for (const Decl *decl : file().declarations)
    if (decl->kind == Decl::Kind::Net)
      names.push_back(decl->name.name.str());
  return names;
}

std::vector<std::string> Frontend::recipes() const {
  std::vector<std::string> names;
  for (const Decl *decl : file().declarations)
    if (decl->kind == Decl::Kind::Train)
      names.push_back(decl->name.name.str());
  return names;
}

//===----------------------------------------------------------------------===//
// --set
//===----------------------------------------------------------------------===//

bool cnn::isScheduleSetting(StringRef text) { return text.ltrim().starts_with("schedule."); }

/// Passes look at what it says; their errors find the text by what it is without spaces.
bool cnn::addScheduleSetting(StringRef text, Diagnostics &diagnostics) {
  auto [key, value] = text.split('=');
  key = key.trim();
  value = value.trim();
  std::string plain = key.str() + (text.contains('=') ? "=" + value.str() : "");
  unsigned buffer = diagnostics.addText("--set", plain);
  StringRef shown = diagnostics.text(buffer);
  auto at = [&](size_t begin, size_t end) {
    return llvm::SMRange{llvm::SMLoc::getFromPointer(shown.begin() + begin),
                         llvm::SMLoc::getFromPointer(shown.begin() + end)};
  };
  if (key == "schedule.")
    diagnostics.error(at(0, 8), "'schedule' needs a key, such as schedule.conv or schedule.layout");
  else if (value.empty())
    diagnostics.error(at(shown.size(), shown.size()),
                      text.contains('=') ? "expected a value, found the end of the argument"
                                         : "expected '=' and a value after the key, found the end "
                                           "of the argument");
  else
    return true;
  return false;
}

bool Frontend::addSets(ArrayRef<std::string> texts) {
  bool valid = true;
  for (const std::string &text : texts) {
    if (isScheduleSetting(text)) {
      valid &= addScheduleSetting(text, diagnostics);
      continue;
    }
    unsigned buffer = diagnostics.addText("--set", text);
    std::optional<SetArgument> set = parseSet(buffer, *files.front(), diagnostics);
    valid &= set && checkSet(*set);
    if (set)
      sets.push_back(std::move(*set));
  }
  return valid;
}

/// Whether the key exists. Keys of recipes are checked with the recipe.
bool Frontend::checkSet(const SetArgument &set) {
  const Identifier &root = set.path.front();
  if (root.name == "train") {
    if (recipes().empty()) {
      diagnostics.error(root.range, "'" + file().name + "' has no recipe, so 'train' cannot be set")
          .hint("declare one: train NAME = NET { ... }");
      return false;
    }
    if (set.path.size() > 1)
      return true;
    diagnostics.error(root.range, "'train' needs a key, such as train.batch");
    return false;
  }
  if (root.name == "schedule") {
    diagnostics.error(root.range,
                      "'schedule' needs a key, such as schedule.conv or schedule.layout");
    return false;
  }
  std::vector<StringRef> names = {"train", "schedule"};
  for (const Decl *decl : allDeclarations()) {
    if (decl->kind != Decl::Kind::Net && decl->kind != Decl::Kind::Const)
      continue;
    names.push_back(decl->name.name);
    if (decl->name.name != root.name)
      continue;
    auto *net = dyn_cast<FunctionDecl>(decl);
    if (!net && set.path.size() == 1)
      return true;
    if (!net || set.path.size() != 2) {
      diagnostics.error(set.range, net ? "'" + root.name + "' is a net; set one of its parameters"
                                       : "'" + root.name + "' is a constant and has no parts");
      return false;
    }
    std::vector<StringRef> parameters;
    for (const Parameter &parameter : net->hyperparameters)
      parameters.push_back(parameter.name.name);
    if (llvm::is_contained(parameters, set.path[1].name))
      return true;
    diagnostics
        .error(set.path[1].range,
               "net '" + root.name + "' has no parameter '" + set.path[1].name + "'")
        .note(net->name.range, "'" + root.name + "' is declared here")
        .hint(suggestName(set.path[1].name, parameters, "its parameters are"));
    return false;
  }
  diagnostics.error(root.range, "nothing is called '" + root.name + "'")
      .hint(suggestName(root.name, names, "a key starts with one of"));
  return false;
}

//===----------------------------------------------------------------------===//
// Nets and recipes
//===----------------------------------------------------------------------===//

const FunctionDecl *Frontend::findNet(StringRef name) {
  llvm::SmallVector<StringRef> names;
  for (const Decl *decl : allDeclarations()) {
    bool own = llvm::is_contained(file().declarations, decl);
    if (decl->kind != Decl::Kind::Net || (name.empty() && !own))
      continue;
    if (decl->name.name == name || name.empty())
      return cast<FunctionDecl>(decl);
    names.push_back(decl->name.name);
  }
  if (names.empty())
    diagnostics.error("'" + file().name + "' declares no net");
  else
    diagnostics.error("'" + file().name + "' has no net '" + name + "'")
        .hint(suggestName(name, names, "its nets are"));
  return nullptr;
}

const FunctionDecl *Frontend::findNet(const Identifier &name) {
  llvm::SmallVector<StringRef> names;
  for (const Decl *decl : allDeclarations()) {
    if (decl->kind != Decl::Kind::Net)
      continue;
    if (decl->name.name == name.name)
      return cast<FunctionDecl>(decl);
    names.push_back(decl->name.name);
  }
  diagnostics.error(name.range, "unknown net '" + name.name + "'")
      .hint(suggestName(name.name, names, "the nets are"));
  return nullptr;
}

const TrainDecl *Frontend::findRecipe(StringRef name, StringRef net) const {
  for (const Decl *decl : file().declarations)
    if (auto *recipe = dyn_cast<TrainDecl>(decl))
      if (name.empty() ? net.empty() || recipe->net.name == net : recipe->name.name == name)
        return recipe;
  return nullptr;
}

bool Frontend::hasRecipe(StringRef name, StringRef net) const {
  return findRecipe(name, net) != nullptr;
}

std::optional<Recipe> Frontend::recipe(StringRef name, StringRef net) {
  const TrainDecl *decl = findRecipe(name, net);
  if (decl)
    return evaluateRecipe(*decl, sets, *elaboration, diagnostics);
  std::vector<std::string> all = recipes();
  llvm::SmallVector<StringRef> names(all.begin(), all.end());
  if (!name.empty())
    diagnostics.error("'" + file().name + "' has no recipe '" + name + "'")
        .hint(suggestName(name, names, "its recipes are"));
  else
    diagnostics
        .error("'" + file().name + "' has no recipe" +
               (net.empty() ? Twine() : " for net '" + net + "'"))
        .hint("declare one: train NAME = " + (net.empty() ? "NET" : net) + " { ... }");
  return std::nullopt;
}

/// Whether what is set for recipes exists, for commands that do not read the recipe.
bool Frontend::checkTrainSets(const TrainDecl *recipe, const FunctionDecl &net) {
  auto set =
      llvm::find_if(sets, [](const SetArgument &set) { return set.path.front().name == "train"; });
  if (set == sets.end())
    return true;
  if (recipe)
    return evaluateRecipe(*recipe, sets, *elaboration, diagnostics).has_value();
  diagnostics.error(set->path.front().range,
                    "net '" + net.name.name + "' has no recipe, so 'train' cannot be set");
  return false;
}

std::unique_ptr<Graph> Frontend::elaborate(StringRef netName, StringRef recipeName) {
  const TrainDecl *recipe = findRecipe(recipeName, netName);
  if (!recipeName.empty() && !recipe) {
    this->recipe(recipeName); // says that there is none
    return nullptr;
  }
  if (recipe && !netName.empty() && recipe->net.name != netName) {
    diagnostics.error("recipe '" + recipeName + "' trains net '" + recipe->net.name + "', not '" +
                      netName + "'");
    return nullptr;
  }
  const FunctionDecl *net = recipe ? findNet(recipe->net) : findNet(netName);
  if (!net || !checkTrainSets(recipe, *net))
    return nullptr;
  return elaboration->elaborate(*net, recipe ? recipe->arguments : ArrayRef<Argument>());
}

std::unique_ptr<TestProgram> Frontend::elaborateTest(const TestDecl &test) {
  return elaboration->elaborateTest(test);
}

/// The title as it is written; it has no values in it.
std::string Frontend::titleOf(const TestDecl &test) {
  std::string title;
  for (const StringPiece &piece : llvm::cast<StringExpr>(test.title)->pieces)
    title += piece.text;
  return title;
}

bool Frontend::checkConstants() {
  unsigned before = diagnostics.errorCount();
  elaboration->checkConstants();
  return diagnostics.errorCount() == before;
}

bool Frontend::check() {
  unsigned before = diagnostics.errorCount();
  diagnostics.hold();
  checkDeclarations();
  diagnostics.release();
  return diagnostics.errorCount() == before;
}

void Frontend::checkDeclarations() {
  elaboration->checkConstants();
  llvm::StringMap<const TrainDecl *> names;
  for (const Decl *decl : file().declarations) {
    if (diagnostics.full())
      break;
    auto *recipe = dyn_cast<TrainDecl>(decl);
    if (recipe) {
      auto [entry, inserted] = names.try_emplace(recipe->name.name, recipe);
      if (!inserted)
        diagnostics
            .error(recipe->name.range, "recipe '" + recipe->name.name + "' is declared twice")
            .note(entry->second->name.range, "it is first declared here");
      if (recipe->broken)
        continue;
      std::optional<Recipe> read = evaluateRecipe(*recipe, sets, *elaboration, diagnostics);
      if (const FunctionDecl *net = findNet(recipe->net))
        if (std::unique_ptr<Graph> graph = elaboration->elaborate(*net, recipe->arguments))
          if (read && checkDataFits(*read, *graph, diagnostics))
            checkRecompute(*read, *graph, diagnostics);
      continue;
    }
    if (auto *test = dyn_cast<TestDecl>(decl)) {
      if (!test->broken)
        elaboration->elaborateTest(*test);
      continue;
    }
    auto *net = dyn_cast<FunctionDecl>(decl);
    if (net && net->isNet() &&
        llvm::all_of(net->hyperparameters, [](const Parameter &p) { return p.defaultValue; }))
      elaboration->elaborate(*net, {});
  }
}
