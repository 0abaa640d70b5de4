// What a lane has at one place of its log, beside its rows: so that what came before that place
// can be let go. The rows are in snapshot chunks (snapshot_format.h) that a base names.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/blob_envelope.h"
#include "protocol/cluster_map.h"
#include "protocol/messages.h"
#include "protocol/snapshot_format.h"

namespace longtail {

inline constexpr std::string_view kLaneBaseMagic = "LTLBASE1";
inline constexpr std::uint32_t kLaneBaseVersion = 3;
inline constexpr std::size_t kLaneBaseHeaderBytes = 32;
inline constexpr BlobEnvelope kLaneBaseEnvelope{
    .magic = kLaneBaseMagic, .version = kLaneBaseVersion, .header_bytes = kLaneBaseHeaderBytes};

/// Where in a lane's log a leadership began.
struct EpochStart {
  std::uint64_t epoch = 0;
  std::uint64_t first = 0;  ///< The number of its first entry.

  bool operator==(const EpochStart&) const = default;
};

/// The sections of a push that wait in a partition for the end of their step.
struct HeldSections {
  std::uint32_t rank = 0;   ///< Of the worker that pushed.
  std::uint32_t push = 0;   ///< Place in LaneBase::pushes.
  std::uint32_t first = 0;  ///< The sections first … last-1.
  std::uint32_t last = 0;

  bool operator==(const HeldSections&) const = default;
};

/// The steps that a partition's table knows.
struct TableSteps {
  std::uint32_t newest = 0;  ///< Of any push.
  std::uint64_t ended = 0;   ///< Swept up to here.

  bool operator==(const TableSteps&) const = default;
};

struct PartitionBase {
  PartitionId partition{};
  std::uint64_t log_position = 0;
  std::uint64_t step = 0;
  std::uint64_t ended_by_left = 0;
  std::vector<SessionRecord> sessions;  ///< `first_step`: the step that the worker is in.
  std::vector<SessionId> closed;
  std::vector<std::uint32_t> left;  ///< Ranks whose workers left.
  std::vector<TableSteps> tables;   ///< By TableId.
  std::vector<HeldSections> held;   ///< In the order in which they came, within step and rank.

  bool operator==(const PartitionBase&) const = default;
};

struct LaneBase {
  std::uint32_t lane = 0;          ///< The lane's node number.
  std::uint64_t log_end = 0;       ///< Number of the first log record that is not in it.
  std::uint64_t time_us = 0;       ///< Of the newest one that is; see LogRecordHeader.
  ClusterMap map;                  ///< One that the lane knew.
  std::vector<EpochStart> epochs;  ///< Of the log up to there.
  std::vector<TableSpec> tables;
  std::vector<PartitionBase> partitions;
  std::vector<std::shared_ptr<const PushRequest>> pushes;  ///< Those held, each once.
  std::vector<SnapshotBlob> blobs;                         ///< The rows.
};

std::string EncodeLaneBase(const LaneBase& base);

/// Errors: InvalidArgument (foreign or newer), DataLoss (truncated or damaged), naming `what`, the
///         field and the offset.
absl::StatusOr<LaneBase> DecodeLaneBase(const std::string& what, std::span<const std::byte> blob);

}  // namespace longtail
