// Reads a checkpoint back: its manifest, its rows chunk by chunk, the trainer's state.
#pragma once

#include <optional>
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

/// Reads a blob and compares it with what the manifest says of it.
///
/// Errors: DataLoss naming the blob and the offset; what the store says.
absl::StatusOr<std::string> ReadChecked(BlobStore& store, const std::string& name,
                                        std::uint64_t bytes, std::uint64_t checksum);

/// The same in place of what `blob` has (BlobStore::ReadInto).
absl::Status ReadCheckedInto(BlobStore& store, const std::string& name, std::uint64_t bytes,
                             std::uint64_t checksum, std::string& blob);

/// A checkpoint that builds on objects of that name; none if there is none.
///
/// Errors: as ReadManifest, of any checkpoint in the store: who cannot be read may need them.
/// Cost:   reads all manifests.
absl::StatusOr<std::optional<std::string>> FindUserOf(BlobStore& store, const std::string& name);

CheckpointInfo InfoOf(const Manifest& manifest, const CheckpointName& name);

/// Calls `take` with each snapshot chunk whose blob is wanted; one chunk is in memory at a time,
/// and in its memory the next, but for what `take` takes out of it.
/// Sizes and checksums are checked against the manifest first, blob by blob; a chunk's tables are
/// the manifest's. Of a full checkpoint the order is that of the manifest.
///
/// Of an increment, chunks come by partition, in it from the newest layer to the oldest, and have
/// those rows alone that no newer layer hides (checkpoint_layers.h), and those sessions that the
/// newest layer has: together they are what a full checkpoint would have. Of each partition all
/// blobs must be wanted, or none.
///
/// Errors: DataLoss or InvalidArgument naming blob, offset and cause; what `take` gives.
/// Cost:   of an increment, 16 to 32 bytes for each row of one partition that layers changed.
absl::Status ReadChunks(
    BlobStore& store, const Manifest& manifest,
    absl::FunctionRef<bool(const SnapshotBlob& blob)> is_wanted,
    absl::FunctionRef<absl::Status(const SnapshotBlob& blob, SnapshotChunk& chunk)> take);

/// Calls `take` with every block of rows.
///
/// Errors: as ReadChunks.
absl::Status ReadRows(BlobStore& store, const Manifest& manifest,
                      absl::FunctionRef<absl::Status(const RowBlock& rows)> take);

}  // namespace longtail::server
