// The tables of data sets and of pipeline stages: arguments, kinds, ranges, defaults,
// documentation, and what a stage does to the images' shape and to the classes. A new stage is one
// row here and its implementation in runtime/data/Stages.cpp; the front end and the messages follow
// the table.
#ifndef CNNC_RUNTIME_SCHEMA_DATASCHEMA_H
#define CNNC_RUNTIME_SCHEMA_DATASCHEMA_H

#include "runtime/schema/DataPipeline.h"

#include <optional>

namespace cnn {

/// What an argument is.
enum class DataKind {
  Integer, ///< a whole number
  Number,
  Numbers, ///< a number, or a tuple with one for each channel
  Size,    ///< an integer for both sides, or (height, width)
  Share,   ///< how many: an integer of at least 1, or a part between 0 and 1
  Text,    ///< a string
  Classes, ///< one class or several, by name, string or number; takes every unnamed argument
};

struct DataParameter {
  std::string name;
  DataKind kind = DataKind::Integer;
  std::string doc;
  bool required = true;
  /// Written without its name where that reads well; every argument may be.
  bool positional = false;
  /// Inclusive range of each number.
  double least = 0, most = 0;
  bool leastExcluded = false;
  /// Of an argument that is not required; empty: it is then missing.
  std::vector<double> defaults = {};
  /// How documentation writes the default.
  std::string defaultText = {};
};

/// What is known of a data set between two stages.
struct DataView {
  ImageShape shape;
  std::vector<std::string> classes; ///< their names; empty: not known before the files are read
  bool split = false;               ///< validation images were set aside
};

/// Why a stage cannot follow: for the user, with both values.
struct DataProblem {
  std::string message, hint;
};

/// A data set or a stage.
struct DataSchema {
  std::string name;
  std::string doc;
  std::vector<DataParameter> parameters;
  /// Draws something for each image in training; elsewhere it changes nothing but the shape.
  bool random = false;
  /// Of a set: what is known of it before its files are read.
  DataView view = {};
  /// Of a stage: what it makes of `view`, or why it cannot.
  std::optional<DataProblem> (*apply)(const DataCall &, DataView &view) = nullptr;

  const DataParameter *find(std::string_view parameter) const;
  /// "resize(height, width = height)".
  std::string signature() const;
};

const std::vector<DataSchema> &dataSets();
const std::vector<DataSchema> &dataStages();
/// The row of that name, or null.
const DataSchema *findDataSet(std::string_view name);
const DataSchema *findDataStage(std::string_view name);

/// A data set by its name alone, without stages.
DataPipeline plainPipeline(std::string_view set);

/// Which class `text` means: the one of that name, else that of that number; nothing for neither.
std::optional<size_t> findClass(const std::vector<std::string> &classes, const std::string &text);

} // namespace cnn

#endif
