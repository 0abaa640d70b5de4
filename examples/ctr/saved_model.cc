#include "examples/ctr/saved_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/ctr/config_text.h"
#include "examples/ctr/training_position.h"

namespace longtail::examples {

absl::StatusOr<SavedModel> LoadSavedModel(const std::string& store, const TrainConfig& config,
                                          OnBadLine on_bad_line) {
  if (config.data.min_count != 0) {
    return absl::UnimplementedError(
        absl::StrCat("data.min_count ", config.data.min_count,
                     ": a saved model does not hold the counts of its features; the threshold is "
                     "for comparisons, whose figures are in the training's own report"));
  }
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<CheckpointInfo> there, ListCheckpoints(store));
  if (there.empty()) {
    return absl::NotFoundError(absl::StrCat("'", store, "' holds no checkpoint: train first"));
  }
  const auto newest = std::ranges::max_element(there, {}, &CheckpointInfo::step);
  SavedModel model{.config = config, .data = {}, .cluster = {}, .trainer = {}};
  LONGTAIL_ASSIGN_OR_RETURN(DataStreams data, DataStreams::Open(config.data, on_bad_line));
  model.data = std::make_unique<DataStreams>(std::move(data));
  LONGTAIL_ASSIGN_OR_RETURN(const TrainerState state, ReadTrainerState(newest->name));
  LONGTAIL_RETURN_IF_ERROR(LoadPosition(state, ResumeSettings(config)).status());
  LONGTAIL_ASSIGN_OR_RETURN(model.cluster, Cluster::Restore({.lanes = config.lanes,
                                                             .partitions = config.partitions,
                                                             .step_mode = config.step_mode,
                                                             .staleness = config.staleness,
                                                             .workers = config.workers},
                                                            newest->name));
  LONGTAIL_ASSIGN_OR_RETURN(model.trainer,
                            CtrTrainer::Make(config, model.data->layout(), *model.cluster));
  LONGTAIL_RETURN_IF_ERROR(model.trainer->Restore(state));
  return model;
}

}  // namespace longtail::examples
