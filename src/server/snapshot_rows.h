// Rows of either kind of table on their way into a snapshot.
#pragma once

#include <cstddef>

#include "protocol/snapshot_body.h"
#include "protocol/snapshot_writer.h"
#include "sparse/count_table.h"
#include "sparse/table.h"

namespace longtail::server {

inline void AddRow(const sparse::RowView& row, SnapshotWriter& writer) {
  writer.AddRow(row.key, row.count, row.last_step, row.values);
}
inline void AddRow(const sparse::CountRowView& row, SnapshotWriter& writer) {
  writer.AddCounts(row.key, row.packed);
}

/// Bytes of it in a snapshot, before compression.
inline std::size_t SnapshotBytesOf(const sparse::RowView& row) {
  return SnapshotRowBytes(static_cast<std::uint32_t>(row.values.size()));
}
inline std::size_t SnapshotBytesOf(const sparse::CountRowView& row) {
  return SnapshotCountsBytes(row.packed.size());
}

}  // namespace longtail::server
