// Writes a table of a checkpoint to a file of another form.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "checkpoint/table_file.h"
#include "io/blob_store.h"
#include "protocol/manifest.h"

namespace longtail::checkpoint {

/// Gives every row of the table in that place of the manifest, by partition, then by key, and the
/// number of them. With `has_slots` also optimizer state.
///
/// Errors: as CheckpointRows; what the file says; DataLoss if partitions hold rows of different
///         widths.
/// Cost:   memory of the table's rows in one partition.
absl::StatusOr<std::uint64_t> ExportTable(BlobStore& store, const Manifest& manifest,
                                          std::size_t table, bool has_slots, TableFile& file);

}  // namespace longtail::checkpoint
