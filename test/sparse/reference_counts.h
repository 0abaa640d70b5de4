// A count table in the slowest obvious way: a map of maps.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/count_row.h"
#include "longtail/ids.h"
#include "support/gen.h"

namespace longtail::sparse::test {

using CountMap = std::map<std::uint32_t, std::int64_t>;

inline std::string PackedCounts(const CountMap& row, std::uint32_t dim) {
  std::vector<CountEntry> entries;
  for (const auto& [column, count] : row) {
    if (count != 0) entries.push_back({.column = column, .count = count});
  }
  std::string packed;
  AppendCountRow(entries, dim, packed);
  return packed;
}

inline CountMap UnpackedCounts(std::span<const std::byte> packed, std::uint32_t dim) {
  CountMap row;
  VisitCountRow(packed, dim,
                [&](std::uint32_t column, std::int64_t count) { row[column] = count; });
  return row;
}

class ReferenceCounts {
 public:
  /// Whether the change was added: not if a count would leave 64 bits.
  bool Add(Key key, const CountMap& change) {
    const auto found = rows.find(key);
    CountMap row = found == rows.end() ? CountMap() : found->second;
    for (const auto& [column, count] : change) {
      const __int128 sum = __int128{row[column]} + count;
      if (sum > std::numeric_limits<std::int64_t>::max() ||
          sum < std::numeric_limits<std::int64_t>::min()) {
        return false;
      }
      row[column] = static_cast<std::int64_t>(sum);
    }
    std::erase_if(row, [](const auto& entry) { return entry.second == 0; });
    if (found != rows.end() || !change.empty()) rows[key] = row;
    return true;
  }

  std::map<Key, CountMap> rows;
};

/// Small changes mostly; now and then one of many columns, or one near the ends of 64 bits.
inline CountMap RandomChange(Rng& rng, std::uint32_t dim) {
  CountMap change;
  const std::uint64_t kind = rng.Below(40);
  const std::uint64_t n = kind == 0 ? rng.Below(dim + 1) : rng.Below(4);
  for (std::uint64_t i = 0; i < n; ++i) {
    std::int64_t count = static_cast<std::int64_t>(rng.Below(7)) - 3;
    if (kind == 1) count = static_cast<std::int64_t>(rng.Next());
    if (kind == 2) count = static_cast<std::int64_t>(rng.Below(100'000));
    if (count != 0) change[static_cast<std::uint32_t>(rng.Below(dim))] = count;
  }
  return change;
}

}  // namespace longtail::sparse::test
