// Brings a serving place up to a checkpoint: docs/SERVING.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "longtail/row_format.h"
#include "protocol/manifest.h"

namespace longtail::checkpoint {

struct ServingExportOptions {
  std::string place{};                ///< A directory; made if it is not there.
  std::vector<std::string> tables{};  ///< By name; none: all.
  /// What files have of weights, each rounded to the nearest value of the format.
  WireValues values = WireValues::kFloat32;
  bool in_full = false;  ///< All rows, whatever the place has.
  /// Changes of more rows than this share of all are written as all rows.
  double changes_share_max = 0.25;
};

struct ServedTable {
  std::string table{};
  std::string file{};  ///< In the place.
  std::uint64_t rows = 0;
  std::uint64_t gone = 0;
  std::uint64_t bytes = 0;
};

struct ServingExport {
  std::uint64_t step = 0;
  std::string base{};  ///< The checkpoint of all rows; that itself if all rows were written.
  bool is_changes = false;
  std::vector<ServedTable> tables{};  ///< What was written, by name.
  std::vector<std::string>
      removed{};  ///< Files that neither this version nor the one before needs.
};

/// Writes a file for each table and then the list that names them: who follows the place sees the
/// version before or this one. Files have what changed since the checkpoint of the place's files of
/// all rows, if `manifest` builds on that one and its manifest is still there; else all rows.
///
/// One at a time in a place. Whatever ends it, the place serves what it served before.
///
/// Errors: NotFound, naming the tables there are; FailedPrecondition (another writes to the place);
///         as CheckpointRows, ChangedRows and OutputFile.
/// Cost:   memory of the rows in one partition.
absl::StatusOr<ServingExport> ExportServing(BlobStore& store, const std::string& checkpoint,
                                            const Manifest& manifest,
                                            const ServingExportOptions& options);

}  // namespace longtail::checkpoint
