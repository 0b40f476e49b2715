// Any bytes -> lexer, parser and printer: no crash, no hang, no undefined behaviour. What was
// accepted is printed, and every message is printed, so that ranges are checked as well.
#include "compiler/frontend/Parser.h"
#include "llvm/Support/raw_ostream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text;
  llvm::raw_string_ostream out(text);
  cnn::Diagnostics diagnostics(&out);
  unsigned buffer = diagnostics.addText("fuzz.cnn", {reinterpret_cast<const char *>(data), size});
  auto file = cnn::parseFile(buffer, diagnostics);
  cnn::ast::print(*file, diagnostics, out);
  return 0;
}
