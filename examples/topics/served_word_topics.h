// Counts in count tables of a cluster: embedded, or on servers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/topics/word_topics.h"
#include "longtail/cluster.h"

namespace longtail::examples {

/// The tables of a topic model: a row a word, and one row of sums.
struct TopicTables {
  TableId words{};
  TableId sums{};

  /// Makes them, or finds those of a restored cluster.
  ///
  /// Errors: those of Cluster::CreateTable.
  static absl::StatusOr<TopicTables> Make(Cluster& cluster, std::uint32_t topic_count);
};

/// Each object has a connection of its own.
class ServedWordTopics final : public WordTopics {
 public:
  /// Errors: those of Cluster::Connect.
  static absl::StatusOr<std::unique_ptr<ServedWordTopics>> Connect(Cluster& cluster,
                                                                   const TopicTables& tables);

  absl::Status StartPull(std::span<const Key> words, CountRows* rows) override;
  absl::Status FinishPull() override;
  absl::Status Push(std::span<const Key> words, const CountRows& changes,
                    const CountRows& sum_changes) override;
  absl::Status PullSums(std::span<std::int64_t> sums) override;
  absl::Status Flush() override;

 private:
  ServedWordTopics(std::unique_ptr<Worker> worker, const TopicTables& tables)
      : worker_(std::move(worker)), tables_(tables) {}

  std::unique_ptr<Worker> worker_;
  const TopicTables tables_;
  Pending pull_;
  std::vector<Pending> pushes_;  // Not known to have arrived.
  CountRows sum_row_;
};

}  // namespace longtail::examples
