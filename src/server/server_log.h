// All that a server's logs have: what it begins with when it starts again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "io/blob_store.h"
#include "server/recovered_lane.h"

namespace longtail::server {

struct ServerLog {
  std::uint64_t id = 0;           ///< See ServerEntry::log.
  bool was_there = false;         ///< The server was there before.
  std::vector<LoggedLane> lanes;  ///< By lane, each once.
  std::uint64_t next_log = 1;     ///< A number that no log has had, nor any above it.
};

/// How long logs are kept that a lane does not come back with (io/log_keeper.h).
struct LogKeeping {
  absl::Duration keep = absl::ZeroDuration();  ///< 0: they are not.
  absl::Time now = absl::UnixEpoch();
};

/// Reads the logs of the server of that name, and removes what is left of others of its lanes, or
/// marks them where they are kept. If there are none, writes down that it is `drawn` whose logs are
/// there from now on.
///
/// Errors: as RecoverLane; DataLoss (logs without a name), FailedPrecondition (of two clusters).
/// Cost:   as RecoverLane, for each lane. About `tail_bytes` of each stay in memory.
absl::StatusOr<ServerLog> OpenServerLog(BlobStore& store, const std::string& server,
                                        std::uint64_t drawn, std::size_t tail_bytes,
                                        const LogKeeping& keeping = {});

/// Marks a log as one that is over, and leaves it to who keeps logs.
absl::Status EndLaneLog(BlobStore& store, const std::string& prefix, absl::Time now);

}  // namespace longtail::server
