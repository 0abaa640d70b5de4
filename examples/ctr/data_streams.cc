#include "examples/ctr/data_streams.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "examples/common/data/schema_json.h"
#include "examples/common/data/shuffler.h"

namespace longtail::examples {
namespace {

constexpr const char* kFileSplit = "the file to score";

}  // namespace

absl::StatusOr<DataStreams> DataStreams::Open(const DataConfig& config, OnBadLine on_bad_line) {
  DataStreams streams(config);
  streams.on_bad_line_ = on_bad_line;
  if (config.synthetic) {
    streams.layout_ = SyntheticCriteo(config.synthetic->options).layout();
  } else {
    LONGTAIL_ASSIGN_OR_RETURN(streams.schema_, LoadSchema(config.schema, config.directory));
    streams.layout_ = LayoutOf(*streams.schema_);
  }
  if (config.frequency_field.empty()) return streams;
  const std::vector<std::string>& names = streams.layout_.field_names;
  for (std::uint32_t f = 0; f < names.size(); ++f) {
    if (names[f] == config.frequency_field) streams.frequency_field_ = f;
  }
  if (!streams.frequency_field_) {
    return absl::InvalidArgumentError(absl::StrCat("frequency_field '", config.frequency_field,
                                                   "': wanted one of ",
                                                   absl::StrJoin(names, ", ")));
  }
  return streams;
}

absl::StatusOr<std::unique_ptr<BatchSource>> DataStreams::OpenSplit(
    const std::string& split) const {
  if (config_.synthetic) {
    const SyntheticData& data = *config_.synthetic;
    std::uint64_t first = 0;
    std::uint64_t count = data.train;
    if (split == config_.validation) {
      first = data.train;
      count = data.validation;
    } else if (split == config_.test) {
      first = data.train + data.validation;
      count = data.test;
    } else if (split != config_.train) {
      return absl::NotFoundError(absl::StrCat("synthetic split '", split, "': wanted '",
                                              config_.train, "', '", config_.validation, "' or '",
                                              config_.test, "'"));
    }
    return std::unique_ptr<BatchSource>(
        std::make_unique<SyntheticSource>(data.options, first, count));
  }
  ReaderOptions options;
  options.on_bad_line = on_bad_line_;
  LONGTAIL_ASSIGN_OR_RETURN(auto reader, ExampleReader::Open(*schema_, split, options));
  return std::unique_ptr<BatchSource>(std::move(reader));
}

absl::StatusOr<std::unique_ptr<BatchPipeline>> DataStreams::Train(std::uint64_t seed,
                                                                  std::uint64_t epoch,
                                                                  std::size_t size,
                                                                  std::uint64_t skip) const {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<BatchSource> source, OpenSplit(config_.train));
  const std::size_t held = config_.shuffle == 0 ? 1 : config_.shuffle;
  auto shuffler = std::make_unique<Shuffler>(
      std::move(source), ShuffleOptions{.buffer_size = held, .seed = seed, .epoch = epoch});
  if (skip != 0) LONGTAIL_RETURN_IF_ERROR(shuffler->Skip(skip));
  return std::make_unique<BatchPipeline>(std::move(shuffler), PipelineOptions{.batch_size = size});
}

absl::StatusOr<std::unique_ptr<BatchPipeline>> DataStreams::Score(const std::string& split,
                                                                  std::size_t size) const {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<BatchSource> source, OpenSplit(split));
  return std::make_unique<BatchPipeline>(std::move(source), PipelineOptions{.batch_size = size});
}

absl::StatusOr<std::unique_ptr<BatchPipeline>> DataStreams::ScoreFile(const std::string& path,
                                                                      std::size_t size) const {
  if (!schema_) {
    return absl::InvalidArgumentError("this model was trained on synthetic data: it has no schema");
  }
  Schema schema = *schema_;
  SplitSpec split;
  split.files = {std::filesystem::absolute(path).string()};
  schema.splits = {{kFileSplit, split}};
  ReaderOptions options;
  options.on_bad_line = on_bad_line_;
  LONGTAIL_ASSIGN_OR_RETURN(auto reader, ExampleReader::Open(schema, kFileSplit, options));
  return std::make_unique<BatchPipeline>(std::move(reader), PipelineOptions{.batch_size = size});
}

}  // namespace longtail::examples
