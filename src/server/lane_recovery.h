// Reads a lane as its log leaves it, or as it was at a place of the log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
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

/// What of a log is read.
struct LogPart {
  /// The base that it begins with; none: the log's beginning.
  std::optional<std::uint64_t> base{};
  /// It ends before the record of that number,
  std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
  /// before the first that is later than that,
  std::uint64_t time_us = std::numeric_limits<std::uint64_t>::max();
  /// and as soon as all partitions have ended so many steps.
  std::optional<std::uint64_t> until_step{};
  /// Synchronous mode: rows hold what so many steps pushed and nothing of later ones. No partition
  /// of the base may have ended more.
  std::optional<std::uint64_t> step_max{};
  /// False: only what says how far steps are, neither tables nor rows; held pushes are left out.
  bool has_rows = true;
};

/// Reads a part of a log of that lane. Changes nothing, and may be done while the log is written:
/// then it ends where a reader finds its end. No core: there is no record in that part.
///
/// Errors: as RecoverLane; NotFound if a base or segment was removed meanwhile.
absl::StatusOr<RecoveredLane> ReplayLane(BlobStore& store, const std::string& prefix, NodeId lane,
                                         const LogPart& part);

}  // namespace longtail::server
