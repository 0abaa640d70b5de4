#include "checkpoint/table_export.h"

#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "checkpoint/checkpoint_rows.h"

namespace longtail::checkpoint {

absl::StatusOr<std::uint64_t> ExportTable(BlobStore& store, const Manifest& manifest,
                                          std::size_t table, bool has_slots, TableFile& file) {
  const TableSpec& spec = manifest.tables[table].spec;
  LONGTAIL_ASSIGN_OR_RETURN(const CheckpointRows rows, CheckpointRows::Open(store, manifest));
  const std::array<std::size_t, 1> tables = {table};
  std::uint64_t count = 0;
  const bool has_counts = spec.kind == TableKind::kCounts;
  bool has_begun = false;
  std::uint32_t width = 0;  // Floats of a row, once a partition has said so.
  for (std::uint32_t partition = 0; partition < manifest.partition_count; ++partition) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::vector<SortedRows> read,
                              rows.Read(partition, manifest.partition_count, tables));
    const SortedRows& own = read.front();
    if (!own.has_table()) continue;
    if (!has_begun) {
      has_begun = true;
      width = own.value_count();
      LONGTAIL_RETURN_IF_ERROR(file.Begin({.spec = spec,
                                           .slots = has_slots && !has_counts ? width - spec.dim : 0,
                                           .step = manifest.step}));
    }
    if (own.value_count() != width) {
      return absl::DataLossError(absl::StrCat(
          store.Describe(), ": partition ", partition, ": table '", spec.name, "': rows of ",
          own.value_count(), " floats: want ", width, " as in the partitions before"));
    }
    for (std::size_t i = 0; i < own.size(); ++i) LONGTAIL_RETURN_IF_ERROR(file.Add(own.at(i)));
    count += own.size();
  }
  if (!has_begun) {
    LONGTAIL_RETURN_IF_ERROR(file.Begin({.spec = spec, .slots = 0, .step = manifest.step}));
  }
  LONGTAIL_RETURN_IF_ERROR(file.Finish());
  return count;
}

}  // namespace longtail::checkpoint
