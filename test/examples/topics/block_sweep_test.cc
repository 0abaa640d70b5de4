#include "examples/topics/block_sweep.h"

#include <catch2/catch.hpp>

#include "examples/topics/small_corpus.h"

namespace longtail::examples {
namespace {

// Counts that note what is asked of them, and fail when told.
class NotingCounts final : public WordTopics {
 public:
  absl::Status StartPull(std::span<const Key> words, CountRows* rows) override {
    pulled.emplace_back(words.begin(), words.end());
    rows->clear();
    rows->ends.assign(words.size(), 0);
    return absl::OkStatus();
  }
  absl::Status FinishPull() override { return pull_outcome; }
  absl::Status Push(std::span<const Key> words, const CountRows& changes,
                    const CountRows& sum_changes) override {
    pushed.emplace_back(words.begin(), words.end());
    CHECK(changes.size() == words.size());
    CHECK(sum_changes.size() == 1);
    for (const std::int64_t count : sum_changes.counts) total += count;
    return absl::OkStatus();
  }
  absl::Status PullSums(std::span<std::int64_t> sums) override {
    ++sum_pulls;
    for (std::int64_t& sum : sums) sum = 0;
    return absl::OkStatus();
  }
  absl::Status Flush() override { return absl::OkStatus(); }

  std::vector<std::vector<Key>> pulled;
  std::vector<std::vector<Key>> pushed;
  absl::Status pull_outcome;
  int sum_pulls = 0;
  std::int64_t total = 0;
};

const test::Documents kDocuments = {{0, 1, 1, 2}, {2, 3, 4}};
const std::vector<Key> kKeys = {10, 11, 12, 13, 14};

TEST_CASE("a block's words are pulled and pushed once, slice by slice",
          "[examples][topics][block_sweep]") {
  NotingCounts counts;
  const Priors priors = test::PriorsOf(3, 0.1, 0.1, 5);
  BlockSweep sweep({.slice_tokens = 3, .slice_words = 2, .sum_slices = 2}, kKeys, priors, counts);
  const TokenBlock block = test::BlockOf(kDocuments);
  std::vector<std::uint32_t> topics(block.token_count(), kNoTopic);
  DocumentTopics documents;
  documents.Count(block, topics);

  REQUIRE(sweep.Run(block, 1, topics, documents).ok());

  CHECK(counts.pulled == std::vector<std::vector<Key>>{{10, 11}, {12, 13}, {14}});
  CHECK(counts.pushed == counts.pulled);
  CHECK(counts.sum_pulls == 2);
  CHECK(counts.total == 7);
  CHECK(sweep.moved() == 7);
}

TEST_CASE("an error of the counts ends a sweep", "[examples][topics][block_sweep]") {
  NotingCounts counts;
  counts.pull_outcome = absl::UnavailableError("no server");
  const Priors priors = test::PriorsOf(3, 0.1, 0.1, 5);
  BlockSweep sweep({}, kKeys, priors, counts);
  const TokenBlock block = test::BlockOf(kDocuments);
  std::vector<std::uint32_t> topics(block.token_count(), kNoTopic);
  DocumentTopics documents;
  documents.Count(block, topics);

  CHECK(sweep.Run(block, 1, topics, documents) == counts.pull_outcome);
  CHECK(counts.pushed.empty());
}

}  // namespace
}  // namespace longtail::examples
