// A checkpoint that is looked at where it lies, without a cluster.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "longtail/checkpoint.h"
#include "longtail/table_spec.h"
#include "protocol/manifest.h"
#include "protocol/messages.h"
#include "protocol/node_ids.h"

namespace longtail::cli {

/// Which checkpoint an address is: the directory with a MANIFEST.json, or that file itself, where
/// "file:" may stand in front and links are followed; or rados://POOL[/NAMESPACE]/CHECKPOINT, which
/// nobody looks for yet.
///
/// Errors: NotFound (no such directory; no manifest in it, naming the checkpoints that it holds);
///         InvalidArgument (no checkpoint is named).
absl::StatusOr<CheckpointName> FindCheckpoint(const std::string& address);

/// An open checkpoint and the tables that were asked for.
struct CheckpointSource {
  std::string address;  ///< As the user wrote it.
  std::unique_ptr<BlobStore> store;
  Manifest manifest;
  std::vector<std::size_t> selected;  ///< Indices in manifest.tables, ascending.
  /// Workers that the partitions remember; known once ReadAll was called.
  std::optional<std::uint64_t> sessions;

  const TableSpec& spec(std::size_t place) const { return manifest.tables[selected[place]].spec; }
};

/// Selects the table of that name, or all if it is empty.
///
/// Errors: as FindCheckpoint; NotFound, listing the tables there are; what the store and the reader
///         of manifests say.
absl::StatusOr<CheckpointSource> OpenCheckpoint(const std::string& address,
                                                const std::string& table);

/// Called with a block of rows and the place of its table among the selected ones.
using TakeRows = absl::FunctionRef<void(std::size_t place, const RowBlock& rows)>;

/// Gives every block of rows of the selected tables, and counts the sessions. Memory: one snapshot
/// chunk at a time.
///
/// Errors: as server::ReadChunks.
absl::Status ReadAll(CheckpointSource& source, TakeRows take);

/// Gives the blocks of these partitions alone; chunks of others are not read.
///
/// Errors: as ReadAll; InvalidArgument for a blob with another partition than its name says.
absl::Status ReadPartitions(const CheckpointSource& source,
                            const absl::btree_set<PartitionId>& partitions, TakeRows take);

}  // namespace longtail::cli
