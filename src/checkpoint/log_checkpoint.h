// A checkpoint of a cluster as it was at a moment, or at the end of a step, made of what its
// servers' logs have (kept_logs.h).
//
// Where steps end together (synchronous mode) it is that of a step: the last one that all
// partitions had ended by that moment, and of each partition just what was pushed in the steps up
// to there. Else each lane is as it was then.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "checkpoint/kept_logs.h"
#include "io/blob_store.h"
#include "protocol/manifest.h"

namespace longtail::checkpoint {

/// One of the two.
struct LogMoment {
  std::optional<absl::Time> at{};
  std::optional<std::uint64_t> step{};  ///< So many have ended.
};

/// What a lane was made of.
struct LaneSource {
  NodeId lane{};
  std::string log;  ///< The names of its blobs begin so,
  std::string store;
  std::optional<std::uint64_t> base{};  ///< Where it began; none: at the log's beginning.
  std::uint64_t records = 0;            ///< Done again behind that.
  std::uint64_t end = 0;                ///< One behind the last of them,
  absl::Time time;                      ///< and the time of that.
  std::uint64_t lacks_epoch = 0;        ///< As KeptLane has it.
};

struct LogCheckpoint {
  Manifest manifest;
  std::vector<LaneSource> lanes;
};

/// Writes the checkpoint `name`, which has no trainer's state; its time is the moment, or that of
/// the newest record in it. Servers may go on with these logs meanwhile.
///
/// Errors: as ReadKeptLogs, server::ReplayLane and server::MakeRoom; OutOfRange (before what is
///         kept, after it, or in a gap of a lane's logs), naming both ends; InvalidArgument (a step
///         of asynchronous mode, which has none). The checkpoint is then not there.
/// Cost:   memory of the rows of one lane, and of a chunk twice; in synchronous mode a moment's
///         logs are read twice.
absl::StatusOr<LogCheckpoint> WriteLogCheckpoint(std::span<BlobStore* const> logs,
                                                 const LogMoment& moment, BlobStore& store,
                                                 const std::string& name);

}  // namespace longtail::checkpoint
