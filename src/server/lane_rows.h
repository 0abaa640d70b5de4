// The rows that a lane has in a checkpoint, whatever lanes and partitions that was saved with.
#pragma once

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "io/blob_store.h"
#include "longtail/table_spec.h"
#include "protocol/cluster_map.h"
#include "protocol/manifest.h"
#include "protocol/messages.h"
#include "protocol/node_ids.h"

namespace longtail::server {

/// Calls `take` with the rows of the lane's partitions in the checkpoint that the map was rolled
/// back to. Tables are the map's, found by name; one that the checkpoint has not has no rows.
///
/// Errors: NotFound; FailedPrecondition (a table of the checkpoint is not in the map, or has
/// another
///         spec there; the checkpoint is of another step); as ReadChunks.
/// Cost:   reads the objects that may have such rows, and no others.
absl::Status ReadLaneRows(BlobStore& store, const ClusterMap& map, NodeId lane,
                          absl::FunctionRef<absl::Status(const RowBlock& rows)> take);

/// Whether a cluster with those tables can have the rows of a checkpoint.
///
/// Errors: FailedPrecondition, naming the table.
absl::Status CheckTables(const Manifest& manifest, const std::vector<TableSpec>& tables);

}  // namespace longtail::server
