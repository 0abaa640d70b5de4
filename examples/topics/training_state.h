// What a training needs beside the counts to go on: how far it is, its priors, its tokens' topics.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/topics/priors.h"
#include "longtail/checkpoint.h"

namespace longtail::examples {

/// Travels in a checkpoint, as the trainer's own state.
struct TrainingState {
  std::uint32_t sweep = 0;   ///< Sweeps that are done.
  std::uint64_t tokens = 0;  ///< Of the corpus.
  std::uint64_t seed = 0;
  Priors priors;

  TrainerState Save() const;
  /// Errors: DataLoss.
  static absl::StatusOr<TrainingState> Load(const TrainerState& state);
};

/// The topics of all tokens, a file a block in a directory a sweep.
///
/// Thread: any, each with other blocks.
class TokenTopics {
 public:
  explicit TokenTopics(std::string directory) : directory_(std::move(directory)) {}

  /// Makes the directory of a sweep. Errors: Unavailable.
  absl::Status Begin(std::uint32_t sweep) const;

  /// Errors: NotFound; DataLoss (also if there are not `tokens` of topics below `topic_count`).
  absl::StatusOr<std::vector<std::uint32_t>> Read(std::uint32_t sweep, std::uint32_t block,
                                                  std::size_t tokens,
                                                  std::uint32_t topic_count) const;
  /// Errors: Unavailable.
  absl::Status Write(std::uint32_t sweep, std::uint32_t block,
                     const std::vector<std::uint32_t>& topics) const;

  /// Removes all sweeps but two, which may be the same.
  void KeepOnly(std::uint32_t one, std::uint32_t other) const;

 private:
  std::string PathOf(std::uint32_t sweep) const;

  const std::string directory_;
};

}  // namespace longtail::examples
