// Who holds what: partitions, their lanes, the tables. A map never changes; a newer one replaces
// it.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "longtail/ids.h"
#include "longtail/step_mode.h"
#include "longtail/table_spec.h"
#include "protocol/node_ids.h"

namespace longtail {

/// What a server's replica of a lane is to do.
enum class ReplicaRole : std::uint8_t {
  kLeader,    ///< Orders the lane's log and answers.
  kFollower,  ///< Has all that was acknowledged: nothing is before it has it, and it may lead.
  kJoining,   ///< Is being brought up to date, and is not waited for.
  kNone,      ///< There is no lane there, or nobody has heard of its server for a while.
  /// A follower that is to lead next: the leader takes no changes any more, and says when this one
  /// has all.
  kSuccessor,
  kReader,  ///< Follows, is never waited for and never leads: it answers pulls.
};

/// A place for a replica of a lane in a server, as others reach it.
struct LaneEntry {
  NodeId node{};                       ///< The lane's, whoever leads it.
  std::vector<std::string> addresses;  ///< The first for everybody, the others for the same host.
  ReplicaRole role = ReplicaRole::kLeader;

  bool operator==(const LaneEntry&) const = default;
};

/// One server process.
struct ServerEntry {
  std::string name;
  std::uint64_t incarnation = 0;  ///< Drawn when it starts: the same name later is another one.
  std::string host;               ///< Equal for processes that share a machine, else different.
  std::vector<LaneEntry> lanes;
  /// Drawn when it first wrote a log: who comes back with the same has all that its lanes made
  /// durable. 0: it keeps none.
  std::uint64_t log = 0;
  bool is_drained = false;  ///< It is to end, and gets no lanes any more.

  bool operator==(const ServerEntry&) const = default;
};

/// What a cluster was rolled back to, last.
struct RolledBack {
  std::string checkpoint{};   ///< Empty: it never was.
  std::uint64_t step = 0;     ///< Of the checkpoint.
  SessionId first_session{};  ///< Sessions of lower numbers were of what is gone.
  std::uint64_t id = 0;       ///< Of who asked for it; see RollBack.
  std::uint64_t at_us = 0;    ///< When, by the coordinator's clock: microseconds since 1970.

  bool operator==(const RolledBack&) const = default;
};

/// A cluster's first epoch.
inline constexpr std::uint64_t kFirstEpoch = 1;

struct ClusterMap {
  std::uint64_t version = 0;
  /// One more with each rollback: what is of an older one is refused, for its rows are gone.
  std::uint64_t epoch = kFirstEpoch;
  StepMode step_mode = StepMode::kAsynchronous;
  std::uint32_t staleness = 0;  ///< See ClusterOptions.
  std::uint32_t worker_count = 1;
  std::vector<NodeId> lanes;  ///< Every lane, in order.
  std::vector<std::uint32_t>
      lane_of;                    ///< [P] which of `lanes` leads a partition; P: a power of two.
  std::vector<TableSpec> tables;  ///< By TableId.
  std::vector<ServerEntry> servers{};  ///< Whose lanes they are, in order; none within a process.
  std::uint64_t cluster = 0;   ///< Drawn when it was made: what is kept of another is not its.
  std::uint32_t replicas = 1;  ///< Of each lane, its leader among them.
  /// By lane, in order: the number of its leadership. None where lanes have one replica.
  std::vector<std::uint64_t> lane_epochs{};
  RolledBack rolled_back{};

  bool operator==(const ClusterMap&) const = default;
};

/// The partition of a key: the top bits of its hash, the same for every table.
///
/// Needs partition_count a power of two.
inline PartitionId PartitionOf(Key key, std::uint32_t partition_count) {
  const int bits = std::countr_zero(partition_count);
  return PartitionId{bits == 0 ? 0U : static_cast<std::uint32_t>(Mix64(key) >> (64 - bits))};
}

}  // namespace longtail
