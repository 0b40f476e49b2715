// A recipe's pipeline -> an open data set: stages that choose samples change the sources, stages
// that change pixels become transforms, and the schema says for each whether it fits.
#include "runtime/core/Random.h"
#include "runtime/data/Sets.h"
#include "runtime/data/Stages.h"
#include "runtime/schema/DataSchema.h"

#include <algorithm>

namespace cnn {

namespace {

/// Some samples of a source, perhaps under other labels.
class Subset : public SampleSource {
public:
  Subset(std::shared_ptr<const SampleSource> source, std::vector<uint32_t> indices,
         std::vector<int32_t> labels)
      : source(std::move(source)), indices(std::move(indices)), labels(std::move(labels)) {}

  int64_t size() const override { return int64_t(indices.size()); }
  ImageShape shape() const override { return source->shape(); }
  bool hasBytes() const override { return source->hasBytes(); }
  int32_t label(int64_t index) const override {
    int32_t old = source->label(indices[size_t(index)]);
    return labels.empty() ? old : labels[size_t(old)];
  }
  Status read(int64_t index, float *pixels) const override {
    return source->read(indices[size_t(index)], pixels);
  }
  Result<ImageShape> load(int64_t index, std::vector<float> &pixels) const override {
    return source->load(indices[size_t(index)], pixels);
  }
  Status readDouble(int64_t index, double *pixels) const override {
    return source->readDouble(indices[size_t(index)], pixels);
  }
  Result<ImageShape> loadDouble(int64_t index, std::vector<double> &pixels) const override {
    return source->loadDouble(indices[size_t(index)], pixels);
  }

private:
  std::shared_ptr<const SampleSource> source;
  std::vector<uint32_t> indices;
  std::vector<int32_t> labels; ///< new label by old one, -1 for those left out; empty: as they are
};

/// The sources while stages are applied to them.
struct Sources {
  std::shared_ptr<const SampleSource> train, validation, test;
};

/// Keeps the classes `selected` of `classes`.
void select(std::shared_ptr<const SampleSource> &source, const std::vector<std::string> &classes,
            const std::vector<std::string> &selected) {
  if (!source)
    return;
  std::vector<int32_t> labels(classes.size(), -1);
  for (size_t i = 0; i < selected.size(); ++i)
    labels[*findClass(classes, selected[i])] = int32_t(i);
  std::vector<uint32_t> indices;
  for (int64_t i = 0; i < source->size(); ++i)
    if (labels[size_t(source->label(i))] >= 0)
      indices.push_back(uint32_t(i));
  source = std::make_shared<Subset>(source, std::move(indices), std::move(labels));
}

/// Moves a part of the training samples to the validation samples; both keep their order.
Status split(const DataCall &stage, Sources &sources) {
  int64_t size = sources.train->size();
  double share = stage.number("validation");
  int64_t count = share < 1 ? int64_t(share * double(size) + 0.5) : int64_t(share);
  if (count < 1 || count >= size)
    return Status::failure(formatText("split: %lld of %lld training images were to be set aside",
                                      (long long)count, (long long)size))
        .withHint("one image at least must go to each side");
  std::vector<uint32_t> order =
      RandomStream(uint64_t(stage.integer("seed")), RandomPurpose::Split, 0)
          .permutation(uint32_t(size));
  auto middle = order.begin() + count;
  std::sort(order.begin(), middle);
  std::sort(middle, order.end());
  std::shared_ptr<const SampleSource> all = sources.train;
  sources.validation =
      std::make_shared<Subset>(all, std::vector(order.begin(), middle), std::vector<int32_t>());
  sources.train =
      std::make_shared<Subset>(all, std::vector(middle, order.end()), std::vector<int32_t>());
  return Status::success();
}

Status problemStatus(const DataCall &stage, const DataProblem &problem) {
  Status status = Status::failure(stage.name + ": " + problem.message);
  return problem.hint.empty() ? status : std::move(status).withHint(problem.hint);
}

bool choosesSamples(const DataCall &stage) {
  return stage.name == "select" || stage.name == "split";
}

} // namespace

Result<Preprocessing> makePreprocessing(const DataPipeline &pipeline) {
  std::vector<std::shared_ptr<const Transform>> transforms;
  for (const DataCall &stage : pipeline.stages) {
    if (choosesSamples(stage))
      continue;
    std::shared_ptr<const Transform> made = makeTransform(stage, unsigned(transforms.size()));
    if (!made)
      return Status::failure("unknown stage '" + stage.name + "'");
    transforms.push_back(std::move(made));
  }
  return Preprocessing(std::move(transforms));
}

Result<Dataset> openPipeline(const DataPipeline &pipeline, const DataPlace &place,
                             DatasetSplits splits) {
  bool divided = std::any_of(pipeline.stages.begin(), pipeline.stages.end(),
                             [](const DataCall &stage) { return stage.name == "split"; });
  bool withTraining = divided || splits == DatasetSplits::Both;
  Result<RawDataset> raw = openSet(pipeline.set, place, withTraining);
  if (raw.failed())
    return raw.status();
  Sources sources = {raw->train, nullptr, raw->test};
  DataView view;
  view.classes = raw->classNames;
  view.shape = (raw->train ? raw->train : raw->test)->shape();
  for (const DataCall &stage : pipeline.stages) {
    const DataSchema *schema = findDataStage(stage.name);
    if (!schema)
      return Status::failure("unknown stage '" + stage.name + "'");
    std::vector<std::string> classes = view.classes;
    if (std::optional<DataProblem> problem = schema->apply(stage, view))
      return problemStatus(stage, *problem);
    if (stage.name == "select")
      for (auto *source : {&sources.train, &sources.validation, &sources.test})
        select(*source, classes, view.classes);
    if (stage.name == "split")
      if (Status status = split(stage, sources); status.failed())
        return status;
  }

  Dataset dataset;
  dataset.name = pipeline.set.name;
  dataset.path = raw->path;
  dataset.pipeline = pipeline;
  dataset.classNames = view.classes;
  Result<Preprocessing> preprocessing = makePreprocessing(pipeline);
  if (preprocessing.failed())
    return preprocessing.status();
  dataset.preprocessing = *preprocessing;
  for (auto [source, set] : {std::pair{&sources.train, &dataset.train},
                             std::pair{&sources.validation, &dataset.validation},
                             std::pair{&sources.test, &dataset.test}}) {
    if (!*source)
      continue;
    Result<SampleSet> made = SampleSet::create(*source, *preprocessing);
    if (made.failed())
      return made.status();
    *set = std::move(*made);
  }
  return dataset;
}

} // namespace cnn
