// Where a training stands, as its checkpoints have it, and which of them it goes on from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "longtail/cluster.h"

namespace longtail::examples::recommender {

/// What a checkpoint holds beside the rows: steps that were trained, over all epochs, and the
/// settings that a training which goes on must share.
TrainerState StateAt(std::uint64_t step, const std::string& settings);

/// The steps of a checkpoint's state.
///
/// Errors: DataLoss if it is none of a recommender's training; FailedPrecondition if its settings
///         are not `settings`, naming the first line that differs.
absl::StatusOr<std::uint64_t> StepOf(const TrainerState& state, const std::string& settings);

/// The newest checkpoint of a store that a training may go on from; none if there is none or no
/// such store. Of a cluster that was rolled back: the one that it was rolled back to, or a later
/// one.
absl::StatusOr<std::optional<CheckpointInfo>> NewestIn(const std::string& store,
                                                       const std::optional<RollbackInfo>& rollback);

/// Saves the cluster as it is at a step; a checkpoint of that step that is there already is enough.
/// Returns its address. One that was given up because a lane moved is tried again a few times.
///
/// Errors: those of Cluster::Checkpoint.
absl::StatusOr<std::string> SaveAt(std::uint64_t step, const std::string& settings,
                                   Cluster& cluster);

}  // namespace longtail::examples::recommender
