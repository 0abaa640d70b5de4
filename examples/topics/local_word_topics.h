// Counts in this process's memory, without a cluster: the reference of the tests, and the counts of
// a benchmark that leaves servers out.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "examples/topics/word_topics.h"

namespace longtail::examples {

class LocalWordTopics final : public WordTopics {
 public:
  explicit LocalWordTopics(std::uint32_t topic_count) : sums_(topic_count) {}

  absl::Status StartPull(std::span<const Key> words, CountRows* rows) override;
  absl::Status FinishPull() override { return absl::OkStatus(); }
  absl::Status Push(std::span<const Key> words, const CountRows& changes,
                    const CountRows& sum_changes) override;
  absl::Status PullSums(std::span<std::int64_t> sums) override;
  absl::Status Flush() override { return absl::OkStatus(); }

 private:
  using Row = std::vector<std::pair<std::uint32_t, std::int64_t>>;  // Topic, count; by topic.

  absl::flat_hash_map<Key, Row> rows_;
  std::vector<std::int64_t> sums_;
  Row merged_;
};

}  // namespace longtail::examples
