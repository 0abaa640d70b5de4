// The rows of a checkpoint, some partitions at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "checkpoint/sorted_rows.h"
#include "io/blob_store.h"
#include "protocol/manifest.h"
#include "protocol/snapshot_format.h"
#include "server/checkpoint_layers.h"

namespace longtail::checkpoint {

/// Thread: one at a time.
class CheckpointRows {
 public:
  /// `store` and `manifest` must outlive this object.
  ///
  /// Errors: InvalidArgument for an object whose name says no partition of the manifest's, or no
  ///         layer.
  static absl::StatusOr<CheckpointRows> Open(BlobStore& store, const Manifest& manifest);

  /// The rows of each of `tables`, places in the manifest's list, in the `part`th of `part_count`
  /// equal parts of the partitions: part_count is a power of two and at most the partitions. Equal
  /// parts of two checkpoints hold the same keys, whatever their partitions.
  ///
  /// Errors: as server::ReadChunks; InvalidArgument for an object with another partition than its
  ///         name says; as SortedRows.
  /// Cost:   memory of these rows and of one chunk; as server::ReadChunks.
  absl::StatusOr<std::vector<SortedRows>> Read(std::uint32_t part, std::uint32_t part_count,
                                               std::span<const std::size_t> tables) const;

  /// The same, with the sessions of these partitions.
  absl::StatusOr<std::vector<SortedRows>> Read(std::uint32_t part, std::uint32_t part_count,
                                               std::span<const std::size_t> tables,
                                               std::vector<SessionRecord>& sessions) const;

 private:
  CheckpointRows(BlobStore& store, const Manifest& manifest) : store_(store), manifest_(manifest) {}

  BlobStore& store_;
  const Manifest& manifest_;
  std::vector<server::LayerChunk> chunks_;  // By partition.
};

}  // namespace longtail::checkpoint
