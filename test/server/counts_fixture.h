// Count tables through the public API beside maps of maps.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "longtail/worker.h"
#include "server/cluster_fixture.h"
#include "support/gen.h"

namespace longtail::test {

using CountMap = std::map<std::uint32_t, std::int64_t>;
using CountMaps = std::map<Key, CountMap>;

inline TableSpec CountSpecOf(const char* name, std::uint32_t dim) {
  return {.name = name, .dim = dim, .kind = TableKind::kCounts};
}

inline void AppendCounts(const CountMap& row, CountRows& rows) {
  for (const auto& [column, count] : row) {
    rows.columns.push_back(column);
    rows.counts.push_back(count);
  }
  rows.ends.push_back(rows.columns.size());
}

/// Changes of some keys, which may repeat.
struct CountChanges {
  std::vector<Key> keys;
  CountRows rows;
};

inline CountChanges RandomCountChanges(Rng& rng, std::size_t n, Key keys, std::uint32_t dim) {
  CountChanges changes;
  for (std::size_t i = 0; i < n; ++i) {
    changes.keys.push_back(rng.Below(1 + rng.Below(keys)));  // Some of them often.
    CountMap row;
    for (std::uint64_t c = rng.Below(5); c > 0; --c) {
      row[static_cast<std::uint32_t>(rng.Below(dim))] =
          static_cast<std::int64_t>(rng.Below(21)) - 10;
    }
    AppendCounts(row, changes.rows);
  }
  return changes;
}

inline void Add(const CountChanges& changes, CountMaps& maps) {
  for (std::size_t i = 0; i < changes.keys.size(); ++i) {
    CountMap& row = maps[changes.keys[i]];
    for (std::uint64_t j = changes.rows.begin(i); j < changes.rows.ends[i]; ++j) {
      if ((row[changes.rows.columns[j]] += changes.rows.counts[j]) == 0) {
        row.erase(changes.rows.columns[j]);
      }
    }
  }
}

/// The rows of keys as maps have them.
inline CountRows RowsOf(const CountMaps& maps, std::span<const Key> keys) {
  CountRows rows;
  for (const Key key : keys) {
    const auto found = maps.find(key);
    AppendCounts(found == maps.end() ? CountMap() : found->second, rows);
  }
  return rows;
}

inline CountRows PullCounts(Worker& worker, TableId table, std::span<const Key> keys) {
  CountRows rows;
  Must(worker.PullCounts(table, keys, &rows));
  return rows;
}

}  // namespace longtail::test
