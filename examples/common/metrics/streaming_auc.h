// A running AUC for the live line: cheap, approximate, and it knows by how much.
//
// The exact AUC needs every example kept and sorted; this keeps a histogram of logits for each
// class. Pairs in different bins are ranked exactly, pairs in one bin count as ties.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace longtail::examples {

/// Counts logits of both classes in bins of 1/64 over [-16, 16), two more bins for what is beyond.
///
/// Thread: one at a time.
class StreamingAuc {
 public:
  StreamingAuc();

  /// Counts one example. A NaN logit ranks nowhere: it is counted in nan_count() and left out.
  void Add(bool positive, float logit);

  /// Adds the other's counts: the result is that of one object fed with all the examples.
  void Merge(const StreamingAuc& other);

  /// Forgets everything, as at the start of a new window.
  void Clear();

  /// Returns the estimate; nothing while a class is missing.
  [[nodiscard]] std::optional<double> Value() const;

  /// Returns how far Value() can be from the exact AUC of the same logits: half the share of pairs
  /// that fell into one bin, since a pair counted as a tie is wrong by a half at the most.
  [[nodiscard]] std::optional<double> ErrorBound() const;

  [[nodiscard]] std::uint64_t nan_count() const { return nan_count_; }

  /// The counts as one word, for a state that is stored: Load makes an equal object of it.
  [[nodiscard]] std::string Save() const;

  /// Errors: DataLoss.
  [[nodiscard]] static absl::StatusOr<StreamingAuc> Load(std::string_view text);

 private:
  struct Bin {
    std::uint64_t positive_count = 0;
    std::uint64_t negative_count = 0;
  };
  struct Sums {
    double positives = 0;
    double negatives = 0;
    double wins = 0;  // Pairs won, ties counted half.
    double ties = 0;  // Pairs in one bin.
  };

  [[nodiscard]] Sums Sum() const;

  std::vector<Bin> bins_;
  std::uint64_t nan_count_ = 0;
};

}  // namespace longtail::examples
