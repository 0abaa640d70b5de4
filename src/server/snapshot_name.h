// The blob names of a checkpoint's snapshots: CHECKPOINT/p00012-0000.snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/node_ids.h"

namespace longtail::server {

/// A chunk of a partition's snapshot, in its checkpoint.
struct SnapshotPlace {
  PartitionId partition{};
  std::uint32_t chunk = 0;

  bool operator==(const SnapshotPlace&) const = default;
};

std::string SnapshotName(std::string_view checkpoint, SnapshotPlace place);

/// The inverse, whatever the checkpoint; none if the name is not exactly as SnapshotName writes it.
std::optional<SnapshotPlace> PlaceOfSnapshot(std::string_view name);

}  // namespace longtail::server
