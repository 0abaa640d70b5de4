// What a checkpoint's newest layers say: rows that changed since one that it builds on, and keys
// that went.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "checkpoint/sorted_rows.h"
#include "io/blob_store.h"
#include "longtail/ids.h"
#include "protocol/manifest.h"
#include "server/checkpoint_layers.h"

namespace longtail::checkpoint {

/// Of one table in one partition.
struct TableChanges {
  SortedRows rows{};        ///< As they are in the newest layer that has them.
  std::vector<Key> gone{};  ///< Keys that the newest layer which knows them took away.
};

/// Thread: one at a time.
class ChangedRows {
 public:
  /// Since the checkpoint of the name `base`; none if the manifest does not build on it, or has a
  /// partition that a later one wrote in full: then nothing says which keys went.
  ///
  /// `store` and `manifest` must outlive this object.
  ///
  /// Errors: as server::LayerChunksOf.
  static absl::StatusOr<std::optional<ChangedRows>> Open(BlobStore& store, const Manifest& manifest,
                                                         std::string_view base);

  /// Rows in the layers since: at least as many as changed.
  std::uint64_t rows_at_most() const { return rows_at_most_; }

  /// Of each of `tables`, places in the manifest's list.
  ///
  /// Errors: as server::ReadChunks and SortedRows.
  /// Cost:   memory of these rows, and of all keys that changed in the partition.
  absl::StatusOr<std::vector<TableChanges>> Read(std::uint32_t partition,
                                                 std::span<const std::size_t> tables) const;

 private:
  ChangedRows(BlobStore& store, const Manifest& manifest) : store_(&store), manifest_(&manifest) {}

  BlobStore* store_;
  const Manifest* manifest_;
  std::vector<server::LayerChunk> chunks_;  // Of the layers since; by partition, newest first.
  std::uint64_t rows_at_most_ = 0;
};

}  // namespace longtail::checkpoint
