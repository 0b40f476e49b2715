// Access to the arguments of a pipeline, and its text.
#include "runtime/schema/DataPipeline.h"

#include "runtime/schema/DataSchema.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace cnn {

const DataValue *DataCall::find(std::string_view argument) const {
  for (const DataValue &value : values)
    if (value.name == argument)
      return &value;
  return nullptr;
}

double DataCall::number(std::string_view argument, size_t index) const {
  const DataValue *value = find(argument);
  return value && index < value->numbers.size() ? value->numbers[index] : 0;
}

std::string DataCall::text(std::string_view argument) const {
  const DataValue *value = find(argument);
  return value && !value->texts.empty() ? value->texts.front() : std::string();
}

std::string numberText(double number) {
  char buffer[64];
  double size = number < 0 ? -number : number;
  bool plain = size == 0 || (size >= 1e-5 && size < 1e15);
  return {buffer,
          plain
              ? std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed).ptr
              : std::to_chars(buffer, buffer + sizeof buffer, number).ptr};
}

/// `text` as a string of the language.
static std::string quote(const std::string &text) {
  std::string quoted = "\"";
  for (char c : text)
    quoted += c == '"' || c == '\\' || c == '{' || c == '}' ? std::string{'\\', c} : std::string{c};
  return quoted + '"';
}

/// `name` as a class is written: a name, or a string in quotes.
static std::string classText(const std::string &name) {
  auto letter = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  bool plain = !name.empty() && std::all_of(name.begin(), name.end(), letter);
  return plain ? name : quote(name);
}

std::string dataText(const DataCall &call) {
  const DataSchema *schema = findDataSet(call.name);
  if (!schema)
    schema = findDataStage(call.name);
  std::string arguments;
  bool named = false;
  for (const DataValue &value : call.values) {
    if (value.isDefault) {
      named = true;
      continue;
    }
    std::string text;
    for (double number : value.numbers)
      text += (text.empty() ? "" : ", ") + numberText(number);
    if (value.numbers.size() > 1)
      text = "(" + text + ")";
    const DataParameter *parameter = schema ? schema->find(value.name) : nullptr;
    bool classes = parameter && parameter->kind == DataKind::Classes;
    for (const std::string &one : value.texts)
      text += (text.empty() ? "" : ", ") + (classes ? classText(one) : quote(one));
    // The first arguments are clear without their names, such as extents.
    bool brief = !named && (classes || (parameter && parameter->positional));
    arguments += (arguments.empty() ? "" : ", ") + (brief ? text : value.name + " = " + text);
  }
  return call.name + (arguments.empty() ? "" : "(" + arguments + ")");
}

std::string dataText(const DataPipeline &pipeline) {
  std::string all = dataText(pipeline.set);
  for (const DataCall &stage : pipeline.stages)
    all += " -> " + dataText(stage);
  return all;
}

} // namespace cnn
