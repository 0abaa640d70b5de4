// A table as a file for others: the seam between reading a checkpoint's rows and a form of file.
//
// Forms: flat (flat_file.h), numpy's (npy_file.h), CSV (csv_file.h).
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "checkpoint/sorted_rows.h"
#include "longtail/table_spec.h"

namespace longtail::checkpoint {

/// What is known of a table before its first row.
struct TableShape {
  const TableSpec& spec;
  std::uint32_t slots = 0;  ///< Floats of optimizer state a row that are to be written.
  std::uint64_t step = 0;   ///< Of the checkpoint.
};

/// Use: Begin once; Add for each row; Finish once. Without Finish no file is left.
class TableFile {
 public:
  virtual ~TableFile() = default;

  virtual absl::Status Begin(const TableShape& shape) = 0;

  /// The row's values are `dim` weights and then at least the shape's slots.
  virtual absl::Status Add(const StoredRow& row) = 0;

  virtual absl::Status Finish() = 0;
};

}  // namespace longtail::checkpoint
