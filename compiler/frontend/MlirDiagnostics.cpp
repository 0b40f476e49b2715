// Locations of operations -> ranges in source buffers. A location is a layer's name over a place in
// a file (Emit.cpp), possibly fused with others or in a call; the first place that is found counts.
#include "compiler/frontend/MlirDiagnostics.h"

#include "mlir/IR/Location.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
using llvm::StringRef;

namespace {

struct Place {
  mlir::FileLineColLoc file;
  StringRef layer;
};

Place findPlace(mlir::Location location) {
  return llvm::TypeSwitch<mlir::LocationAttr, Place>(location)
      .Case<mlir::FileLineColLoc>([](mlir::FileLineColLoc loc) { return Place{loc, ""}; })
      .Case<mlir::NameLoc>([](mlir::NameLoc loc) {
        Place place = findPlace(loc.getChildLoc());
        if (place.layer.empty())
          place.layer = loc.getName().getValue();
        return place;
      })
      .Case<mlir::CallSiteLoc>([](mlir::CallSiteLoc loc) { return findPlace(loc.getCallee()); })
      .Case<mlir::FusedLoc>([](mlir::FusedLoc loc) {
        for (mlir::Location part : loc.getLocations())
          if (Place place = findPlace(part); place.file || !place.layer.empty())
            return place;
        return Place();
      })
      .Default([](mlir::LocationAttr) { return Place(); });
}

/// The range of the word at a place in a source buffer, or of the key of `--set
/// schedule.KEY=VALUE`.
llvm::SMRange findRange(Place &place, Diagnostics &diagnostics) {
  if (!place.file) {
    StringRef setting = place.layer;
    llvm::SMRange whole;
    if (setting.consume_front("--set "))
      whole = diagnostics.findText("--set", setting);
    if (!whole.isValid())
      return {};
    place.layer = "";
    StringRef key = setting.take_until([](char c) { return c == '='; });
    size_t begin = key.find('.') + 1;
    return {llvm::SMLoc::getFromPointer(whole.Start.getPointer() + begin),
            llvm::SMLoc::getFromPointer(whole.Start.getPointer() + key.size())};
  }
  llvm::SMLoc begin =
      diagnostics.location(place.file.getFilename(), place.file.getLine(), place.file.getColumn());
  if (!begin.isValid())
    return {};
  const char *end = begin.getPointer();
  while (llvm::isAlnum(*end) || *end == '_') // buffers end with a zero
    ++end;
  return {begin, llvm::SMLoc::getFromPointer(end)};
}

std::string textOf(mlir::Diagnostic &diagnostic, const Place &place, bool located) {
  std::string text = diagnostic.str();
  if (!place.layer.empty())
    text = ("in '" + place.layer + "': " + text).str();
  if (!located && place.file) // a file that was not read, such as the .cnn file behind a dump
    text = (place.file.getFilename().getValue() + ":" + llvm::Twine(place.file.getLine()) + ":" +
            llvm::Twine(place.file.getColumn()) + ": " + text)
               .str();
  return text;
}

} // namespace

MlirDiagnostics::MlirDiagnostics(mlir::MLIRContext *context, Diagnostics &diagnostics,
                                 llvm::raw_ostream *remarks)
    : ScopedDiagnosticHandler(context), diagnostics(diagnostics), remarks(remarks) {
  setHandler([this](mlir::Diagnostic &diagnostic) { return handle(diagnostic); });
}

mlir::LogicalResult MlirDiagnostics::handle(mlir::Diagnostic &diagnostic) {
  Place place = findPlace(diagnostic.getLocation());
  llvm::SMRange range = findRange(place, diagnostics);
  if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error) {
    if (remarks) {
      SourcePosition position = diagnostics.position(range.Start);
      if (position.line)
        *remarks << position.file << ":" << position.line << ":" << position.column << ": ";
      *remarks << (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Warning ? "warning: "
                                                                                 : "remark: ")
               << textOf(diagnostic, place, range.isValid()) << "\n";
    }
    return mlir::success();
  }
  auto error = diagnostics.error(range, textOf(diagnostic, place, range.isValid()));
  for (mlir::Diagnostic &note : diagnostic.getNotes()) {
    // Passes know no hints: a note that starts like one is one.
    if (std::string text = note.str(); StringRef(text).starts_with("hint: ")) {
      error.hint(StringRef(text).drop_front(6));
      continue;
    }
    Place notePlace = findPlace(note.getLocation());
    llvm::SMRange noteRange = findRange(notePlace, diagnostics);
    // A note at the error's own place needs no second mention of it.
    if (noteRange.Start == range.Start)
      notePlace = Place();
    error.note(noteRange, textOf(note, notePlace, noteRange.isValid()));
  }
  return mlir::success();
}
