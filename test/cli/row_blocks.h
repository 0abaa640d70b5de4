// Blocks of rows as a snapshot gives them, for tests of what is summed over them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "protocol/messages.h"

namespace longtail::test {

struct BlockRow {
  Key key = 0;
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::vector<float> values{};
};

inline RowBlock BlockOf(std::uint32_t value_count, const std::vector<BlockRow>& rows) {
  RowBlock block{.table = TableId{0},
                 .value_count = value_count,
                 .keys = {},
                 .counts = {},
                 .last_steps = {},
                 .values = {}};
  for (const BlockRow& row : rows) {
    block.keys.push_back(row.key);
    block.counts.push_back(row.count);
    block.last_steps.push_back(row.last_step);
    std::vector<float> values = row.values;
    values.resize(value_count);
    block.values.insert(block.values.end(), values.begin(), values.end());
  }
  return block;
}

/// Rows of one float with these counts and the keys 1, 2, ….
inline RowBlock BlockOfCounts(const std::vector<std::uint32_t>& counts) {
  std::vector<BlockRow> rows;
  for (const std::uint32_t count : counts) {
    rows.push_back({.key = rows.size() + 1, .count = count, .last_step = 0});
  }
  return BlockOf(1, rows);
}

}  // namespace longtail::test
