// The class behind Elaborate.h, shared by the files Elaborate*.cpp, each of which says what of it
// it has. Internal.
#ifndef CNNC_COMPILER_FRONTEND_ELABORATEIMPL_H
#define CNNC_COMPILER_FRONTEND_ELABORATEIMPL_H

#include "compiler/frontend/Elaborate.h"
#include "compiler/frontend/TestProgram.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSet.h"
#include <deque>

namespace cnn {

/// The names of layers within one block or labelled group.
struct PathScope {
  std::string prefix; // "b2.residual1.", or empty in the net's own body
  llvm::StringMap<unsigned> ordinals;
  llvm::StringMap<llvm::SMRange> taken;
};

/// `layer e = conv(16, kernel = 3)`: a layer, block or net whose uses share its parameters.
struct SharedLayer {
  const ast::Expr *expr;
  Scope *scope;
  std::string name;
  std::string prefix;                         // of the paths where it was declared
  SharedLayer *outer = nullptr;               // the shared layer that it was declared in
  bool isCall = false;                        // whether it is a layer of the registry
  llvm::SmallVector<unsigned, 2> params = {}; // since its first use, in the order of their making
  size_t taken = 0;                           // how many of them the current use has taken
  llvm::SMRange firstUse = {}, use = {};
  unsigned uses = 0;
};

/// An index of a function by index: `i < n`.
struct IndexBinder {
  std::string name;
  int64_t size;
  llvm::SMRange range;
};

/// Literals lie in the compiled object; larger ones are data and belong into files.
inline constexpr int64_t maxLiteral = int64_t(1) << 24;

/// Longer lists and strings are mistakes; doubling one 40 times would take all memory.
inline constexpr int64_t maxElements = 1'000'000;

/// An expression as it could have been written, for messages.
std::string printed(const ast::Expr *expr);

/// What is known while a test is elaborated.
struct TestState {
  /// `var name`: its value now is that of its binding, what loops and branches find is in `slot`.
  struct Variable {
    llvm::StringRef name;
    llvm::SMRange range;
    int slot = -1; // index in Graph::tensors; -1: none yet
  };
  TestProgram *program = nullptr;
  std::vector<TestInstruction> *code = nullptr; // where instructions go
  unsigned piece = 0;
  llvm::DenseMap<Scope::Binding *, Variable> variables;
  llvm::DenseSet<unsigned> counters; // tensors that count the rounds of a loop
  bool expectsError = false;         // inside of `expect error`
  std::deque<ast::NameExpr> names;   // of `name += value`
  std::deque<ast::BinaryExpr> sums;  // likewise
};

class Elaborator {
public:
  Elaborator(const ast::File &file, llvm::ArrayRef<SetArgument> sets, Diagnostics &diagnostics);

  std::unique_ptr<Graph> elaborate(const ast::FunctionDecl &net,
                                   llvm::ArrayRef<ast::Argument> arguments);
  std::unique_ptr<TestProgram> elaborateTest(const ast::TestDecl &decl);
  Value evaluate(const ast::Expr *expr, Scope *scope);
  void checkConstants();
  /// Notes where a value was written that `expr` has, if elsewhere, and what the names in `expr`
  /// and in the constants behind them are worth.
  void noteValue(DiagnosticBuilder &report, const ast::Expr *expr, llvm::SMRange origin,
                 Scope *scope);

private:
  using Values = llvm::SmallVector<Value, 2>;
  using DefInputs = std::vector<std::optional<Value>>; // empty: left out

  /// An error that also tells the chain of uses around the place.
  class Report {
  public:
    Report(Elaborator &self, llvm::SMRange range, const llvm::Twine &message)
        : self(self), range(range), builder(self.diagnostics.error(range, message)) {}
    ~Report();
    Report &note(llvm::SMRange range, const llvm::Twine &message) {
      builder.note(range, message);
      return *this;
    }
    Report &hint(const llvm::Twine &text) {
      builder.hint(text);
      return *this;
    }
    operator DiagnosticBuilder &() { return builder; }

  private:
    Elaborator &self;
    llvm::SMRange range;
    DiagnosticBuilder builder;
  };
  Report error(llvm::SMRange range, const llvm::Twine &message) {
    return Report(*this, range, message);
  }

  /// Bounds recursion and the number of steps; false when a bound was met (and reported).
  struct Step {
    Step(Elaborator &self, llvm::SMRange range);
    ~Step() { --self.depth; }
    explicit operator bool() const { return !self.aborted; }
    Elaborator &self;
  };
  void reportEndless(llvm::SMRange range);
  /// Puts a use around what is elaborated while it lives.
  struct Use {
    Use(Elaborator &self, llvm::SMRange range, std::string what);
    ~Use() { self.currentUse = saved; }
    Elaborator &self;
    int saved;
  };

  /// A condition on indices holds, or does not, while it lives.
  struct Assumption {
    Assumption(Elaborator &self, const Scalar &condition, bool holds)
        : self(self), before(self.facts.size()) {
      assume(condition, holds, self.facts);
    }
    ~Assumption() { self.facts.resize(before); }
    Elaborator &self;
    size_t before;
  };

  /// Names layers within a block while it lives.
  struct InPath {
    InPath(Elaborator &self, std::string prefix) : self(self), saved(self.path) {
      scope.prefix = std::move(prefix);
      self.path = &scope;
    }
    ~InPath() { self.path = saved; }
    Elaborator &self;
    PathScope scope;
    PathScope *saved;
  };

  // Declarations, bodies, names, nets and blocks (Elaborate.cpp, ElaborateFunction.cpp).
  Value evaluateConst(const ast::ConstDecl &decl, llvm::SMRange use);
  bool bindParameters(const ast::FunctionDecl &decl, llvm::ArrayRef<ast::Argument> arguments,
                      Scope *caller, Scope &scope, llvm::SMRange range, bool isTop);
  /// In a test, a net sees the inputs as batches, of which `batch` becomes the shape.
  bool bindInputs(const ast::FunctionDecl &decl, llvm::ArrayRef<Value> inputs, Scope &scope,
                  llvm::SMRange range, std::optional<mlir::cnn::Shape> &batch);
  Value regroup(const Value &value, GraphTensor tensor, llvm::SMRange range);
  Value toComputed(const Value &value, llvm::SMRange range);
  Value toWhole(const Value &value, const mlir::cnn::Shape &batch, llvm::SMRange range);
  std::optional<mlir::cnn::Shape> evaluateShape(const ast::Expr *expr, Scope *scope,
                                                bool allowScalar = false);
  Value callFunction(const ast::FunctionDecl &decl, llvm::ArrayRef<ast::Argument> arguments,
                     Scope *caller, llvm::ArrayRef<Value> inputs, llvm::SMRange range);
  bool bindExtents(const ast::Parameter &input, const GraphTensor &tensor, Scope &scope,
                   llvm::SMRange range);
  bool toOutputs(const ast::FunctionDecl &net, const Value &output, Values &outputs);
  Value callDef(const ast::DefDecl &decl, const DefInputs &inputs, llvm::SMRange range);
  void reportCount(const ast::DefDecl &decl, size_t given, llvm::SMRange range);
  Value evaluateBody(const ast::Body &body, Scope *parent, const llvm::Twine &what);
  void declareNames(const ast::Body &body, Scope &scope);
  bool execute(const ast::Stmt *stmt, Scope &scope);
  bool define(Scope &scope, llvm::StringRef name, llvm::SMRange range, Value value);
  bool bindPattern(const ast::Pattern &pattern, const Value &value, Scope &scope);
  Value evaluateName(const ast::NameExpr &name, Scope *scope);
  void noteNames(DiagnosticBuilder &report, const ast::Expr *expr, Scope *scope,
                 llvm::SmallVectorImpl<const char *> &noted);
  const ast::Expr *valueOf(const ast::ConstDecl &decl) const;
  Scope::Binding *lookup(llvm::StringRef name, Scope *scope);
  void reportUnknown(const ast::NameExpr &name, Scope *scope, bool asLayer);
  Scope &makeScope(Scope *parent);

  /// Makes everything ready for a new graph.
  void begin(llvm::StringRef name, llvm::SMRange range);

  // Tests (ElaborateTest.cpp, ElaborateExpect.cpp, ElaborateGrad.cpp).
  void tagNodes(size_t count);
  void startPiece(llvm::SMRange range);
  TestInstruction &addInstruction(TestInstruction::Kind kind, llvm::SMRange range);
  void executeTest(const ast::Body &body, Scope &scope);
  void executeTestStatement(const ast::Stmt *stmt, Scope &scope);
  TestState::Variable *findVariable(llvm::StringRef name, Scope *scope, Scope::Binding **binding);
  void executeAssign(const ast::AssignStmt &assign, Scope &scope);
  void findChanged(const ast::Body &body, Scope *scope,
                   llvm::SmallVectorImpl<Scope::Binding *> &changed);
  void storeVariables(llvm::ArrayRef<Scope::Binding *> bindings, llvm::SMRange range);
  void loadVariables(llvm::ArrayRef<Scope::Binding *> bindings);
  void executeFor(const ast::ForExpr &loop, Scope &scope);
  std::optional<TestInstruction> toRunningRange(const ast::RangeExpr &range, Scope &scope);
  void executeLoop(const ast::ForExpr &loop, TestInstruction instruction,
                   llvm::ArrayRef<Scope::Binding *> changed, Scope &scope);
  void executeIf(const ast::IfExpr &branch, Scope &scope);
  static bool isTruth(const HostExpr &expr);
  bool isCounting(const ast::Expr *expr, Scope *scope);
  bool toHost(const ast::Expr *expr, Scope *scope, HostExpr &host);
  void executePrint(const ast::PrintStmt &print, Scope &scope);
  void executeExpect(const ast::ExpectStmt &expect, Scope &scope);
  void executeExpectError(const ast::ExpectStmt &expect, Scope &scope);
  Value evaluateGradient(const ast::CallExpr &expr, llvm::ArrayRef<Value> values);
  Value makeGradient(unsigned loss, unsigned source, const ast::CallExpr &expr,
                     llvm::SMRange sourceRange);

  // Parameters of custom layers (ElaborateParam.cpp).
  bool declareParam(const ast::ParamStmt &stmt, Scope &scope);
  std::optional<ParamInit> evaluateInitialiser(const ast::Expr *expr, const mlir::cnn::Shape &shape,
                                               Scope *scope);

  // Values (ElaborateExpr.cpp, ElaboratePlace.cpp, ElaborateCall.cpp).
  Value evaluateUnary(const ast::UnaryExpr &expr, Scope *scope);
  Value evaluateBinary(const ast::BinaryExpr &expr, Scope *scope);
  Value evaluateLogic(const ast::BinaryExpr &expr, Scope *scope);
  Value computeInt(const ast::BinaryExpr &expr, const Value &lhs, const Value &rhs);
  Value computeFloat(const ast::BinaryExpr &expr, double lhs, double rhs, const Value &divisor);
  Value compare(const ast::BinaryExpr &expr, const Value &lhs, const Value &rhs);
  Value evaluateString(const ast::StringExpr &expr, Scope *scope);
  Value evaluateList(llvm::ArrayRef<ast::Expr *> elements, Value::Kind kind, llvm::SMRange range,
                     Scope *scope);
  Value makeList(Value::Kind kind, std::vector<Value> elements, llvm::SMRange range);
  bool evaluateEnds(const ast::RangeExpr &range, Scope *scope, Value &value);
  Value evaluateRange(const ast::RangeExpr &range, Scope *scope);
  /// What an index takes of a dimension: the elements from `begin` on, `step` apart. An integer
  /// takes one and does not keep the dimension.
  struct Part {
    int64_t begin = 0, count = 1, step = 1;
    bool kept = false;
  };
  Value evaluatePlace(const ast::Expr *expr, Scope *scope);
  std::optional<Part> takePart(const ast::Expr *expr, const Value &index, int64_t extent,
                               const llvm::Twine &of, Scope *scope, llvm::SMRange list = {});
  Value evaluateIndex(const ast::IndexExpr &expr, Scope *scope);
  Value evaluateMember(const ast::MemberExpr &expr, Scope *scope);
  Value findParam(const SharedLayer &shared, llvm::StringRef name, llvm::SMRange range);
  bool takesTensor(const mlir::cnn::LayerDef &layer, const ast::CallExpr &expr, Scope *scope);
  Value evaluateCall(const ast::CallExpr &expr, Scope *scope);
  std::optional<Value> evaluateBuiltin(llvm::StringRef name, const ast::CallExpr &expr,
                                       llvm::ArrayRef<Value> values);
  bool evaluateTensors(const ast::CallExpr &expr, Scope *scope, Values &tensors);
  bool evaluateArguments(llvm::ArrayRef<ast::Argument> arguments, Scope *scope, Values &values);
  bool bindDefArguments(const ast::DefDecl &decl, const ast::CallExpr &expr, Scope *scope,
                        DefInputs &values);
  bool toTensorArguments(llvm::ArrayRef<ast::Argument> arguments, Values &values);
  Value callRegistered(const mlir::cnn::LayerDef *layer, const ast::NameExpr &name,
                       const ast::CallExpr &expr, Scope *scope);
  std::optional<bool> evaluateCondition(const ast::Expr *expr, Scope *scope);
  std::optional<bool> toCondition(const Value &value, const ast::Expr *expr);

  // Tensors (ElaborateTensor.cpp).
  /// A tensor of the graph for a tensor, a number, a list of numbers or a range; an error for
  /// everything else.
  Value toTensor(const Value &value, llvm::SMRange range);
  Value convertToTensor(const Value &value, llvm::SMRange range);
  /// A new input of the graph, and its index in Graph::tensors.
  unsigned addInput(const mlir::cnn::Shape &shape, bool batched, bool integer, llvm::StringRef name,
                    llvm::SMRange range);
  Value addNode(const mlir::cnn::LayerDef &layer, mlir::cnn::LayerArgs arguments,
                llvm::ArrayRef<unsigned> operands, llvm::SMRange range);
  Value makeIndexNode(mlir::cnn::IndexFunction function, llvm::ArrayRef<unsigned> operands,
                      llvm::SMRange range);
  Value makeLiteral(const mlir::cnn::Shape &shape, std::vector<double> numbers, bool integer,
                    llvm::SMRange range);
  Value makePointwise(unsigned tensor, std::vector<mlir::cnn::IndexTerm> terms, bool integer,
                      llvm::SMRange range);
  Value toNumbers(const Value &value);
  // Tensors made of nothing (ElaborateGenerate.cpp).
  static bool isGenerator(llvm::StringRef name);
  Value generate(const ast::CallExpr &expr, Scope *scope);
  std::optional<mlir::cnn::Shape> takeShape(const ast::CallExpr &expr,
                                            llvm::ArrayRef<Value> &values, bool listOnly);
  bool flattenList(const Value &value, size_t depth, mlir::cnn::Shape &shape,
                   std::vector<double> &numbers, llvm::SMRange range);
  /// Whether a value is a number or a list of numbers, nested or not.
  static bool isNumeric(const Value &value);
  /// Whether a place is in a test or a function, where lists of numbers are tensors.
  bool isInTensorText(llvm::SMLoc place) const;
  bool checkPower(const ast::BinaryExpr &expr, const Value &power);
  Value computePower(const ast::BinaryExpr &expr, const Value &base, const Value &power);
  Value computeTensors(const ast::BinaryExpr &expr, const Value &lhs, const Value &rhs);
  Value evaluateSlice(const ast::IndexExpr &expr, const Value &base, llvm::ArrayRef<Value> indices,
                      Scope *scope);
  Value evaluateTensorIndex(const ast::IndexExpr &expr, const Value &base, Scope *scope);

  // Functions by index (ElaborateScalar.cpp, ElaborateIndex.cpp).
  Scalar toScalar(const Value &value, llvm::SMRange range);
  bool checkNumbers(llvm::ArrayRef<Scalar> scalars, llvm::ArrayRef<llvm::SMRange> ranges);
  Value negateScalar(const ast::UnaryExpr &expr, const Value &value);
  Value notScalar(const ast::UnaryExpr &expr, const Value &value);
  Value computeScalars(const ast::BinaryExpr &expr, const Value &lhs, const Value &rhs,
                       Scope *scope);
  Value computeScalarPower(const ast::BinaryExpr &expr, const Value &lhs, const Value &rhs,
                           Scope *scope);
  Value logicScalars(const ast::BinaryExpr &expr, const Value &lhs, Scope *scope);
  Value selectScalar(const ast::IfExpr &expr, const Value &condition, Scope *scope);
  std::optional<Value> callScalarBuiltin(llvm::StringRef name, const ast::CallExpr &expr,
                                         llvm::ArrayRef<Value> values);
  Value callOnScalar(const mlir::cnn::LayerDef &layer, llvm::ArrayRef<ast::Argument> arguments,
                     Scope *scope, llvm::ArrayRef<Value> values, llvm::SMRange range);
  std::pair<int64_t, int64_t> boundsOf(const IndexSum &sum, llvm::ArrayRef<IndexFact> facts) const;
  Value evaluateElement(const ast::IndexExpr &expr, const Value &base,
                        llvm::ArrayRef<Value> indices);
  Value gather(const Scalar &scalar, llvm::ArrayRef<unsigned> kept,
               llvm::ArrayRef<unsigned> reduced, mlir::cnn::IndexFunction::Reduction reduction,
               llvm::SMRange range);
  bool bindIndices(llvm::ArrayRef<ast::Binder> list, Scope &scope,
                   llvm::SmallVectorImpl<unsigned> &numbers);
  void noteExtents(Report &report, const ast::Expr *expr, Scope *scope);
  Value evaluateComprehension(const ast::ComprehensionExpr &expr, Scope *scope);
  Value evaluateReduction(const ast::CallExpr &expr, Scope *scope);

  // Stages (ElaborateStage.cpp).
  Value evaluateChain(const ast::ChainExpr &chain, Scope *scope);
  bool toTensors(const Value &value, llvm::SMRange range, Values &tensors);
  Value apply(const Value &stage, llvm::ArrayRef<Value> inputs, llvm::SMRange range);
  Value applyExpr(const ast::Expr *expr, Scope *scope, llvm::ArrayRef<Value> inputs);
  Value applyCall(const ast::NameExpr &name, const ast::CallExpr *call, Scope *scope,
                  llvm::ArrayRef<Value> inputs, llvm::SMRange range);
  Value applyShared(const Value &layer, llvm::ArrayRef<Value> inputs, llvm::SMRange range);
  Value evaluateLabel(const ast::Expr *expr, Scope *scope);
  Value applyLabelled(const ast::LabelledExpr &expr, Scope *scope, llvm::ArrayRef<Value> inputs);
  Value applyBody(const ast::Body &body, Scope *scope, llvm::ArrayRef<Value> inputs,
                  const llvm::Twine &what);
  Value applyRepeat(const ast::RepeatExpr &expr, Scope *scope, llvm::ArrayRef<Value> inputs);
  Value applyFor(const ast::ForExpr &expr, Scope *scope, llvm::ArrayRef<Value> inputs);
  Value applyIf(const ast::IfExpr &expr, Scope *scope, llvm::ArrayRef<Value> inputs);
  /// Runs `inside` with a new path scope when a label is pending.
  Value inLabel(llvm::function_ref<Value()> inside);

  // Layers (ElaborateLayer.cpp).
  Value callLayer(const mlir::cnn::LayerDef &layer, llvm::ArrayRef<ast::Argument> arguments,
                  Scope *scope, llvm::ArrayRef<Value> inputs, llvm::SMRange range);
  /// Infers the shape of a node whose layer's arguments and operands are set, and adds it.
  Value finishNode(const mlir::cnn::LayerDef &layer, GraphNode node,
                   llvm::ArrayRef<ast::Argument> arguments, llvm::ArrayRef<Value> inputs,
                   llvm::SMRange range, const llvm::StringMap<Value> &tensors = {});
  bool bindLayerArguments(const mlir::cnn::LayerDef &layer, llvm::ArrayRef<ast::Argument> arguments,
                          Scope *scope, llvm::SMRange range, mlir::cnn::LayerArgs &bound,
                          llvm::StringMap<Value> &tensors);
  bool takeTensors(const mlir::cnn::LayerDef &layer, const llvm::StringMap<Value> &tensors,
                   mlir::cnn::LayerArgs &bound, llvm::SMRange range);
  /// Takes the parameters that the call gives as tensors off those that the layer needs.
  bool giveParams(GraphNode &node, mlir::cnn::LayerShape &shape,
                  const llvm::StringMap<Value> &tensors, llvm::SMRange range);
  bool convertArgument(const mlir::cnn::LayerDef &layer, const mlir::cnn::LayerArg &arg,
                       const Value &value, const ast::Argument &argument, Scope *scope,
                       mlir::cnn::LayerArgs &bound);
  void reportProblem(const mlir::cnn::LayerDef &layer, const mlir::cnn::LayerProblem &problem,
                     llvm::ArrayRef<ast::Argument> arguments, llvm::ArrayRef<Value> inputs,
                     llvm::SMRange range);
  void noteOrigin(Report &report, const mlir::cnn::LayerProblem &problem, const Value &input);
  /// Reports a tensor that is larger than the memory, with what the names in `expr`, or in the
  /// arguments of the call that makes it, are worth.
  bool checkSize(llvm::ArrayRef<int64_t> shape, const llvm::Twine &what, llvm::SMRange range,
                 const ast::Expr *expr, Scope *scope);
  bool checkSize(llvm::ArrayRef<int64_t> shape, const llvm::Twine &what, llvm::SMRange range,
                 llvm::ArrayRef<ast::Argument> arguments, llvm::ArrayRef<Value> inputs);
  std::optional<unsigned> takeParam(GraphParam param, SharedLayer *shared);
  bool addParams(GraphNode &node, const mlir::cnn::LayerShape &shape, llvm::SMRange range,
                 llvm::ArrayRef<ast::Argument> arguments, llvm::ArrayRef<Value> inputs);
  /// The path of a new layer or block: the pending label, or `stem` and its ordinal.
  std::optional<std::string> takeName(llvm::StringRef stem, llvm::SMRange range);

  /// The declaration that a name of a source text means: one of its own file or of a file that this
  /// one imports, directly or not. Null where there is none.
  const ast::Decl *findGlobal(llvm::StringRef name) const;

  const ast::File &file;
  /// The file and all that it imports: each before those that import it, with what each can see.
  struct Module {
    const ast::File *file;
    llvm::SmallPtrSet<const ast::File *, 4> visible;
  };
  std::vector<Module> modules;
  const Module *moduleOf(const char *place) const;
  bool isVisible(const ast::Decl &decl, const char *place) const;
  void addModule(const ast::File &file);
  llvm::ArrayRef<SetArgument> sets;
  Diagnostics &diagnostics;

  llvm::StringMap<const ast::Decl *> globals;
  /// Names that are declared twice, or where the parser failed: what they mean is not known.
  llvm::StringSet<> unsure;
  Scope globalScope;
  enum class State { New, Running, Done };
  struct Constant {
    State state = State::New;
    Value value;
    bool isTensor = false; // then its value is that in `tensorConstants`
  };
  llvm::StringMap<Constant> constants;
  llvm::StringMap<Value> tensorConstants; // of the graph, and in a test of the piece
  /// In a test, the tensors that lists became in this piece: a name for a list stands for one
  /// tensor, so that grad(loss, k) finds what the loss was computed from.
  llvm::DenseMap<const std::vector<Value> *, std::pair<Value, Value>> tensorsOfLists;
  /// Constants and nets being evaluated, and where each was used: to show a cycle.
  std::vector<std::pair<const ast::Decl *, llvm::SMRange>> running;
  llvm::SmallPtrSet<const ast::Decl *, 4> netsInCycles;

  std::deque<Scope> scopes;
  std::deque<SharedLayer> sharedLayers;
  std::unique_ptr<Graph> graph;
  TestState *test = nullptr; // while a test is elaborated
  PathScope *path = nullptr;
  SharedLayer *sharing = nullptr;
  llvm::SmallVector<SharedLayer *, 2> layersInUse;
  struct Label {
    std::string text;
    llvm::SMRange range;
  };
  std::optional<Label> label;
  /// The hyperparameters of the call that was bound last, for notes: where the values were written,
  /// and where names in the arguments are looked up.
  struct BoundCall {
    Scope *scope = nullptr;
    llvm::StringMap<llvm::SMRange> origins;
  };
  BoundCall boundCall;
  int currentUse = -1;
  std::deque<IndexBinder> binders; // of functions by index, by number
  IndexFacts facts;                // of the conditions on indices around what is evaluated
  unsigned depth = 0;
  uint64_t steps = 0;
  bool aborted = false;
};

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_ELABORATEIMPL_H
