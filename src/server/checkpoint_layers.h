// The layers of an incremental checkpoint: which objects of a partition hide rows of which others.
//
//     layer 0    all rows of the partition                          written by checkpoint "a"
//     layer 1    rows that changed since, keys whose rows went      written by "b"
//     layer 2    rows that changed since that, keys …               written by "c", whose manifest
//                                                                   names all of these
//
// Read from the newest to the oldest, a row counts if no newer layer has its key. So what is kept
// in memory are the keys that changed, not rows.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "longtail/ids.h"
#include "protocol/manifest.h"
#include "protocol/node_ids.h"
#include "protocol/snapshot_format.h"

namespace longtail::server {

/// An object of a manifest and where it stands.
struct LayerChunk {
  PartitionId partition{};
  std::size_t layer = 0;  ///< Place in the manifest's layers; 0 if it has none.
  std::uint32_t chunk = 0;
  bool is_increment = false;  ///< Its partition has objects in an older layer.
  const SnapshotBlob* blob = nullptr;
};

/// The checkpoint that wrote an object: its name up to the last '/'.
std::string_view CheckpointOfBlob(std::string_view blob);

/// All objects of the manifest: by partition, the newest layer first, then by chunk. They point
/// into the manifest.
///
/// Errors: InvalidArgument for an object whose name says no partition, or none of its layers; for
///         a partition of which the layers between its first and the newest are not all there.
absl::StatusOr<std::vector<LayerChunk>> LayerChunksOf(const Manifest& manifest);

/// What newer layers of one partition say. Chunks must come in the order of LayerChunksOf.
///
/// Cost: 16 to 32 bytes for each key of all layers but the oldest.
class NewerKeys {
 public:
  /// Drops the chunk's rows that a newer layer has, or has taken away, and then what the chunk says
  /// of keys that went. Tables stay, though without rows.
  void Hide(const LayerChunk& at, SnapshotChunk& chunk);

 private:
  void EndLayer();

  PartitionId partition_{};
  std::size_t layer_ = 0;
  std::map<TableId, absl::flat_hash_set<Key>> newer_;
  std::map<TableId, std::vector<Key>> own_;  // Of the layer that is read: one layer has a key once.
};

}  // namespace longtail::server
