// A lane as its log leaves it: what a server has when it starts again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "protocol/cluster_map.h"
#include "server/lane_core.h"

namespace longtail::server {

/// Where the segments of a lane's log are in the store.
std::string LaneLogPrefix(const std::string& server, std::uint32_t lane);

struct RecoveredLane {
  std::shared_ptr<const ClusterMap> map;  ///< As it was when the lane began. Null: it has no log.
  std::unique_ptr<LaneCore> core;         ///< Keeps a log, which goes on at core->log_end().
  std::uint64_t base_end = 0;             ///< Records that a base stands for; 0: there is none.
  std::uint64_t log_bytes = 0;            ///< Of the segments read.
  std::uint64_t torn_bytes = 0;           ///< At the end of the log: writes that never ended.
};

/// Reads the newest base of the lane that is number `lane` of the server of that name, and the log
/// behind it, which is done again.
///
/// Errors: DataLoss naming the segment, if what was durable is damaged or gone; InvalidArgument (a
///         foreign or newer file among the segments); FailedPrecondition (another lane's log);
///         Unavailable.
/// Cost: an import of all rows and the time of the pushes since; beside the rows the bytes of a
///       segment, or of a chunk of rows twice.
absl::StatusOr<RecoveredLane> RecoverLane(BlobStore& store, const std::string& server,
                                          std::uint32_t lane);

}  // namespace longtail::server
