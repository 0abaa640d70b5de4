// Everything that nodes say to one another, as values.
//
// Bulk data (keys, counts, gradients, rows) is named by spans: within a process they point into the
// sender's buffers, which `owner` keeps alive; from the wire they point into what the codec
// decoded. The large requests travel as shared pointers to immutable values, so that a retry, a log
// and a follower can hold the same one without a copy. (Compact forms: compact_messages.h.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "longtail/ids.h"
#include "longtail/row_format.h"
#include "longtail/statistics.h"
#include "longtail/table_spec.h"
#include "protocol/compact_messages.h"
#include "protocol/coordination.h"
#include "protocol/node_ids.h"
#include "protocol/pull_sink.h"
#include "protocol/replication.h"
#include "protocol/row_block.h"

namespace longtail {

/// Where the rows of a section go. Never on the wire.
struct PullTarget {
  float* rows = nullptr;            ///< [n, dim], in the order of the section's keys.
  std::uint32_t* counts = nullptr;  ///< Null, or [n]: training counts.
  std::string* packed = nullptr;    ///< Of a count table: n sized rows, in place of what it had.
};

/// Keys of one table in one partition.
struct PullSection {
  PartitionId partition{};
  TableId table{};
  /// Floats or columns a row, and which of them, as the asker knows the table; others are refused.
  std::uint32_t dim = 0;
  std::span<const Key> keys;
  PullTarget target;
  TableKind kind = TableKind::kWeights;
};

struct PullRequest {
  std::uint64_t request = 0;  ///< Echoed by the reply; unique within the asking node.
  std::uint64_t epoch = 0;    ///< The cluster's; 0: any, which the reply names.
  /// Answered once this many steps are applied; with bounded staleness, as many less that. Not
  /// looked at in asynchronous mode.
  std::uint64_t step = 0;
  bool wants_counts = false;
  /// Set: it travels as a CompactPull, or came as one, and the rows of its answer as these.
  std::optional<WireValues> compact{};
  std::vector<PullSection> sections;
  std::shared_ptr<PullSink> sink;                   ///< Guards the targets; null from the wire.
  std::vector<std::shared_ptr<const void>> owners;  ///< Of what the spans point at.
};

/// `values` is empty if the rows were written to the targets; else all sections' rows in the order
/// of the request. `counts` likewise. `packed` has those of sections of count tables, as sized rows
/// (base/count_row.h).
struct PullReply {
  std::uint64_t request = 0;
  absl::Status status;
  std::uint64_t step = 0;   ///< Steps that the partitions asked had all applied: how old rows are.
  std::uint64_t epoch = 0;  ///< Of the cluster whose rows these are.
  std::span<const float> values;
  std::span<const std::uint32_t> counts;
  std::shared_ptr<const void> owner;
  std::span<const std::byte> packed{};
};

/// Gradients of one table in one partition. Sections of one partition stand together and share one
/// sequence number: they are one op of its log.
struct PushSection {
  PartitionId partition{};
  TableId table{};
  std::uint32_t dim = 0;
  std::uint64_t sequence = 0;
  std::span<const Key> keys;              ///< [n], each once.
  std::span<const std::uint32_t> counts;  ///< [n] occurrences summed into each gradient.
  std::span<const float> gradients;       ///< [n, dim].
  TableKind kind = TableKind::kWeights;
  /// Of a count table, which has neither counts nor gradients: n sized rows of changes.
  std::span<const std::byte> packed{};
};

struct PushRequest {
  SessionId session{};
  std::uint64_t request = 0;
  std::uint64_t epoch = 0;
  std::uint64_t step = 0;
  float learning_rate_scale = 1;
  /// Set: it travels as a CompactPush, its gradients as these.
  std::optional<WireValues> compact{};
  std::vector<PushSection> sections;
  std::vector<std::shared_ptr<const void>> owners;
};

/// The end of a worker's step in one partition: an op of its log, with a sequence number.
struct BarrierSection {
  PartitionId partition{};
  std::uint64_t sequence = 0;
};

struct BarrierRequest {
  SessionId session{};
  std::uint64_t request = 0;
  std::uint64_t epoch = 0;
  std::uint64_t step = 0;  ///< The step that ends.
  std::vector<BarrierSection> sections;
};

/// Answers PushRequest, BarrierRequest and every control request.
struct Acknowledgement {
  std::uint64_t request = 0;
  absl::Status status;
  /// Steps that the lane's partitions have all applied; to OpenSession: that any of them has.
  std::uint64_t step = 0;
};

/// Registers a worker with every partition of a lane. Partitions may have applied different numbers
/// of steps; the answer names the largest. The worker begins with the largest of all lanes and says
/// so in a second one. Repeating either changes nothing.
struct OpenSession {
  std::uint64_t request = 0;
  SessionId session{};
  std::uint32_t rank = 0;   ///< 0 … worker_count-1; its place in a synchronous step.
  std::uint64_t step = 0;   ///< Where the worker begins, at the least: nobody waits for it before.
  std::uint64_t epoch = 0;  ///< Of the cluster; 0: any.
};

/// The worker leaves: steps no longer wait for it.
struct CloseSession {
  std::uint64_t request = 0;
  SessionId session{};
};

/// Makes a table in every partition of a lane. Repeating it with an equal spec changes nothing.
struct CreateTable {
  std::uint64_t request = 0;
  TableId table{};
  TableSpec spec;
};

struct StatisticsRequest {
  std::uint64_t request = 0;
  TableId table{};
};

struct StatisticsReply {
  std::uint64_t request = 0;
  absl::Status status;
  TableStatistics statistics;
};

/// Writes every partition of a lane to the blob store under `prefix`.
///
/// With a `checkpoint` the lane remembers from here on what changes, so that the next snapshot can
/// be an increment on this one; `base` is the checkpoint before, whose manifest is there. Both are
/// CheckpointIdentity; 0: none.
struct SnapshotRequest {
  std::uint64_t request = 0;
  std::string prefix;
  std::uint64_t checkpoint = 0;
  std::uint64_t base = 0;
  /// Of each partition only what changed since `base`, if the lane knows that.
  bool is_increment = false;
  WireValues values = WireValues::kFloat32;  ///< Of an increment's weights; not fp16.
  std::uint64_t epoch = 0;                   ///< The cluster's; 0: any.
};

/// One blob that a snapshot wrote. `checksum` is XXH3-64 over the whole blob.
struct SnapshotBlob {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
  std::uint64_t rows = 0;
};

/// Where a partition stood when its snapshot was cut.
struct PartitionPosition {
  PartitionId partition{};
  std::uint64_t log_position = 0;
  std::uint64_t step = 0;  ///< Steps applied.
  std::uint64_t rows = 0;  ///< That it had.
  bool is_increment = false;
};

struct SnapshotReply {
  std::uint64_t request = 0;
  absl::Status status;
  std::vector<SnapshotBlob> blobs;
  std::vector<PartitionPosition> positions;
};

/// Puts rows into the partitions of a lane as they are; each must belong to one of them.
struct ImportRows {
  std::uint64_t request = 0;
  std::shared_ptr<const RowBlock> rows;
};

/// Sets the step that every partition of a lane has reached, after rows were imported.
struct ImportStep {
  std::uint64_t request = 0;
  std::uint64_t step = 0;
};

using Message =
    std::variant<std::shared_ptr<const PullRequest>, std::shared_ptr<const PushRequest>,
                 std::shared_ptr<const BarrierRequest>, PullReply, Acknowledgement, OpenSession,
                 CloseSession, CreateTable, StatisticsRequest, StatisticsReply, SnapshotRequest,
                 SnapshotReply, ImportRows, ImportStep, JoinServer, JoinWorker, WorkerPlace,
                 Heartbeat, LeaveWorker, MapRequest, MapReply, DefineTable, TableReply,
                 MembersRequest, MembersReply, EnterBarrier, std::shared_ptr<const CompactPull>,
                 std::shared_ptr<const CompactPush>, CompactPullReply, KeysWanted, FollowLane,
                 LaneEntries, PlaceLanes, RollBack, AboutRequest, AboutReply>;

struct Envelope {
  NodeId source{};
  NodeId target{};
  Message body;
};

}  // namespace longtail
