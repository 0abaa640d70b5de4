// Reads a checkpoint back: its manifest, its rows chunk by chunk, the trainer's state.
#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "longtail/checkpoint.h"
#include "protocol/manifest.h"
#include "protocol/messages.h"
#include "protocol/snapshot_format.h"

namespace longtail::server {

/// The name of a checkpoint's manifest in its store.
std::string ManifestName(const std::string& checkpoint);

/// Errors: NotFound, naming the store, the checkpoint and those there are; DataLoss,
/// InvalidArgument.
absl::StatusOr<Manifest> ReadManifest(BlobStore& store, const std::string& checkpoint);

CheckpointInfo InfoOf(const Manifest& manifest, const CheckpointName& name);

/// Calls `take` with each snapshot chunk whose blob is wanted, in the order of the manifest; one
/// chunk is in memory at a time. Sizes and checksums are checked against the manifest first, blob
/// by blob; a chunk's tables are the manifest's.
///
/// Errors: DataLoss or InvalidArgument naming blob, offset and cause; what `take` gives.
absl::Status ReadChunks(
    BlobStore& store, const Manifest& manifest,
    absl::FunctionRef<bool(const SnapshotBlob& blob)> is_wanted,
    absl::FunctionRef<absl::Status(const SnapshotBlob& blob, SnapshotChunk chunk)> take);

/// Calls `take` with every block of rows.
///
/// Errors: as ReadChunks.
absl::Status ReadRows(BlobStore& store, const Manifest& manifest,
                      absl::FunctionRef<absl::Status(RowBlock rows)> take);

}  // namespace longtail::server
