// What a coordinator must not forget: the map, and who has which place. A small blob in its store.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "longtail/table_spec.h"
#include "protocol/cluster_map.h"
#include "protocol/node_ids.h"

namespace longtail {

inline constexpr std::string_view kCoordinatorStateMagic = "LTCOORD1";
inline constexpr std::uint32_t kCoordinatorStateVersion = 1;
inline constexpr std::size_t kCoordinatorStateHeaderBytes = 32;

/// A worker's place.
struct WorkerEntry {
  SessionId session{};
  std::uint32_t rank = 0;
  std::string name;
  std::uint64_t incarnation = 0;

  bool operator==(const WorkerEntry&) const = default;
};

/// A replica that is to be on another server (server/lane_moves.h).
struct LaneMove {
  NodeId lane{};
  std::string from;
  std::string to;
  bool keeps = false;  ///< The source stays a replica: only who leads changes.

  bool operator==(const LaneMove&) const = default;
};

struct CoordinatorState {
  std::uint32_t server_count = 1;  ///< Servers that make the cluster.
  ClusterMap map;                  ///< Without lanes until all of them have joined.
  std::uint64_t next_session = 1;
  std::vector<WorkerEntry> workers;       ///< In order of session.
  std::optional<TableSpec> pending = {};  ///< The table that lanes are being told of: the next.
  std::vector<LaneMove> moves{};          ///< Not yet done, in their order.

  bool operator==(const CoordinatorState&) const = default;
};

std::string EncodeCoordinatorState(const CoordinatorState& state);

/// Errors: InvalidArgument (foreign or newer), DataLoss (truncated or damaged), naming `what`, the
///         field and the offset.
absl::StatusOr<CoordinatorState> DecodeCoordinatorState(const std::string& what,
                                                        std::span<const std::byte> blob);

}  // namespace longtail
