// Reads a lane as its log leaves it.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "protocol/node_ids.h"
#include "server/recovered_lane.h"

namespace longtail::server {

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
