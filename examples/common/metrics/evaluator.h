// Collects the predictions of a whole set and says how good they are, overall and for the rare.
//
// An average hides the tail: most examples have only frequent features. So the same metrics are
// given by how often training saw (a) the rarest feature of the example, (b) its feature in one
// chosen field, in the buckets of count_bucket.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "examples/common/metrics/classification_metrics.h"
#include "examples/common/metrics/count_bucket.h"
#include "examples/common/metrics/group_auc.h"
#include "examples/common/metrics/scored_example.h"

namespace longtail::examples {

/// The training count of a feature the example does not have (a missing value): it is in no
/// bucket, and counted apart.
inline constexpr std::uint32_t kCountAbsent = std::numeric_limits<std::uint32_t>::max();

/// The tail: features that training saw less often. A bound between two buckets.
inline constexpr std::uint64_t kTailCount = 10;

/// Labelled predictions. The last three columns are optional: empty in every batch or in none.
///
/// Shapes: each column [size] or, of the optional ones, empty.
struct PredictionBatch {
  std::span<const float> labels{};                 ///< 0 or 1.
  std::span<const float> probabilities{};          ///< 0..1.
  std::span<const std::uint32_t> rarest_counts{};  ///< Training count of the rarest feature.
  std::span<const std::uint32_t> field_counts{};  ///< Training count of the chosen field's feature.
  std::span<const std::uint64_t> groups{};        ///< For GroupAuc.
};

/// The metrics of each bucket of one view.
struct BucketView {
  std::array<ClassificationMetrics, kCountBucketCount>
      buckets{};                   ///< In the order of kCountBuckets.
  ClassificationMetrics tail{};    ///< Of the buckets below kTailCount together: the small ones
                                   ///< alone say little.
  std::uint64_t absent_count = 0;  ///< Examples of kCountAbsent.

  friend bool operator==(const BucketView&, const BucketView&) = default;
};

/// All that is known of one set. What its batches did not carry is absent.
struct Evaluation {
  ClassificationMetrics overall{};
  std::optional<GroupAuc> groups{};
  std::optional<BucketView> by_rarest{};
  std::optional<BucketView> by_field{};

  friend bool operator==(const Evaluation&, const Evaluation&) = default;
};

/// Keeps 8 bytes an example, 16 with groups.
///
/// Thread: one at a time; give each thread its own and merge them.
class Evaluator {
 public:
  /// Takes a batch; all of it or, on an error, nothing. An empty batch is nothing.
  ///
  /// Errors: InvalidArgument if columns differ in size, a label is not 0 or 1, a probability is not
  ///         in 0..1 (NaN is not), or the optional columns are not those of the batches before;
  ///         ResourceExhausted beyond kAucExampleCountMax examples.
  [[nodiscard]] absl::Status Add(const PredictionBatch& batch);

  /// Takes the examples of `other`, which is another object. The result of Evaluate is, bit for
  /// bit, that of one evaluator fed with all examples in any order.
  ///
  /// Errors: InvalidArgument if both have examples and their optional columns differ;
  ///         ResourceExhausted as in Add.
  [[nodiscard]] absl::Status Merge(const Evaluator& other);

  /// Measures what was taken so far.
  ///
  /// Cost: a copy, a sort, a few passes; two sorts with groups.
  [[nodiscard]] Evaluation Evaluate() const;

  [[nodiscard]] std::size_t size() const { return examples_.size(); }

 private:
  struct Columns {
    bool rarest = false;
    bool field = false;
    bool groups = false;

    friend bool operator==(const Columns&, const Columns&) = default;
  };

  [[nodiscard]] absl::Status Accept(std::size_t added, Columns columns) const;

  Columns columns_;
  std::vector<PackedExample> examples_;
  std::vector<std::uint64_t> groups_;  // [examples_.size()], or empty.
};

}  // namespace longtail::examples
