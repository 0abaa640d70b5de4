// Opens the parts of a data set that a config names, as batches for training or scoring.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "examples/common/data/batch_pipeline.h"
#include "examples/common/data/example_reader.h"
#include "examples/common/data/feature_layout.h"
#include "examples/common/data/schema.h"
#include "examples/ctr/train_config.h"

namespace longtail::examples {

/// Thread: one.
class DataStreams {
 public:
  /// Reads the schema, if the config names one.
  ///
  /// Errors: those of LoadSchema; InvalidArgument if the frequency field is none of the schema's.
  static absl::StatusOr<DataStreams> Open(const DataConfig& config, OnBadLine on_bad_line);

  /// The training examples of an epoch, shuffled, in batches of `size`, without the first `skip`.
  absl::StatusOr<std::unique_ptr<BatchPipeline>> Train(std::uint64_t seed, std::uint64_t epoch,
                                                       std::size_t size, std::uint64_t skip) const;

  /// The examples of a split, in the order of its files.
  absl::StatusOr<std::unique_ptr<BatchPipeline>> Score(const std::string& split,
                                                       std::size_t size) const;

  /// The examples of a file in the format of the schema, in place of a split's files.
  absl::StatusOr<std::unique_ptr<BatchPipeline>> ScoreFile(const std::string& path,
                                                           std::size_t size) const;

  const FeatureLayout& layout() const { return layout_; }

  /// Place of the config's frequency field.
  std::optional<std::uint32_t> frequency_field() const { return frequency_field_; }

 private:
  explicit DataStreams(const DataConfig& config) : config_(config) {}
  absl::StatusOr<std::unique_ptr<BatchSource>> OpenSplit(const std::string& split) const;

  DataConfig config_;
  OnBadLine on_bad_line_ = OnBadLine::kFail;
  std::optional<Schema> schema_;
  FeatureLayout layout_;
  std::optional<std::uint32_t> frequency_field_;
};

}  // namespace longtail::examples
