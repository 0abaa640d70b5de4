// Measures a scorer, or predicted ratings, on a part of a data set.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/common/report/text_table.h"
#include "examples/recommender/dataset.h"
#include "examples/recommender/factor_model.h"
#include "examples/recommender/ranking_metrics.h"
#include "examples/recommender/scorer.h"

namespace longtail::examples::recommender {

struct RankingResult {
  std::vector<RankingMetrics> metrics;       ///< Of 10 and 20 places.
  std::uint64_t users_without_training = 0;  ///< In this part, and in no average.
};

/// Ranks all items for every user with items in this part and in training, without those that they
/// are known to have. `tail_share` of each list's places are for rare items (tail_places.h).
///
/// Errors: those of the scorer; FailedPrecondition if there is no such user.
absl::StatusOr<RankingResult> EvaluateRanking(const Dataset& data, EvaluatedPart part,
                                              Scorer& scorer, float tail_share = 0);

/// Errors of ratings: roots of mean squares, over all and by how often the item is in training.
struct RatingResult {
  std::uint64_t count = 0;
  double rmse = 0;
  struct Bucket {
    std::uint64_t count = 0;
    double rmse = 0;
  };
  std::array<Bucket, kItemBuckets.size()> buckets{};
};

/// Errors: those of the model; FailedPrecondition if the part is empty.
absl::StatusOr<RatingResult> EvaluateRatings(const Dataset& data, EvaluatedPart part,
                                             FactorModel& model);

/// For a person.
void Print(const RankingResult& result, const std::string& title, std::ostream& out,
           TerminalStyle style);
void Print(const RatingResult& result, const std::string& title, std::ostream& out,
           TerminalStyle style);

/// For a program: JSON objects.
std::string ToJson(const RankingResult& result);
std::string ToJson(const RatingResult& result);

}  // namespace longtail::examples::recommender
