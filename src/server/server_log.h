// All that a server's logs have: what it begins with when it starts again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "server/recovered_lane.h"

namespace longtail::server {

struct ServerLog {
  std::uint64_t id = 0;           ///< See ServerEntry::log.
  bool was_there = false;         ///< The server was there before.
  std::vector<LoggedLane> lanes;  ///< By lane, each once.
  std::uint64_t next_log = 1;     ///< A number that no log has had, nor any above it.
};

/// Reads the logs of the server of that name, and removes what is left of others of its lanes. If
/// there are none, writes down that it is `drawn` whose logs are there from now on.
///
/// Errors: as RecoverLane; DataLoss (logs without a name), FailedPrecondition (of two clusters).
/// Cost:   as RecoverLane, for each lane. About `tail_bytes` of each stay in memory.
absl::StatusOr<ServerLog> OpenServerLog(BlobStore& store, const std::string& server,
                                        std::uint64_t drawn, std::size_t tail_bytes);

}  // namespace longtail::server
