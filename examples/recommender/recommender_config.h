// All settings of a recommender's training, as its config file (JSON with comments) has them.
//
//   title     text
//   data      directory (from the config file), train, test (files), layout ("columns" | "lists"),
//             separator, header, columns {user, item, rating, time} (from 1; 0: none), min_rating,
//             titles {file, separator, header, item, title, note}
//   split     rule ("files" | "leave_one_out" | "time" | "fold"), validation_fraction,
//             test_fraction, fold, folds
//   model     dim, user_row, history ("none" | "items" | "own"), history_order ("any" | "before"),
//             history_max, history_power, similarity ("dot" | "cosine"), bias,
//             popularity_discount, tail_share
//   loss      name ("softmax" | "bpr" | "squared"), temperature, negatives, negative_power,
//             popularity_correction, l2
//   rows      optimizer {rule, …}, initializer {kind, …}: of all tables
//   training  batch, epochs, workers, seed, decay (of the learning rate, from epoch to epoch)
//   cluster   lanes, partitions, step_mode ("synchronous" | "asynchronous" | "bounded"), staleness
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "examples/recommender/dataset.h"
#include "examples/recommender/model_config.h"
#include "longtail/initializer_spec.h"
#include "longtail/optimizer_spec.h"
#include "longtail/step_mode.h"

namespace longtail::examples::recommender {

struct RecommenderConfig {
  std::string title = "Recommender";
  DataConfig data;
  ModelConfig model;
  LossConfig loss;
  OptimizerSpec optimizer;
  InitializerSpec initializer = NormalSpec{};
  std::size_t batch = 1024;  ///< Examples of a step, over all workers.
  std::uint32_t epochs = 1;
  std::uint32_t workers = 1;  ///< Threads that each take an equal part of every batch.
  std::uint64_t seed = 1;
  float decay = 1;  ///< The learning rate is multiplied by it after each epoch.
  std::uint32_t lanes = 1;
  std::uint32_t partitions = 64;
  StepMode step_mode = StepMode::kSynchronous;
  std::uint32_t staleness = 0;  ///< See ClusterOptions.
};

/// Reads a config; `name` is for messages, relative paths in it begin in `directory`. Unknown keys
/// are errors.
///
/// Errors: InvalidArgument, naming the key, its value and what was wanted.
absl::StatusOr<RecommenderConfig> ParseRecommenderConfig(std::string_view text,
                                                         const std::string& name,
                                                         const std::string& directory);

/// Reads the file at `path`. Errors: NotFound; as ParseRecommenderConfig.
absl::StatusOr<RecommenderConfig> LoadRecommenderConfig(const std::string& path);

/// The settings that a training must share with the checkpoint it goes on from, "name value" a
/// line.
std::string ResumeSettings(const RecommenderConfig& config);

}  // namespace longtail::examples::recommender
