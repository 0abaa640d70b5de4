#include "examples/topics/served_word_topics.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"

namespace longtail::examples {
namespace {

constexpr Key kSumKey = 0;

// Pushes that may be on their way before a worker waits for the oldest.
constexpr std::size_t kPushesMax = 16;

}  // namespace

absl::StatusOr<TopicTables> TopicTables::Make(Cluster& cluster, std::uint32_t topic_count) {
  TableSpec spec;
  spec.dim = topic_count;
  spec.kind = TableKind::kCounts;
  TopicTables tables;
  spec.name = "word_topics";
  LONGTAIL_ASSIGN_OR_RETURN(tables.words, cluster.CreateTable(spec));
  spec.name = "topic_sums";
  LONGTAIL_ASSIGN_OR_RETURN(tables.sums, cluster.CreateTable(spec));
  return tables;
}

absl::StatusOr<std::unique_ptr<ServedWordTopics>> ServedWordTopics::Connect(
    Cluster& cluster, const TopicTables& tables) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<Worker> worker, cluster.Connect());
  return std::unique_ptr<ServedWordTopics>(new ServedWordTopics(std::move(worker), tables));
}

absl::Status ServedWordTopics::StartPull(std::span<const Key> words, CountRows* rows) {
  pull_ = worker_->PullCountsAsync(tables_.words, words, rows);
  return absl::OkStatus();
}

absl::Status ServedWordTopics::FinishPull() {
  return pull_.Wait();
}

absl::Status ServedWordTopics::Push(std::span<const Key> words, const CountRows& changes,
                                    const CountRows& sum_changes) {
  pushes_.push_back(worker_->PushCountsAsync(tables_.words, words, changes));
  pushes_.push_back(worker_->PushCountsAsync(tables_.sums, {&kSumKey, 1}, sum_changes));
  std::size_t done = 0;
  while (done < pushes_.size() && (pushes_[done].done() || pushes_.size() - done > kPushesMax)) {
    LONGTAIL_RETURN_IF_ERROR(pushes_[done++].Wait());
  }
  pushes_.erase(pushes_.begin(), pushes_.begin() + static_cast<std::ptrdiff_t>(done));
  return absl::OkStatus();
}

absl::Status ServedWordTopics::PullSums(std::span<std::int64_t> sums) {
  LONGTAIL_RETURN_IF_ERROR(worker_->PullCounts(tables_.sums, {&kSumKey, 1}, &sum_row_));
  std::ranges::fill(sums, 0);
  for (std::size_t i = 0; i < sum_row_.columns.size(); ++i) {
    sums[sum_row_.columns[i]] = sum_row_.counts[i];
  }
  return absl::OkStatus();
}

absl::Status ServedWordTopics::Flush() {
  for (Pending& push : pushes_) LONGTAIL_RETURN_IF_ERROR(push.Wait());
  pushes_.clear();
  return absl::OkStatus();
}

}  // namespace longtail::examples
