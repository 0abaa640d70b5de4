// A lane's rules: takes a message apart, asks the partitions it owns, answers.
//
// Threads: not thread-safe; see io/core_loop.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/limits.h"
#include "longtail/step_mode.h"
#include "protocol/expand.h"
#include "protocol/messages.h"
#include "protocol/step.h"
#include "server/lane_snapshot.h"
#include "server/partition_core.h"
#include "server/reply_pool.h"

namespace longtail::server {

/// Pulls that wait in one lane for steps to end.
inline constexpr std::size_t kWaitingPullsMax = 4096;

/// Bytes of rows in the answer to one pull that came from another process. Workers ask for about
/// 1 MiB at a time.
inline constexpr std::uint64_t kReplyBytesMax = std::uint64_t{1} << 30;

class LaneCore final : public Core {
 public:
  struct Options {
    NodeId self{};
    std::uint64_t epoch = 1;
    StepMode step_mode = StepMode::kAsynchronous;
    std::uint32_t staleness = 0;  ///< Bounded staleness alone.
    std::uint32_t worker_count = 1;
    std::uint32_t partition_count = 1;
    std::vector<PartitionId> partitions;                ///< Those this lane owns.
    bool audits_evictions = false;                      ///< Gives what is evicted as effects.
    std::size_t key_list_bytes_max = kKeyListBytesMax;  ///< Of those that workers have it keep.
  };

  explicit LaneCore(const Options& options);

  void Step(const Envelope& event, absl::Time now, Effects& effects) override;
  void OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) override;
  void Tick(absl::Time now, Effects& effects) override;

  /// Rows of all its tables.
  std::uint64_t row_count() const;

  /// Messages that no lane understands.
  std::uint64_t dropped() const { return dropped_; }

  /// The partition of that number, or null if it is not here.
  const PartitionCore* FindPartition(PartitionId partition) const;

 private:
  struct WaitingPull {
    NodeId source{};
    std::shared_ptr<const PullRequest> pull;
  };

  void OnPull(NodeId source, const std::shared_ptr<const PullRequest>& pull, Effects& effects);
  void OnPush(NodeId source, const std::shared_ptr<const PushRequest>& push, Effects& effects);
  void OnCompactPull(NodeId source, const std::shared_ptr<const CompactPull>& pull,
                     Effects& effects);
  void OnCompactPush(NodeId source, const std::shared_ptr<const CompactPush>& push,
                     Effects& effects);
  void OnBarrier(NodeId source, const BarrierRequest& barrier, Effects& effects);
  void OnCreateTable(NodeId source, const CreateTable& create, Effects& effects);
  void OnOpenSession(NodeId source, const OpenSession& open, Effects& effects);
  void OnCloseSession(NodeId source, const CloseSession& close, Effects& effects);
  void OnStatistics(NodeId source, const StatisticsRequest& request, Effects& effects);
  void OnSnapshot(NodeId source, const SnapshotRequest& request, Effects& effects);
  void OnImport(NodeId source, const ImportRows& import, Effects& effects);
  void OnImportStep(NodeId source, const ImportStep& import, Effects& effects);
  template <typename T>
  void OnOther(NodeId source, const T& message, Effects& effects);

  absl::Status CheckEpoch(std::uint64_t epoch) const;
  absl::Status CheckPull(const PullRequest& pull) const;
  bool IsReady(const PullRequest& pull) const;
  std::uint64_t StepOf(const PullRequest& pull) const;
  void Serve(NodeId source, const std::shared_ptr<const PullRequest>& pull, Effects& effects);
  void ServeCompact(NodeId source, const PullRequest& pull, Effects& effects);
  void ServeWaiting(Effects& effects);
  void RefusePull(NodeId source, std::uint64_t request, absl::Status status, Effects& effects);
  void Acknowledge(NodeId target, std::uint64_t request, absl::Status status, Effects& effects);
  PartitionCore* Find(PartitionId partition);
  absl::Status NotHere(PartitionId partition) const;

  const Options options_;
  std::vector<std::unique_ptr<PartitionCore>> partitions_;  // Those owned, in order of number.
  std::vector<PartitionCore*> by_number_;                   // [partition_count], null: not here.
  std::vector<WaitingPull> waiting_;
  ReplyPool replies_;
  KeyLists key_lists_;
  std::vector<float> rows_;            // ServeCompact's own: some rows before they are packed,
  std::vector<std::uint32_t> counts_;  // and their counts.
  LaneSnapshot snapshot_;
  std::uint64_t dropped_ = 0;
};

}  // namespace longtail::server
