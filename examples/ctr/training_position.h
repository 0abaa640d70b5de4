// Where a training stands in its data, as an entry of its checkpoint.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "longtail/checkpoint.h"

namespace longtail::examples {

struct TrainingPosition {
  std::uint64_t epoch = 0;            ///< Passes over the data that are done.
  std::uint64_t examples = 0;         ///< Of the pass under way that are trained on.
  std::uint64_t samples_trained = 0;  ///< In all.

  bool operator==(const TrainingPosition&) const = default;
};

/// Adds the position, and the settings that a resumed training must share, to a trainer's state.
void SavePosition(const TrainingPosition& position, const std::string& settings,
                  TrainerState& state);

/// Errors: DataLoss (not there, or no numbers); FailedPrecondition if it was saved with other
/// settings
///         than `settings`, naming the first line that differs.
absl::StatusOr<TrainingPosition> LoadPosition(const TrainerState& state,
                                              const std::string& settings);

}  // namespace longtail::examples
