// What a log of a lane can be made again of: from which record and moment to which.
//
// A log that is kept (io/log_keeper.h) has bases and all records behind the oldest of them, or from
// its beginning on. Replicas of a lane have logs of the same records, as far as they had the same
// leaders: where two logs say the same of their epochs, they say the same of all records there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "protocol/cluster_map.h"
#include "protocol/lane_base.h"
#include "protocol/lane_log_names.h"
#include "protocol/node_ids.h"

namespace longtail::server {

/// A base of a log: all that was before its end.
struct HistoryBase {
  std::uint64_t end = 0;
  std::uint64_t time_us = 0;  ///< Of the newest record before it.
  std::uint64_t step = 0;     ///< No partition had ended more steps.
};

struct LaneHistory {
  std::string server;  ///< Whose log it is.
  NodeId lane{};
  std::uint64_t log = 0;
  std::string prefix;
  bool is_over = false;                   ///< It has the mark of one.
  std::shared_ptr<const ClusterMap> map;  ///< The newest in it.
  std::uint64_t era = 0;  ///< The cluster's epoch that its rows are of: see ClusterMap::epoch.
  std::vector<EpochStart> epochs;
  std::vector<HistoryBase> bases;  ///< Ascending.
  bool has_beginning = false;      ///< All records from 0 on are there.
  // What comes first: the first record, or what the oldest base stands for.
  std::uint64_t begin = 0;
  std::uint64_t begin_us = 0;
  std::uint64_t begin_step = 0;
  // And last: one behind the last record, and what that left.
  std::uint64_t end = 0;
  std::uint64_t end_us = 0;
  std::uint64_t end_step = 0;  ///< All partitions have ended so many steps.
};

/// Reads what a log has; none if it is not whole, or has no record. `names`: of its store.
///
/// Errors: as ReplayLane.
/// Cost:   reads its bases but no rows, and the records behind the newest.
absl::StatusOr<std::optional<LaneHistory>> ReadLaneHistory(BlobStore& store,
                                                           std::span<const std::string> names,
                                                           const std::string& server,
                                                           const LaneLogKey& log);

/// Of a log with `epochs` and `end`, those records are the same in `other` that are before that
/// number: behind it one of them has records that the other does not know, or none.
std::uint64_t SharedEnd(const LaneHistory& log, const LaneHistory& other);

}  // namespace longtail::server
