#include "cli/key_rows.h"

#include <algorithm>

namespace longtail::cli {

KeyRows::KeyRows(std::span<const Key> keys, std::uint32_t dim) : dim_(dim) {
  for (const Key key : keys) rows_.try_emplace(key);
}

void KeyRows::Add(const RowBlock& rows) {
  const std::span<const float> values(rows.values);
  for (std::size_t i = 0; i < rows.keys.size(); ++i) {
    const auto found = rows_.find(rows.keys[i]);
    if (found == rows_.end()) continue;
    if (rows.has_counts()) {
      KeyRow row{.count = rows.counts[i], .last_step = 0, .weights = {}, .optimizer_state = {}};
      VisitCountRow(PackedRowOf(rows, i), dim_, [&](std::uint32_t column, std::int64_t count) {
        row.counts.push_back({.column = column, .count = count});
      });
      found->second = std::move(row);
      continue;
    }
    const auto row = values.subspan(i * rows.value_count, rows.value_count);
    const auto weights = row.first(std::min(dim_, rows.value_count));
    const auto state = row.subspan(weights.size());
    found->second = KeyRow{.count = rows.counts[i],
                           .last_step = rows.last_steps[i],
                           .weights = {weights.begin(), weights.end()},
                           .optimizer_state = {state.begin(), state.end()}};
  }
}

const std::optional<KeyRow>& KeyRows::Find(Key key) const {
  static const std::optional<KeyRow> none;
  const auto found = rows_.find(key);
  return found == rows_.end() ? none : found->second;
}

}  // namespace longtail::cli
