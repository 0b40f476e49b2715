// The front end as the tools see it: a .cnn file and `--set` arguments in, graphs and recipes out.
#ifndef CNNC_COMPILER_FRONTEND_FRONTEND_H
#define CNNC_COMPILER_FRONTEND_FRONTEND_H

#include "compiler/frontend/Recipe.h"
#include "llvm/Support/FileSystem.h"
#include <map>

namespace cnn {

/// Whether a `key=value` text belongs to the phases that choose schedules: `schedule.KEY=VALUE`.
bool isScheduleSetting(llvm::StringRef text);
/// Adds the text of one to the sources, so that errors of those phases show it, and reports one
/// that has no key or no value. False when it was reported.
bool addScheduleSetting(llvm::StringRef text, Diagnostics &diagnostics);

/// A parsed file. Everything that fails has reported why to the diagnostics it was parsed with.
class Frontend {
public:
  /// Reads and parses `path`. `sets` are `key=value` texts: `NET.PARAMETER`, `train.KEY`,
  /// `train.optimizer.KEY`, or a constant's name; those that start with `schedule.` belong to later
  /// phases, which report what is wrong with them. nullptr when anything was wrong.
  static std::unique_ptr<Frontend> open(llvm::StringRef path, llvm::ArrayRef<std::string> sets,
                                        Diagnostics &diagnostics);
  /// The same for a text in memory.
  static std::unique_ptr<Frontend> openText(llvm::StringRef name, llvm::StringRef text,
                                            llvm::ArrayRef<std::string> sets,
                                            Diagnostics &diagnostics);
  ~Frontend();

  const ast::File &file() const { return *files.front(); }
  /// Names in the order of the file; those of imported files are not among them.
  std::vector<std::string> nets() const;
  std::vector<std::string> recipes() const;

  /// The recipe called `name`. Empty: the first one that trains `net`, or, if that is empty too,
  /// the first of the file.
  std::optional<Recipe> recipe(llvm::StringRef name, llvm::StringRef net = "");
  /// Whether there is a recipe to find for these arguments of `recipe`; reports nothing.
  bool hasRecipe(llvm::StringRef name, llvm::StringRef net = "") const;

  /// The graph of `net` with the hyperparameters that a recipe gives it: the recipe called `recipe`
  /// or, if that is empty, the first one that trains the net. An empty `net` means the recipe's or,
  /// in a file without recipes, the first net.
  std::unique_ptr<Graph> elaborate(llvm::StringRef net = "", llvm::StringRef recipe = "");

  /// The program of a test of this file; nullptr when there were errors.
  std::unique_ptr<TestProgram> elaborateTest(const ast::TestDecl &test);
  std::string titleOf(const ast::TestDecl &test);
  /// Evaluates every constant of the file. False when there were errors.
  bool checkConstants();

  /// Elaborates and evaluates everything that can be without further arguments: constants, nets
  /// whose hyperparameters all have defaults, recipes and their nets, tests. False when there were
  /// errors.
  bool check();

private:
  explicit Frontend(Diagnostics &diagnostics);
  static std::unique_ptr<Frontend> make(unsigned buffer, llvm::ArrayRef<std::string> sets,
                                        Diagnostics &diagnostics);
  /// Parses a buffer and, first to last, what it imports. `importing` leads from the main file
  /// here.
  using ImportChain = std::vector<std::pair<const ast::File *, const ast::ImportDecl *>>;
  ast::File *load(unsigned buffer, ImportChain &importing);
  bool loadImport(ast::File &file, const ast::ImportDecl &import, ImportChain &importing);
  /// Those of the main file, then those of each imported one.
  std::vector<const ast::Decl *> allDeclarations() const;
  bool addSets(llvm::ArrayRef<std::string> texts);
  void checkDeclarations();
  bool checkSet(const SetArgument &set);
  bool checkTrainSets(const ast::TrainDecl *recipe, const ast::FunctionDecl &net);
  const ast::FunctionDecl *findNet(const ast::Identifier &name);
  const ast::FunctionDecl *findNet(llvm::StringRef name);
  const ast::TrainDecl *findRecipe(llvm::StringRef name, llvm::StringRef net) const;

  std::vector<std::unique_ptr<ast::File>> files; // the main file first
  std::map<llvm::sys::fs::UniqueID, ast::File *> byIdentity;
  Diagnostics &diagnostics;
  std::vector<SetArgument> sets;
  std::unique_ptr<Elaboration> elaboration;
};

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_FRONTEND_H
