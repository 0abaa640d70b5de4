// A trained model, loaded for scoring.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "examples/ctr/ctr_trainer.h"
#include "examples/ctr/data_streams.h"
#include "examples/ctr/train_config.h"
#include "longtail/cluster.h"

namespace longtail::examples {

struct SavedModel {
  TrainConfig config;
  std::unique_ptr<DataStreams> data;
  std::unique_ptr<Cluster> cluster;
  std::unique_ptr<CtrTrainer> trainer;
};

/// Loads the newest checkpoint of a training's store with the config it was trained by.
///
/// Errors: NotFound (no store, or no checkpoint in it); Unimplemented for a model with
/// data.min_count; those of the config, the schema and the checkpoint.
absl::StatusOr<SavedModel> LoadSavedModel(const std::string& store, const TrainConfig& config,
                                          OnBadLine on_bad_line);

}  // namespace longtail::examples
