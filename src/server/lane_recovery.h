// A lane as its log leaves it: what a server has when it starts again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "protocol/cluster_map.h"
#include "protocol/lane_base.h"
#include "server/lane_core.h"
#include "server/lane_tail.h"

namespace longtail::server {

struct RecoveredLane {
  std::shared_ptr<const ClusterMap> map;  ///< One that the lane knew. Null: the log has nothing.
  std::unique_ptr<LaneCore> core;         ///< Keeps a log, which goes on at core->log_end().
  std::vector<EpochStart> epochs;         ///< Of the log.
  LaneTail tail;                          ///< Its newest entries.
  std::uint64_t base_end = 0;             ///< Records that a base stands for; 0: there is none.
  std::uint64_t log_bytes = 0;            ///< Of the segments read.
  std::uint64_t torn_bytes = 0;           ///< At the end of the log: writes that never ended.
};

/// Reads the newest base of a log of that lane, and the log behind it, which is done again. What it
/// gives is durable then, as far as the store syncs. The tail has about `tail_bytes`.
///
/// Errors: DataLoss naming the segment, if what was durable is damaged or gone; InvalidArgument (a
///         foreign or newer file among the segments); FailedPrecondition (another lane's log);
///         Unavailable.
/// Cost: an import of all rows and the time of the pushes since; beside the rows the bytes of a
///       segment, or of a chunk of rows twice.
absl::StatusOr<RecoveredLane> RecoverLane(BlobStore& store, const std::string& prefix, NodeId lane,
                                          std::size_t tail_bytes);

}  // namespace longtail::server
