// The interpreter of test programs. Numbers are kept in double; exact comparisons round to float,
// the type that compiled tests compute in, so that a number that is written down equals the float
// nearest to it.
#include "compiler/tools/cnn/TestRun.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

using namespace llvm;
using cnn::ast::BinaryOp;
using Kind = cnn::TestInstruction::Kind;
using Relation = cnn::TestInstruction::Relation;

namespace cnn::tool {

namespace {

/// A tensor that is compared or printed.
struct Numbers {
  mlir::cnn::Shape shape;
  std::vector<double> data;
};

/// A number of the host; integers stay integers.
struct Number {
  double value = 0;
  bool integer = false;
  bool truth = false; // true or false
};

std::string formatShortest(double value) {
  char text[64];
  auto end = std::to_chars(text, text + sizeof(text), static_cast<float>(value)).ptr;
  return std::string(text, end);
}

/// One number in a format of `[width][.digits][f|e|g|d]`; as it is, to six digits, without one.
std::string formatNumber(double value, bool integer, StringRef format) {
  if (format.empty())
    format = integer ? "d" : "g";
  char letter = isAlpha(format.back()) ? format.back() : integer ? 'd' : 'g';
  std::string pattern = "%" + format.take_while([](char c) { return !isAlpha(c); }).str();
  if (letter == 'd')
    pattern = StringRef(pattern).split('.').first.str() + ".0f";
  else
    pattern += letter;
  char text[512];
  std::snprintf(text, sizeof(text), pattern.c_str(), value);
  return text;
}

/// `[[1, 2], [3, 4]]`; more than `most` elements are left out.
void formatTensor(const Numbers &numbers, size_t dim, size_t &at, size_t most,
                  function_ref<std::string(double)> format, std::string &text) {
  if (dim == numbers.shape.size()) {
    text += at < most ? format(numbers.data[at]) : "...";
    ++at;
    return;
  }
  text += "[";
  for (int64_t i = 0; i < numbers.shape[dim]; ++i) {
    if (at >= most && i > 0) {
      text += ", ...";
      break;
    }
    text += i ? ", " : "";
    formatTensor(numbers, dim + 1, at, most, format, text);
  }
  text += "]";
}

std::string formatTensor(const Numbers &numbers, size_t most,
                         function_ref<std::string(double)> format) {
  std::string text;
  size_t at = 0;
  formatTensor(numbers, 0, at, most, format, text);
  return text;
}

/// "[1, 0]" for an element of a tensor; "" for a single number.
std::string formatPlace(const mlir::cnn::Shape &shape, size_t at) {
  std::string text;
  for (int64_t extent : reverse(shape)) {
    text = std::to_string(at % extent) + (text.empty() ? "" : ", ") + text;
    at /= extent;
  }
  return text.empty() ? "" : " at [" + text + "]";
}

bool holds(Relation relation, double a, double b, double tolerance) {
  float x = static_cast<float>(a), y = static_cast<float>(b);
  switch (relation) {
  case Relation::Equal:
    return x == y;
  case Relation::NotEqual:
    return x != y;
  case Relation::Less:
    return x < y;
  case Relation::LessEqual:
    return x <= y;
  case Relation::Greater:
    return x > y;
  case Relation::GreaterEqual:
    return x >= y;
  case Relation::Near:
    return std::abs(a - b) <= tolerance;
  case Relation::True:
    break;
  }
  return false;
}

StringRef describe(Relation relation) {
  switch (relation) {
  case Relation::NotEqual:
    return "is";
  case Relation::Less:
    return "is not less than";
  case Relation::LessEqual:
    return "is greater than";
  case Relation::Greater:
    return "is not greater than";
  case Relation::GreaterEqual:
    return "is less than";
  default:
    return "is not";
  }
}

class Runner {
public:
  Runner(const TestProgram &program, TestExecutor &executor, raw_ostream &out,
         Diagnostics &diagnostics)
      : program(program), executor(executor), out(out), diagnostics(diagnostics),
        tensors(program.graph.tensors.size()) {}

  bool run(ArrayRef<TestInstruction> code) {
    return all_of(code, [&](const TestInstruction &instruction) { return run(instruction); });
  }

private:
  bool run(const TestInstruction &instruction);
  bool runLoop(const TestInstruction &instruction);
  bool expect(const TestInstruction &instruction);
  bool compare(const TestInstruction &instruction, const Numbers &actual, const Numbers &expected);
  void print(const TestInstruction &instruction);
  Number evaluate(const HostExpr &expr);
  Number evaluateBinary(const HostExpr &expr);
  bool flatten(const Value &value, size_t depth, Numbers &numbers);
  std::optional<Numbers> toNumbers(const HostExpr &expr);
  std::string toText(const HostExpr &expr, StringRef format);

  const TestProgram &program;
  TestExecutor &executor;
  raw_ostream &out;
  Diagnostics &diagnostics;
  std::vector<std::vector<double>> tensors;
};

bool Runner::run(const TestInstruction &instruction) {
  switch (instruction.kind) {
  case Kind::Run:
    return executor.run(instruction.piece, tensors);
  case Kind::Copy: {
    std::vector<std::vector<double>> values;
    for (auto [from, to] : instruction.copies)
      values.push_back(tensors[from]);
    for (auto [copy, value] : zip(instruction.copies, values))
      tensors[copy.second] = std::move(value);
    return true;
  }
  case Kind::Print:
    print(instruction);
    return true;
  case Kind::Expect:
    return expect(instruction);
  case Kind::Fail:
    diagnostics.error(instruction.range, instruction.message);
    return false;
  case Kind::Loop:
    return runLoop(instruction);
  case Kind::If:
    return run(evaluate(instruction.operands[0]).value != 0 ? instruction.body
                                                            : instruction.elseBody);
  }
  return true;
}

bool Runner::runLoop(const TestInstruction &instruction) {
  int64_t begin = instruction.begin, rounds = instruction.rounds;
  if (!instruction.operands.empty()) {
    double ends[2];
    for (auto [end, expr] : zip(ends, instruction.operands)) {
      end = evaluate(expr).value;
      if (end == std::floor(end) && std::abs(end) <= double(int64_t(1) << 53))
        continue;
      diagnostics.error(expr.range,
                        "the ends of a range are integers, not " + formatNumber(end, false, ""));
      return false;
    }
    begin = static_cast<int64_t>(ends[0]);
    double way = (ends[1] - ends[0]) / double(instruction.step);
    double whole = instruction.inclusive ? std::floor(way) + 1 : std::ceil(way);
    rounds = static_cast<int64_t>(std::max(0.0, whole));
  }
  for (int64_t i = 0; i < rounds; ++i) {
    tensors[instruction.counter] = {static_cast<double>(begin + i * instruction.step)};
    if (instruction.position >= 0)
      tensors[instruction.position] = {static_cast<double>(i)};
    if (!run(instruction.body))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Numbers of the host
//===----------------------------------------------------------------------===//

Number Runner::evaluate(const HostExpr &expr) {
  switch (expr.kind) {
  case HostExpr::Kind::Constant: {
    const Value &value = expr.constant;
    if (value.is(Value::Kind::Bool))
      return {double(value.integer), true, true};
    return {value.asDouble(), value.is(Value::Kind::Int), false};
  }
  case HostExpr::Kind::Tensor:
    return {tensors[expr.tensor][0], expr.counter, false};
  case HostExpr::Kind::Unary: {
    Number operand = evaluate(expr.operands[0]);
    if (expr.unary == ast::UnaryOp::Not)
      return {double(operand.value == 0), true, true};
    return {-operand.value, operand.integer, false};
  }
  case HostExpr::Kind::Binary:
    return evaluateBinary(expr);
  }
  return {};
}

Number Runner::evaluateBinary(const HostExpr &expr) {
  Number lhs = evaluate(expr.operands[0]);
  if (expr.binary == BinaryOp::And || expr.binary == BinaryOp::Or) {
    if ((lhs.value != 0) == (expr.binary == BinaryOp::Or))
      return lhs;
    return evaluate(expr.operands[1]);
  }
  Number rhs = evaluate(expr.operands[1]);
  bool integer = lhs.integer && rhs.integer;
  double a = lhs.value, b = rhs.value;
  auto truth = [](bool value) { return Number{double(value), true, true}; };
  switch (expr.binary) {
  case BinaryOp::Add:
    return {a + b, integer, false};
  case BinaryOp::Sub:
    return {a - b, integer, false};
  case BinaryOp::Mul:
    return {a * b, integer, false};
  case BinaryOp::Div:
    return {integer && b != 0 ? std::floor(a / b) : a / b, integer && b != 0, false};
  case BinaryOp::Mod:
    return {b == 0 ? std::nan("") : a - std::floor(a / b) * b, integer && b != 0, false};
  case BinaryOp::Pow:
    return {std::pow(a, b), integer && b >= 0, false};
  case BinaryOp::Equal:
    return truth(holds(Relation::Equal, a, b, 0));
  case BinaryOp::NotEqual:
    return truth(holds(Relation::NotEqual, a, b, 0));
  case BinaryOp::Less:
    return truth(holds(Relation::Less, a, b, 0));
  case BinaryOp::LessEqual:
    return truth(holds(Relation::LessEqual, a, b, 0));
  case BinaryOp::Greater:
    return truth(holds(Relation::Greater, a, b, 0));
  default:
    return truth(holds(Relation::GreaterEqual, a, b, 0));
  }
}

/// Appends the numbers of a nested list; false for one that is no tensor.
bool Runner::flatten(const Value &value, size_t depth, Numbers &numbers) {
  if (value.isNumber()) {
    numbers.data.push_back(value.asDouble());
    return depth == numbers.shape.size();
  }
  if (value.kind < Value::Kind::List || value.kind > Value::Kind::Range)
    return false;
  if (numbers.data.empty() && depth == numbers.shape.size())
    numbers.shape.push_back(value.size());
  if (depth >= numbers.shape.size() || numbers.shape[depth] != value.size())
    return false;
  for (int64_t i = 0; i < value.size(); ++i)
    if (!flatten(value.element(i), depth + 1, numbers))
      return false;
  return true;
}

/// The elements of a tensor, a number or a list of numbers.
std::optional<Numbers> Runner::toNumbers(const HostExpr &expr) {
  Numbers numbers;
  if (expr.kind == HostExpr::Kind::Tensor) {
    numbers.shape = program.graph.tensors[expr.tensor].shape;
    numbers.data = tensors[expr.tensor];
    return numbers;
  }
  if (expr.kind != HostExpr::Kind::Constant) {
    numbers.data = {evaluate(expr).value};
    return numbers;
  }
  if (!flatten(expr.constant, 0, numbers))
    return std::nullopt;
  return numbers;
}

std::string Runner::toText(const HostExpr &expr, StringRef format) {
  if (expr.kind == HostExpr::Kind::Constant && expr.constant.is(Value::Kind::String))
    return expr.constant.text;
  if (expr.kind == HostExpr::Kind::Constant && (format.empty() || !expr.constant.isNumber()))
    return cnn::format(expr.constant);
  if (expr.kind == HostExpr::Kind::Tensor && !expr.counter)
    return formatTensor(*toNumbers(expr), SIZE_MAX,
                        [&](double value) { return formatNumber(value, false, format); });
  Number number = evaluate(expr);
  if (number.truth)
    return number.value != 0 ? "true" : "false";
  return formatNumber(number.value, number.integer, format);
}

void Runner::print(const TestInstruction &instruction) {
  for (const PrintPiece &piece : instruction.pieces)
    out << (piece.value ? toText(*piece.value, piece.format) : piece.text);
  out << "\n";
}

//===----------------------------------------------------------------------===//
// expect
//===----------------------------------------------------------------------===//

bool Runner::expect(const TestInstruction &instruction) {
  if (instruction.relation == Relation::True) {
    if (evaluate(instruction.operands[0]).value != 0)
      return true;
    diagnostics.error(instruction.range, "this is false");
    return false;
  }
  const HostExpr &actual = instruction.operands[0], &expected = instruction.operands[1];
  std::optional<Numbers> a = toNumbers(actual), b = toNumbers(expected);
  if (a && b)
    return compare(instruction, *a, *b);
  // Texts, truth values and lists of them are known when the test is read.
  bool constants =
      actual.kind == HostExpr::Kind::Constant && expected.kind == HostExpr::Kind::Constant;
  bool same = constants && equal(actual.constant, expected.constant);
  if (constants && same == (instruction.relation == Relation::Equal) &&
      (instruction.relation == Relation::Equal || instruction.relation == Relation::NotEqual))
    return true;
  diagnostics.error(instruction.range, toText(actual, "") + " " + describe(instruction.relation) +
                                           " " + toText(expected, ""));
  return false;
}

bool Runner::compare(const TestInstruction &instruction, const Numbers &actual,
                     const Numbers &expected) {
  // A single number is compared with every element.
  bool repeated = expected.shape.empty();
  auto other = [&](size_t i) { return expected.data[repeated ? 0 : i]; };
  bool inequality =
      instruction.relation != Relation::Equal && instruction.relation != Relation::Near;
  if (actual.shape != expected.shape && !repeated) {
    auto text = [](const Numbers &numbers) {
      return numbers.shape.empty() ? std::string("a single number")
                                   : mlir::cnn::formatShape(numbers.shape);
    };
    diagnostics.error(instruction.range,
                      "the shapes differ: " + text(actual) + ", expected " + text(expected));
    return false;
  }
  size_t wrong = 0, first = 0, largest = 0;
  double difference = 0;
  for (size_t i = 0; i < actual.data.size(); ++i) {
    if (holds(instruction.relation, actual.data[i], other(i), instruction.tolerance))
      continue;
    if (wrong++ == 0)
      first = largest = i;
    // What is no number is as far as can be.
    double distance = std::abs(actual.data[i] - other(i));
    if (std::isnan(distance))
      distance = std::numeric_limits<double>::infinity();
    if (distance > difference) {
      difference = distance;
      largest = i;
    }
  }
  // Of two tensors that differ, one element that does is enough.
  if (wrong == 0 || (instruction.relation == Relation::NotEqual && wrong < actual.data.size()))
    return true;
  std::string message = formatShortest(actual.data[first]) + " " +
                        describe(instruction.relation).str() + " " + formatShortest(other(first));
  if (instruction.relation == Relation::Near)
    message = formatShortest(actual.data[first]) + " is not within " +
              formatShortest(instruction.tolerance) + " of " + formatShortest(other(first));
  message += formatPlace(actual.shape, first);
  if (actual.data.size() > 1 && !inequality) {
    message += "; " + std::to_string(wrong) + " of " + std::to_string(actual.data.size()) +
               " elements differ";
    if (wrong > 1 && std::isfinite(difference))
      message +=
          ", the most" + formatPlace(actual.shape, largest) + " by " + formatShortest(difference);
  }
  auto error = diagnostics.error(instruction.range, message);
  constexpr size_t most = 36; // elements that are shown
  if (actual.data.size() > 1) {
    error.note({}, "the value is " + formatTensor(actual, most, formatShortest));
    error.note({}, "expected is  " + formatTensor(expected, most, formatShortest));
  }
  return false;
}

} // namespace

bool runTestProgram(const TestProgram &program, TestExecutor &executor, raw_ostream &out,
                    Diagnostics &diagnostics) {
  return Runner(program, executor, out, diagnostics).run(program.code);
}

} // namespace cnn::tool
