// A lane's rules: takes a message apart, asks the partitions it owns, answers.
//
// Threads: not thread-safe; see io/core_loop.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/limits.h"
#include "longtail/step_mode.h"
#include "protocol/cluster_map.h"
#include "protocol/expand.h"
#include "protocol/lane_base.h"
#include "protocol/messages.h"
#include "protocol/snapshot_writer.h"
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
    std::vector<PartitionId> partitions;  ///< Those this lane owns.
    bool audits_evictions = false;        ///< Gives what is evicted as effects.
    /// As PartitionCore has it.
    std::uint64_t step_max = std::numeric_limits<std::uint64_t>::max();
    /// What changes state goes to a log, and is acknowledged once that is durable.
    bool keeps_log = false;
    std::size_t key_list_bytes_max = kKeyListBytesMax;  ///< Of those that workers have it keep.
    RolledBack rolled_back{};                           ///< What its rows descend from.
    LaneSnapshot::Options snapshot{};
  };

  explicit LaneCore(const Options& options);

  /// Gives the rows of a base to `take`, block by block.
  using ReadRowsInto =
      absl::FunctionRef<absl::Status(absl::FunctionRef<absl::Status(const RowBlock& rows)> take)>;

  void Step(const Envelope& event, absl::Time now, Effects& effects) override;
  void OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) override;
  void Tick(absl::Time now, Effects& effects) override;
  void OnLogged(std::uint64_t log, std::uint64_t end, absl::Time now, Effects& effects) override;

  /// Begins the log with the map that gave this lane its place.
  void BeginLog(std::shared_ptr<const ClusterMap> map, absl::Time now, Effects& effects);

  /// Does again what the message of a durable log entry did, which has that time; the next one,
  /// from 0 on. Before any Step.
  void Replay(const Message& message, std::uint64_t time_us);

  /// Writes all it has to the store, rows to chunks and then a base that names them, so that the
  /// log before it can go, while it goes on. Nothing happens if another is under way, or a
  /// snapshot.
  ///
  /// `map`: one that it knows; `epochs`: of its log, whose names begin with `prefix`. Whether it
  /// has begun.
  bool WriteBase(std::shared_ptr<const ClusterMap> map, std::vector<EpochStart> epochs,
                 const std::string& prefix, absl::Time now, Effects& effects);

  /// Whether a base is being written.
  bool writes_base() const { return base_.has_value(); }

  /// Becomes what a base has, of which `read_rows` gives the rows. Before any Step or Replay.
  ///
  /// Errors: InvalidArgument, naming what does not fit; what `read_rows` gives.
  absl::Status Restore(const LaneBase& base, ReadRowsInto read_rows);

  /// The partition of that index among those owned as a base of its own, all of which stands at
  /// log_end(), and its rows as chunks, in the order of the base's blobs.
  ///
  /// Cost: the partition's rows twice, compressed.
  LaneBase SavePartition(std::size_t index, std::shared_ptr<const ClusterMap> map,
                         std::vector<EpochStart> epochs, std::vector<std::string>& chunks) const;

  /// Hands out the partition of that index among those owned as chunks of a snapshot, with its
  /// sessions, each chunk of about `chunk_bytes` before compression.
  void WritePartition(std::size_t index, const SnapshotSink& sink, std::size_t chunk_bytes) const;

  /// Becomes what SavePartition saw of each, one after another, before any Step or Replay. Replay
  /// then begins with the entry at which the first of them was cut; those cut later sleep until
  /// their time has come. The lane is whole from the entry on that `whole_at` says.
  ///
  /// Errors: as Restore.
  absl::Status RestorePartition(const LaneBase& base, ReadRowsInto read_rows);
  std::uint64_t whole_at() const { return whole_at_; }

  /// Makes tables, for a lane that is to have rows of a checkpoint: they come by LoadRows, any
  /// number of times, and EndLoad sets the step, the number of the next log entry and the time
  /// of the one before it. Before any Step or Replay.
  ///
  /// Errors: InvalidArgument, naming what does not fit.
  absl::Status BeginLoad(const std::vector<TableSpec>& tables);
  absl::Status LoadRows(const RowBlock& rows) { return Import(rows); }
  void EndLoad(std::uint64_t step, std::uint64_t log_end, std::uint64_t time_us);

  /// Forgets whom it owes an answer, and gives up a snapshot: another leads the lane now.
  void StopLeading(Effects& effects);

  /// The cluster's epoch that its rows are of.
  std::uint64_t epoch() const { return options_.epoch; }

  /// Log entries so far: the number of the next.
  std::uint64_t log_end() const { return log_end_; }

  /// The time of the newest of them, which is that of whoever led the lane then; it never goes
  /// back, though a clock may. See LogRecordHeader.
  std::uint64_t time_us() const { return time_us_; }

  /// Partitions that it owns.
  std::uint32_t partition_count() const { return static_cast<std::uint32_t>(partitions_.size()); }

  std::uint32_t table_count() const {
    return partitions_.empty() ? 0 : static_cast<std::uint32_t>(partitions_[0]->table_count());
  }

  /// Rows of all its tables.
  std::uint64_t row_count() const;

  /// Of each of its tables, by TableId, what needs no look at the rows: all of TableStatistics but
  /// rows_by_count and hash.
  std::vector<TableStatistics> TableCounts() const;

  /// Rows of pulls that it answered, and of pushes that it acknowledged; what is sent again counts
  /// again, what is replayed does not.
  std::uint64_t rows_pulled() const { return rows_pulled_; }
  std::uint64_t rows_pushed() const { return rows_pushed_; }

  /// Messages that no lane understands.
  std::uint64_t dropped() const { return dropped_; }

  /// All partitions have ended so many steps; none has ended more than the other.
  std::uint64_t least_step() const;
  std::uint64_t greatest_step() const;

  /// Of its tables, by TableId.
  std::vector<TableSpec> table_specs() const;

  /// The partition of that index among those owned.
  const PartitionCore& partition(std::size_t index) const { return *partitions_[index]; }

  /// The partition of that number, or null if it is not here.
  const PartitionCore* FindPartition(PartitionId partition) const;

 private:
  // Of the write of a base; its snapshot's are higher.
  std::uint64_t BaseTicket() const { return options_.snapshot.first_ticket - 1; }

  struct WaitingPull {
    NodeId source{};
    std::shared_ptr<const PullRequest> pull;
  };

  // An answer that must not be given before the log is durable up to `log_end`.
  struct HeldAnswer {
    std::uint64_t log_end = 0;
    Envelope answer;
  };

  void Handle(const Envelope& event, absl::Time now, Effects& effects);
  std::uint64_t Position() const;
  void AddToLog(Message message, absl::Time now, Effects& effects);
  void HoldAnswers(std::size_t first, Effects& effects);
  void FinishBase(Effects& effects);
  SnapshotHeader HeaderOf(const PartitionCore& partition) const;
  static void PutRows(const PartitionCore& partition, SnapshotWriter& writer);
  absl::Status Import(const RowBlock& rows);
  absl::Status ImportOne(const RowBlock& rows, std::size_t i);
  void OnPull(NodeId source, const std::shared_ptr<const PullRequest>& pull, Effects& effects);
  void OnPush(NodeId source, const std::shared_ptr<const PushRequest>& push, Effects& effects);
  void OnCompactPull(NodeId source, const std::shared_ptr<const CompactPull>& pull,
                     Effects& effects);
  void OnCompactPush(const Envelope& event, const std::shared_ptr<const CompactPush>& push,
                     absl::Time now, Effects& effects);
  void OnBarrier(NodeId source, const BarrierRequest& barrier, Effects& effects);
  void OnCreateTable(NodeId source, const CreateTable& create, Effects& effects);
  void OnOpenSession(NodeId source, const OpenSession& open, Effects& effects);
  void OnCloseSession(NodeId source, const CloseSession& close, Effects& effects);
  void OnStatistics(NodeId source, const StatisticsRequest& request, Effects& effects);
  void OnSnapshot(NodeId source, const SnapshotRequest& request, absl::Time now, Effects& effects);
  void OnImport(NodeId source, const ImportRows& import, Effects& effects);
  void OnImportStep(NodeId source, const ImportStep& import, Effects& effects);
  template <typename T>
  void OnOther(NodeId source, const T& message, Effects& effects);

  absl::Status CheckEpoch(std::uint64_t epoch) const;
  absl::Status CheckSession(SessionId session) const;
  absl::Status WasRolledBack() const;
  absl::Status CheckPull(const PullRequest& pull) const;
  bool IsReady(const PullRequest& pull) const;
  std::uint64_t StepOf(const PullRequest& pull) const;
  void Serve(NodeId source, const std::shared_ptr<const PullRequest>& pull, Effects& effects);
  void ServeCompact(NodeId source, const PullRequest& pull, Effects& effects);
  void ServeWaiting(Effects& effects);
  void RefusePull(NodeId source, std::uint64_t request, absl::Status status, Effects& effects);
  void Acknowledge(NodeId target, std::uint64_t request, absl::Status status, Effects& effects);
  void WakePartitions();
  absl::Status RestoreAll(const LaneBase& base, ReadRowsInto read_rows);
  // Null if it is not here, or asleep.
  PartitionCore* Find(PartitionId partition);
  absl::Status NotHere(PartitionId partition) const;

  const Options options_;
  std::vector<std::unique_ptr<PartitionCore>> partitions_;  // Those owned, in order of number.
  std::vector<PartitionCore*> by_number_;                   // [partition_count], null: not here.
  // While an image is replayed: those whose cut has not come, and those that take part.
  struct Asleep {
    std::uint64_t until = 0;
    PartitionCore* partition = nullptr;
  };
  std::vector<Asleep> asleep_;         // By `until`, the latest first.
  std::vector<PartitionCore*> awake_;  // In order of number.
  std::uint64_t whole_at_ = 0;
  std::vector<WaitingPull> waiting_;
  ReplyPool replies_;
  KeyLists key_lists_;
  std::vector<float> rows_;            // ServeCompact's own: some rows before they are packed,
  std::vector<std::uint32_t> counts_;  // and their counts.
  LaneSnapshot snapshot_;
  std::uint64_t dropped_ = 0;
  std::uint64_t rows_pulled_ = 0;
  std::uint64_t rows_pushed_ = 0;
  std::uint64_t log_end_ = 0;
  std::uint64_t time_us_ = 0;
  std::uint64_t durable_end_ = 0;  // Of the log's entries.
  std::deque<HeldAnswer> held_;    // In the order of log_end.
  std::optional<LaneBase> base_;   // That is being written,
  std::string base_prefix_;        // here.
};

}  // namespace longtail::server
