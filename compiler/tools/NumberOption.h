// Options that are numbers within bounds, with a message that names option, bounds and what was
// given.
#ifndef CNNC_COMPILER_TOOLS_NUMBEROPTION_H
#define CNNC_COMPILER_TOOLS_NUMBEROPTION_H

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdint>
#include <string>

namespace cnn::tool {

/// What stands before "error: " in the messages of the program.
inline std::string errorPrefix;

/// A whole number; a type of its own, because LLVM's parsers of numbers cannot be extended.
struct Number {
  Number(uint64_t value = 0) : value(value) {}
  operator uint64_t() const { return value; }
  uint64_t value;
};
using NumberOption = llvm::cl::opt<Number>;

/// Sets the bounds of a NumberOption (without it, 0 to 2^63 - 1).
struct Between {
  uint64_t least, most;
  void apply(NumberOption &option) const;
};

/// The most images of a batch, and the most epochs, that a recipe may ask for too.
constexpr uint64_t mostImages = 1 << 20, mostEpochs = 1 << 20;

} // namespace cnn::tool

/// Reads decimal digits. After a wrong number the program ends with status 1, as after every other
/// wrong option.
template <>
class llvm::cl::parser<cnn::tool::Number> : public llvm::cl::basic_parser<cnn::tool::Number> {
public:
  using basic_parser::basic_parser;

  bool parse(Option &option, StringRef, StringRef text, cnn::tool::Number &number) {
    if (!text.getAsInteger(10, number.value) && number >= least && number <= most)
      return false;
    errs() << cnn::tool::errorPrefix << "error: --" << option.ArgStr << " is a whole number from "
           << least << " to " << most << ", not '" << text << "'\n";
    return true;
  }
  void printOptionDiff(const Option &, const cnn::tool::Number &,
                       const OptionValue<cnn::tool::Number> &, size_t) const {}

  uint64_t least = 0, most = INT64_MAX;
};

inline void cnn::tool::Between::apply(NumberOption &option) const {
  option.getParser().least = least;
  option.getParser().most = most;
}

#endif
