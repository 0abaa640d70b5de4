#include "examples/common/metrics/evaluator.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "examples/common/metrics/auc.h"

namespace longtail::examples {
namespace {

constexpr std::uint8_t kAbsentTag = kCountBucketCount;

std::uint8_t TagOf(std::span<const std::uint32_t> counts, std::size_t index) {
  if (counts.empty() || counts[index] == kCountAbsent) return kAbsentTag;
  return static_cast<std::uint8_t>(BucketOf(counts[index]));
}

absl::Status CheckSizes(const PredictionBatch& batch) {
  const std::size_t size = batch.labels.size();
  const auto check = [&](std::string_view name, std::size_t found, bool optional) {
    if (found == size || (optional && found == 0)) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(std::string(name), ": ", found, " values: want ",
                                                   size, ", one for each label",
                                                   optional ? ", or none" : ""));
  };
  if (absl::Status s = check("probabilities", batch.probabilities.size(), false); !s.ok()) return s;
  if (absl::Status s = check("rarest_counts", batch.rarest_counts.size(), true); !s.ok()) return s;
  if (absl::Status s = check("field_counts", batch.field_counts.size(), true); !s.ok()) return s;
  return check("groups", batch.groups.size(), true);
}

absl::Status CheckValues(const PredictionBatch& batch) {
  for (std::size_t i = 0; i < batch.labels.size(); ++i) {
    const float label = batch.labels[i];
    if (label != 0.0F && label != 1.0F) {
      return absl::InvalidArgumentError(absl::StrCat("label ", label, " at ", i, ": want 0 or 1"));
    }
    const float probability = batch.probabilities[i];
    if (!(probability >= 0.0F && probability <= 1.0F)) {
      return absl::InvalidArgumentError(
          absl::StrCat("probability ", probability, " at ", i, ": want 0..1"));
    }
  }
  return absl::OkStatus();
}

// The examples of each bucket stay sorted, because the set is.
BucketView ViewOf(std::span<const PackedExample> sorted,
                  std::uint8_t (*tag_of)(const ScoredExample&)) {
  std::array<std::vector<PackedExample>, kCountBucketCount + 1> parts;
  std::vector<PackedExample> tail;
  for (const PackedExample packed : sorted) {
    const std::uint8_t tag = tag_of(Unpack(packed));
    parts[tag].push_back(packed);
    if (tag < IndexOf(BucketOf(kTailCount))) tail.push_back(packed);
  }
  BucketView view;
  for (std::size_t i = 0; i < kCountBucketCount; ++i) view.buckets[i] = Measure(parts[i]);
  view.tail = Measure(tail);
  view.absent_count = parts[kAbsentTag].size();
  return view;
}

}  // namespace

absl::Status Evaluator::Accept(std::size_t added, Columns columns) const {
  if (!examples_.empty() && columns != columns_) {
    const auto names = [](Columns c) {
      return absl::StrCat(c.rarest ? " rarest_counts" : "", c.field ? " field_counts" : "",
                          c.groups ? " groups" : "", c == Columns{} ? " none" : "");
    };
    return absl::InvalidArgumentError(
        absl::StrCat("optional columns:", names(columns),
                     ": want those of the batches before:", names(columns_)));
  }
  if (examples_.size() + added > kAucExampleCountMax) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "evaluator: ", examples_.size() + added, " examples: want at most ", kAucExampleCountMax));
  }
  return absl::OkStatus();
}

absl::Status Evaluator::Add(const PredictionBatch& batch) {
  if (absl::Status status = CheckSizes(batch); !status.ok()) return status;
  if (batch.labels.empty()) return absl::OkStatus();
  const Columns columns{.rarest = !batch.rarest_counts.empty(),
                        .field = !batch.field_counts.empty(),
                        .groups = !batch.groups.empty()};
  if (absl::Status status = Accept(batch.labels.size(), columns); !status.ok()) return status;
  if (absl::Status status = CheckValues(batch); !status.ok()) return status;
  columns_ = columns;
  for (std::size_t i = 0; i < batch.labels.size(); ++i) {
    examples_.push_back(Pack({.score = batch.probabilities[i],
                              .positive = batch.labels[i] == 1.0F,
                              .rarest_tag = TagOf(batch.rarest_counts, i),
                              .field_tag = TagOf(batch.field_counts, i)}));
  }
  groups_.insert(groups_.end(), batch.groups.begin(), batch.groups.end());
  return absl::OkStatus();
}

absl::Status Evaluator::Merge(const Evaluator& other) {
  if (other.examples_.empty()) return absl::OkStatus();
  if (absl::Status status = Accept(other.size(), other.columns_); !status.ok()) return status;
  columns_ = other.columns_;
  examples_.insert(examples_.end(), other.examples_.begin(), other.examples_.end());
  groups_.insert(groups_.end(), other.groups_.begin(), other.groups_.end());
  return absl::OkStatus();
}

Evaluation Evaluator::Evaluate() const {
  std::vector<PackedExample> sorted = examples_;
  std::ranges::sort(sorted);
  Evaluation evaluation{.overall = Measure(sorted)};
  if (columns_.rarest) {
    evaluation.by_rarest = ViewOf(sorted, [](const ScoredExample& e) { return e.rarest_tag; });
  }
  if (columns_.field) {
    evaluation.by_field = ViewOf(sorted, [](const ScoredExample& e) { return e.field_tag; });
  }
  if (columns_.groups) {
    std::vector<GroupedExample> grouped(examples_.size());
    for (std::size_t i = 0; i < grouped.size(); ++i) grouped[i] = {groups_[i], examples_[i]};
    std::ranges::sort(grouped);
    evaluation.groups = MeasureGroups(grouped);
  }
  return evaluation;
}

}  // namespace longtail::examples
