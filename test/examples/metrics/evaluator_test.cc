#include "examples/common/metrics/evaluator.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "random_examples.h"

namespace longtail::examples {
namespace {

struct Columns {
  std::vector<float> labels;
  std::vector<float> probabilities;
  std::vector<std::uint32_t> rarest_counts;
  std::vector<std::uint32_t> field_counts;
  std::vector<std::uint64_t> groups;

  PredictionBatch Slice(std::size_t begin, std::size_t end) const {
    const auto part = [&](const auto& column) {
      return std::span(column).subspan(begin, end - begin);
    };
    return {.labels = part(labels),
            .probabilities = part(probabilities),
            .rarest_counts = part(rarest_counts),
            .field_counts = part(field_counts),
            .groups = part(groups)};
  }
  PredictionBatch All() const { return Slice(0, labels.size()); }
};

Columns RandomColumns(std::mt19937_64& random, std::size_t size) {
  Columns columns;
  for (const ScoredExample& example : test::RandomExamples(random, size, 37)) {
    columns.labels.push_back(example.positive ? 1.0F : 0.0F);
    columns.probabilities.push_back(example.score);
    columns.rarest_counts.push_back(static_cast<std::uint32_t>(random() % 14));
    columns.field_counts.push_back(
        random() % 10 == 0 ? kCountAbsent
                           : static_cast<std::uint32_t>(random() % 14 * (random() % 14)));
    columns.groups.push_back(random() % 11);
  }
  return columns;
}

TEST_CASE("every count is in the bucket whose bounds hold it", "[metrics][buckets]") {
  CHECK(kCountBuckets.front().first == 0);
  CHECK(kCountBuckets.back().last == std::numeric_limits<std::uint64_t>::max());
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    if (i > 0) CHECK(kCountBuckets[i].first == kCountBuckets[i - 1].last + 1);
    CHECK(IndexOf(BucketOf(kCountBuckets[i].first)) == i);
    CHECK(IndexOf(BucketOf(kCountBuckets[i].last)) == i);
  }
  CHECK(BucketOf(4) == CountBucket::k2To4);
  CHECK(BucketOf(57) == CountBucket::k10To99);
}

TEST_CASE("each bucket has the metrics of its own examples alone", "[metrics][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 100));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const Columns columns = RandomColumns(random, random() % 400);
  Evaluator evaluator;
  REQUIRE(evaluator.Add(columns.All()).ok());
  const Evaluation evaluation = evaluator.Evaluate();
  if (columns.labels.empty()) {
    CHECK(evaluation == Evaluation{});
    return;
  }

  for (std::size_t bucket = 0; bucket < kCountBucketCount; ++bucket) {
    CAPTURE(bucket);
    const auto holds = [&](std::uint32_t count) {
      return count >= kCountBuckets[bucket].first && count <= kCountBuckets[bucket].last;
    };
    std::vector<ScoredExample> rarest;
    std::vector<ScoredExample> field;
    for (std::size_t i = 0; i < columns.labels.size(); ++i) {
      const ScoredExample example{.score = columns.probabilities[i],
                                  .positive = columns.labels[i] == 1.0F};
      if (holds(columns.rarest_counts[i])) rarest.push_back(example);
      if (columns.field_counts[i] != kCountAbsent && holds(columns.field_counts[i])) {
        field.push_back(example);
      }
    }
    CHECK(evaluation.by_rarest->buckets[bucket].example_count == rarest.size());
    CHECK(evaluation.by_rarest->buckets[bucket].auc == test::SlowAuc(rarest));
    CHECK(evaluation.by_field->buckets[bucket].example_count == field.size());
    CHECK(evaluation.by_field->buckets[bucket].auc == test::SlowAuc(field));
  }
  std::vector<ScoredExample> tail;
  for (std::size_t i = 0; i < columns.labels.size(); ++i) {
    if (columns.rarest_counts[i] >= 10) continue;
    tail.push_back({.score = columns.probabilities[i], .positive = columns.labels[i] == 1.0F});
  }
  CHECK(evaluation.by_rarest->tail.example_count == tail.size());
  CHECK(evaluation.by_rarest->tail.auc == test::SlowAuc(tail));
  CHECK(evaluation.by_rarest->absent_count == 0);
  CHECK(evaluation.by_field->absent_count ==
        static_cast<std::uint64_t>(std::ranges::count(columns.field_counts, kCountAbsent)));
}

TEST_CASE("batches and merges in any order give one evaluator's bits", "[metrics][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 100));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const Columns columns = RandomColumns(random, 2 + random() % 3000);
  const std::size_t size = columns.labels.size();
  const std::size_t cut = random() % (size + 1);
  Evaluator all;
  REQUIRE(all.Add(columns.All()).ok());
  Evaluator first;
  Evaluator second;
  REQUIRE(first.Add(columns.Slice(0, cut / 2)).ok());
  REQUIRE(first.Add(columns.Slice(cut / 2, cut)).ok());
  REQUIRE(second.Add(columns.Slice(cut, size)).ok());

  REQUIRE(second.Merge(first).ok());

  CHECK(second.size() == size);
  CHECK(second.Evaluate() == all.Evaluate());
}

TEST_CASE("what the batches do not carry is absent from the result", "[metrics]") {
  const std::vector<float> labels{1, 0};
  const std::vector<float> probabilities{0.7F, 0.6F};
  Evaluator evaluator;
  REQUIRE(evaluator.Add({.labels = labels, .probabilities = probabilities}).ok());

  const Evaluation evaluation = evaluator.Evaluate();

  CHECK(evaluation.overall.auc == 1.0);
  CHECK_FALSE(evaluation.groups.has_value());
  CHECK_FALSE(evaluation.by_rarest.has_value());
  CHECK_FALSE(evaluation.by_field.has_value());
}

TEST_CASE("a batch that is wrong is refused whole, with its reason", "[metrics]") {
  const std::vector<float> labels{1, 0};
  const std::vector<float> probabilities{0.7F, 0.6F};
  const std::vector<std::uint32_t> counts{3, 8};
  Evaluator evaluator;
  REQUIRE(evaluator.Add({.labels = labels, .probabilities = probabilities, .rarest_counts = counts})
              .ok());
  const auto refused = [&](const PredictionBatch& batch) {
    const absl::Status status = evaluator.Add(batch);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(evaluator.size() == 2);
    return std::string(status.message());
  };

  const std::vector<float> short_column{0.5F};
  CHECK(refused({.labels = labels, .probabilities = short_column}) ==
        "probabilities: 1 values: want 2, one for each label");
  CHECK(refused({.labels = labels, .probabilities = probabilities}) ==
        "optional columns: none: want those of the batches before: rarest_counts");
  const std::vector<float> half{1, 0.5F};
  CHECK(refused({.labels = half, .probabilities = probabilities, .rarest_counts = counts}) ==
        "label 0.5 at 1: want 0 or 1");
  for (const float bad : {std::nanf(""), -0.25F, 1.25F}) {
    const std::vector<float> broken{0.5F, bad};
    CHECK_THAT(refused({.labels = labels, .probabilities = broken, .rarest_counts = counts}),
               Catch::EndsWith(" at 1: want 0..1"));
  }
  const std::vector<std::uint64_t> groups{1};
  CHECK(refused({.labels = labels,
                 .probabilities = probabilities,
                 .rarest_counts = counts,
                 .groups = groups}) == "groups: 1 values: want 2, one for each label, or none");
}

TEST_CASE("evaluators of different columns do not merge", "[metrics]") {
  const std::vector<float> labels{1, 0};
  const std::vector<float> probabilities{0.7F, 0.6F};
  const std::vector<std::uint64_t> groups{4, 4};
  Evaluator with;
  Evaluator without;
  REQUIRE(with.Add({.labels = labels, .probabilities = probabilities, .groups = groups}).ok());
  REQUIRE(without.Add({.labels = labels, .probabilities = probabilities}).ok());

  CHECK(with.Merge(without).code() == absl::StatusCode::kInvalidArgument);
  CHECK(with.Merge(Evaluator()).ok());
  CHECK(with.size() == 2);
  Evaluator empty;
  CHECK(empty.Merge(with).ok());
  CHECK(empty.Evaluate() == with.Evaluate());
}

}  // namespace
}  // namespace longtail::examples
