// The logs of a cluster's servers, as far as they are kept: of which moments and steps each lane
// can be made again.
//
// Of each lane there may be several logs: one of each replica, and those that a replica had before
// it got an image. The one that knows the newest leadership, and most of it, says what came to be;
// of the others counts what they share with it. A rollback begins all lanes anew: what was before
// it is an era of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "io/blob_store.h"
#include "protocol/cluster_map.h"
#include "server/lane_history.h"

namespace longtail::checkpoint {

struct KeptLog {
  BlobStore* store = nullptr;  ///< Where it is.
  server::LaneHistory history;
  /// Its records before that one came to be. Below history.end: others were led another way.
  std::uint64_t end = 0;
};

struct KeptLane {
  NodeId lane{};
  std::vector<KeptLog> logs;  ///< By `end`, the one with most first; by server and number.
  /// Not 0: another lane's log knows of this leadership of it, and none of these does: they may
  /// lack its newest records, or have some that did not come to be.
  std::uint64_t lacks_epoch = 0;

  /// One behind the lane's last record.
  std::uint64_t end() const { return logs.front().end; }
};

/// From the cluster's beginning, or a rollback, to the next rollback.
struct KeptEra {
  RolledBack since{};           ///< What it began with; none: the cluster's beginning.
  std::uint64_t epoch = 0;      ///< See ClusterMap::epoch.
  std::vector<KeptLane> lanes;  ///< In the map's order; those that have a log of it.
  std::vector<NodeId> missing;  ///< The others.

  // Of the whole cluster, where each lane's logs have no gap.
  absl::Time from;  ///< The first moment of which each lane has a log,
  absl::Time to;    ///< and that of the last record of any, if that was before the next rollback.
  std::uint64_t from_step = 0;
  std::uint64_t to_step = 0;
};

struct KeptLogs {
  std::shared_ptr<const ClusterMap> map;  ///< The newest in any log.
  std::vector<KeptEra> eras;              ///< The oldest first.
};

/// Reads what the logs in these stores have. Changes nothing; servers may go on meanwhile.
///
/// Errors: NotFound (no log there, or none of some lane, naming it); FailedPrecondition (logs of
///         more than one cluster); as server::ReadLaneHistory.
/// Cost:   as server::ReadLaneHistory, for each log.
absl::StatusOr<KeptLogs> ReadKeptLogs(std::span<BlobStore* const> stores);

/// As 2026-11-23T14:05:00.25Z.
std::string MomentText(absl::Time moment);

}  // namespace longtail::checkpoint
