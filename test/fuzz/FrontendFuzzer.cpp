// Any bytes -> the whole front end up to the graph: parser, constants, blocks, shapes, recipes.
#include "compiler/frontend/Frontend.h"
#include "llvm/Support/raw_ostream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text;
  llvm::raw_string_ostream out(text);
  cnn::Diagnostics diagnostics(&out);
  auto frontend = cnn::Frontend::openText("fuzz.cnn", {reinterpret_cast<const char *>(data), size},
                                          {}, diagnostics);
  if (frontend)
    frontend->check();
  return 0;
}
