// The one diagnostics engine. Every phase (lexer, parser, elaboration, verifiers and passes through
// MlirDiagnostics.h) reports here; it prints each error once, with file, line, column, source line,
// caret, notes and hint, in the format of the language description. Needs LLVM Support only.
#ifndef CNNC_COMPILER_FRONTEND_DIAGNOSTICS_H
#define CNNC_COMPILER_FRONTEND_DIAGNOSTICS_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/SMLoc.h"
#include "llvm/Support/SourceMgr.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace cnn {

/// One error with everything that belongs to it. Ranges may be invalid: then no location is shown.
struct Diagnostic {
  struct Note {
    llvm::SMRange range;
    std::string message;
  };
  llvm::SMRange range;
  std::string message;
  std::vector<Note> notes;
  std::string hint; // empty: none
};

/// File, line and column (both from 1, columns in characters) of a place in a source buffer.
struct SourcePosition {
  llvm::StringRef file;
  unsigned line = 0;
  unsigned column = 0;
};

class Diagnostics;

/// An error under construction: add notes and a hint; it is reported when this is destroyed.
class DiagnosticBuilder {
public:
  DiagnosticBuilder(Diagnostics *engine, Diagnostic diagnostic)
      : engine(engine), diagnostic(std::move(diagnostic)) {}
  DiagnosticBuilder(DiagnosticBuilder &&other)
      : engine(other.engine), diagnostic(std::move(other.diagnostic)) {
    other.engine = nullptr;
  }
  DiagnosticBuilder &operator=(DiagnosticBuilder &&) = delete;
  ~DiagnosticBuilder();

  DiagnosticBuilder &note(llvm::SMRange range, const llvm::Twine &message) {
    diagnostic.notes.push_back({range, message.str()});
    return *this;
  }
  /// Sets the hint; an empty one is ignored.
  DiagnosticBuilder &hint(const llvm::Twine &text) {
    diagnostic.hint = text.str();
    return *this;
  }

private:
  Diagnostics *engine;
  Diagnostic diagnostic;
};

/// Owns the source buffers, counts errors, prints them.
class Diagnostics {
public:
  /// At most this many errors are printed in a run.
  static constexpr unsigned maxErrors = 20;

  /// Errors go to `out`; nullptr keeps them in `errors()` only.
  explicit Diagnostics(llvm::raw_ostream *out) : out(out) {}

  /// Reads a file. Reports why, at `use`, and returns nothing when it cannot be read.
  std::optional<unsigned> addFile(llvm::StringRef path, llvm::SMRange use = {});
  /// Adds text that did not come from a file (a `--set` argument, a test).
  unsigned addText(llvm::StringRef name, llvm::StringRef text);
  /// The range of a text that was added under this name, or an invalid one.
  llvm::SMRange findText(llvm::StringRef name, llvm::StringRef content) const;
  llvm::StringRef text(unsigned buffer) const;
  llvm::StringRef bufferName(unsigned buffer) const;

  DiagnosticBuilder error(llvm::SMRange range, const llvm::Twine &message);
  /// An error with no place in a source file.
  DiagnosticBuilder error(const llvm::Twine &message) { return error(llvm::SMRange(), message); }

  /// Errors wait until as many calls of `release`, which reports them in the order of their places,
  /// file by file. Phases run one after the other; a reader wants errors from top to bottom.
  void hold() { ++holding; }
  void release();

  /// From now on errors go to `errors` and count only until the next call; nullptr: they are
  /// reported again.
  void capture(std::vector<Diagnostic> *errors) { captured = errors; }

  /// Whether there are so many errors that going on is pointless.
  bool full() const { return errorCount() >= maxErrors; }
  bool hasErrors() const { return errorCount() > 0; }
  unsigned errorCount() const { return count + held.size() + (captured ? captured->size() : 0); }
  llvm::ArrayRef<Diagnostic> errors() const { return reported; }

  SourcePosition position(llvm::SMLoc location) const;
  /// The place of line and column (from 1, in characters) of a file that was added, or an invalid
  /// one. The inverse of `position`.
  llvm::SMLoc location(llvm::StringRef file, unsigned line, unsigned column);

  void report(const Diagnostic &diagnostic);

private:
  void emit(const Diagnostic &diagnostic);
  void print(const Diagnostic &diagnostic);
  void printHead(llvm::SMRange range, llvm::StringRef kind, llvm::StringRef message);
  void printSource(llvm::SMRange range);

  llvm::raw_ostream *out;
  llvm::SourceMgr sources;
  std::vector<Diagnostic> reported;
  llvm::StringSet<> seen;
  std::vector<Diagnostic> held;
  std::vector<Diagnostic> *captured = nullptr;
  unsigned holding = 0;
  unsigned count = 0;
};

/// The candidate nearest to `name` by edit distance, if one is near enough to be meant.
std::optional<std::string> nearestName(llvm::StringRef name,
                                       llvm::ArrayRef<llvm::StringRef> candidates);

/// "1 element", "3 elements".
std::string counted(int64_t count, llvm::StringRef noun);

/// "a", "a or b", "a, b or c".
std::string joinAlternatives(llvm::ArrayRef<llvm::StringRef> names);

/// "did you mean 'conv'?" for the nearest candidate; otherwise the list after `otherwise`, such as
/// "the layers are a, b and c", when it is short; otherwise nothing.
std::string suggestName(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> candidates,
                        llvm::StringRef otherwise);

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_DIAGNOSTICS_H
