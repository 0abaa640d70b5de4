#include "cli/table_summary.h"

#include <algorithm>
#include <span>

namespace longtail::cli {
namespace {

template <typename T>
std::uint64_t BytesOf(const std::vector<T>& column) {
  return std::span(column).size_bytes();
}

}  // namespace

void TableSummary::Add(const RowBlock& rows) {
  if (rows.keys.empty()) return;
  floats_per_row = std::max(floats_per_row, rows.value_count);
  row_bytes +=
      BytesOf(rows.keys) +
      (rows.has_counts() ? BytesOf(rows.ends) + rows.packed.size()
                         : BytesOf(rows.counts) + BytesOf(rows.last_steps) + BytesOf(rows.values));
  for (const std::uint32_t count : rows.counts) Add(count, 1);
}

void TableSummary::Add(std::uint32_t count, std::uint64_t rows) {
  for (RowsAndOccurrences* const part : {&all, &buckets[BucketOf(count)]}) {
    part->rows += rows;
    part->occurrences += count * rows;
  }
}

}  // namespace longtail::cli
