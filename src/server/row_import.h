// Brings the rows of a checkpoint to the lanes of a cluster: some threads read, decode and sort
// them by lane, while lanes take in what was read before.
//
//     blobs, by partition -> readers (read, check, decode, by lane) -> one list a lane
//                                                                        |
//                            all lanes at a time, the next block of each <- the caller
//
// No order of blocks matters: of a checkpoint, increments included, each key has one row.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "io/blob_store.h"
#include "protocol/cluster_map.h"
#include "protocol/manifest.h"
#include "protocol/row_block.h"

namespace longtail::server {

struct RowImport {
  BlobStore& store;
  const Manifest& manifest;
  const ClusterMap& map;
  /// The table here of one of the checkpoint's; none: its rows are left out. Any thread calls it.
  std::function<std::optional<TableId>(TableId table)> table_here;
};

/// Gives each lane its rows, block by block: `give(lanes, rows)` has a block for each of the lanes
/// named, and returns when they have them. It is called on the caller's thread.
///
/// Errors: as ReadChunks; the first that `give` returns. Reading has ended then.
/// Cost:   a few chunks are in memory for each lane that reading goes on for.
using GiveRows = absl::FunctionRef<absl::Status(
    std::span<const NodeId> lanes, std::span<const std::shared_ptr<const RowBlock>> rows)>;
absl::Status ImportCheckpoint(const RowImport& import, GiveRows give);

}  // namespace longtail::server
