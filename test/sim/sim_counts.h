// Rows of count tables as the ledger has rows: column c of kCountWidth has what a weight would have
// moved by, and the last column how many occurrences were pushed.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/count_row.h"
#include "longtail/table_spec.h"
#include "sim/ledger.h"

namespace longtail::sim {

inline constexpr std::uint32_t kCountWidth = 3;
inline constexpr std::uint32_t kCountColumns = 200;

inline bool HasCounts(const TableSpec& spec) {
  return spec.kind == TableKind::kCounts;
}

/// Columns of a row as the ledger knows it.
inline std::uint32_t WidthOf(const TableSpec& spec) {
  return HasCounts(spec) ? kCountWidth : spec.dim;
}

/// A row of that sum and count, or what a push of a gradient adds.
inline std::string PackedCounts(const FoundRow& row) {
  std::vector<CountEntry> entries;
  for (std::uint32_t c = 0; row.sum != 0 && c < kCountWidth; ++c) {
    entries.push_back({.column = c, .count = -row.sum * static_cast<std::int64_t>(c + 1)});
  }
  entries.push_back({.column = kCountColumns - 1, .count = static_cast<std::int64_t>(row.count)});
  std::string packed;
  AppendCountRow(entries, kCountColumns, packed);
  return packed;
}

/// A packed row as weights would be, and its occurrences.
struct CountedRow {
  std::vector<float> weights = std::vector<float>(kCountWidth, kRowStart);
  std::uint64_t count = 0;
};
inline CountedRow Counted(std::span<const std::byte> packed) {
  CountedRow row;
  VisitCountRow(packed, kCountColumns, [&](std::uint32_t column, std::int64_t count) {
    if (column < kCountWidth) row.weights[column] += static_cast<float>(count);
    if (column == kCountColumns - 1) row.count = static_cast<std::uint64_t>(count);
  });
  return row;
}

}  // namespace longtail::sim
