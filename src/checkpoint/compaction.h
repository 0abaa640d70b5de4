// A full checkpoint made of an increment, where they lie.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "protocol/manifest.h"

namespace longtail::checkpoint {

/// Writes the rows, sessions and trainer's entries of the checkpoint `name` as a full one, `as`,
/// and gives its manifest: all else in it, the time too, is as in that of `name`. What `name` names
/// is not touched. A full checkpoint is copied.
///
/// Errors: as CheckpointRows and server::MakeRoom; DataLoss. The new checkpoint is then not there.
/// Cost:   memory of the rows of one partition, and of a chunk twice.
absl::StatusOr<Manifest> Compact(BlobStore& store, const std::string& name, const std::string& as);

}  // namespace longtail::checkpoint
