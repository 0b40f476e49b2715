// What a recipe says about its data, as values: a set and the stages behind it. The front end makes
// one and has checked it against the tables of DataSchema.h; runtime/data opens it. Standard
// library only, so that both can include it.
#ifndef CNNC_RUNTIME_SCHEMA_DATAPIPELINE_H
#define CNNC_RUNTIME_SCHEMA_DATAPIPELINE_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cnn {

/// Extents of one image; -1 is one that is not known before the files are read.
struct ImageShape {
  int64_t channels = 0, height = 0, width = 0;
  int64_t elements() const { return channels * height * width; }
  bool known() const { return channels >= 0 && height >= 0 && width >= 0; }
  std::vector<int64_t> dims() const { return {channels, height, width}; }
  bool operator==(const ImageShape &) const = default;
};

/// An argument: numbers (one, or those of a tuple) or texts (a string, or names of classes).
struct DataValue {
  std::string name;
  std::vector<double> numbers = {};
  std::vector<std::string> texts = {};
  bool isDefault = false; ///< was not written
  bool operator==(const DataValue &) const = default;
};

/// A data set or a stage with its arguments; defaults are filled in.
struct DataCall {
  std::string name;
  std::vector<DataValue> values;

  const DataValue *find(std::string_view argument) const;
  bool has(std::string_view argument) const { return find(argument) != nullptr; }
  /// Number `index` of an argument; 0 where there is none.
  double number(std::string_view argument, size_t index = 0) const;
  int64_t integer(std::string_view argument, size_t index = 0) const {
    return static_cast<int64_t>(number(argument, index));
  }
  /// The text of an argument; empty where there is none.
  std::string text(std::string_view argument) const;
  bool operator==(const DataCall &) const = default;
};

struct DataPipeline {
  DataCall set;
  std::vector<DataCall> stages;
  bool operator==(const DataPipeline &) const = default;
};

/// The call as it could have been written, without arguments that have their defaults:
/// `resize(96)`, `select(airplane, bird)`, `normalize(mean = (0.5, 0.5), std = (1, 1))`.
std::string dataText(const DataCall &call);
/// The whole pipeline likewise: `cifar10 -> select(airplane, bird)`. Equal texts, equal pipelines.
std::string dataText(const DataPipeline &pipeline);

/// The shortest text that is read back as `number`: "0.1", "3".
std::string numberText(double number);

} // namespace cnn

#endif
