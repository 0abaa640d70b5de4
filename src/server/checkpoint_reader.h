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

namespace longtail::server {

/// The name of a checkpoint's manifest in its store.
std::string ManifestName(const std::string& checkpoint);

/// Errors: NotFound, naming the store, the checkpoint and those there are; DataLoss,
/// InvalidArgument.
absl::StatusOr<Manifest> ReadManifest(BlobStore& store, const std::string& checkpoint);

CheckpointInfo InfoOf(const Manifest& manifest, const CheckpointName& name);

/// Calls `take` with every block of rows. Sizes and checksums are checked against the manifest
/// first, blob by blob.
///
/// Errors: DataLoss or InvalidArgument naming blob, offset and cause; what `take` gives.
absl::Status ReadRows(BlobStore& store, const Manifest& manifest,
                      absl::FunctionRef<absl::Status(RowBlock rows)> take);

}  // namespace longtail::server
