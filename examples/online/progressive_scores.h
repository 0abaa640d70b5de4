// How good a model was on examples that it had not learned from yet: by hour, and by how rare the
// rarest feature was then. Test, then train.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/common/metrics/count_bucket.h"
#include "examples/common/metrics/streaming_auc.h"

namespace longtail::examples {

/// Scores of one hour, or of all.
struct HourScores {
  std::uint64_t examples = 0;
  std::uint64_t clicks = 0;
  double log_loss = 0;  ///< Sum.
  std::array<StreamingAuc, kCountBucketCount> buckets{};

  /// Of all buckets together.
  StreamingAuc All() const;
};

/// Thread: one at a time.
class ProgressiveScores {
 public:
  /// `rarest`: the smallest training count among the example's features when it was scored.
  void Add(std::int64_t at_ms, std::uint64_t rarest, bool is_click, double logit);

  /// Takes the hours that are wholly before `at_ms`, for good: a line of each.
  std::vector<std::string> TakeHoursBefore(std::int64_t at_ms);

  /// Lines of the hours that are there.
  std::vector<std::string> Hours() const;

  /// Since the beginning.
  const HourScores& total() const { return total_; }

  std::string Save() const;

  /// Errors: DataLoss.
  static absl::StatusOr<ProgressiveScores> Load(std::string_view text);

 private:
  HourScores total_;
  std::map<std::int64_t, HourScores> hours_;  // By hours since 1970.
};

/// "name: 123 examples, 45 clicks, log loss 0.1234, AUC 0.7123 (0: 0.6000 …)".
std::string ScoresText(std::string_view name, const HourScores& scores);

}  // namespace longtail::examples
