// Rows of one table with all they hold, in columns: how they are stored and moved.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "longtail/ids.h"
#include "protocol/node_ids.h"

namespace longtail {

/// Rows of weights: `values` is [n, value_count], weights, then optimizer state. Rows of counts:
/// value_count is 0, `packed` has the rows (base/count_row.h) one behind the other and `ends` [n]
/// where each of them ends. What was read has the sum of a row's counts where others have their
/// training count; what is written needs none. Last steps are zeros.
struct RowBlock {
  TableId table{};
  std::uint32_t value_count = 0;
  std::vector<Key> keys{};
  std::vector<std::uint32_t> counts{};
  std::vector<std::uint32_t> last_steps{};
  std::vector<float> values{};
  std::vector<std::uint32_t> ends{};
  std::string packed{};

  /// Whether its rows are counts.
  bool has_counts() const { return value_count == 0; }

  void clear() {
    keys.clear();
    counts.clear();
    last_steps.clear();
    values.clear();
    ends.clear();
    packed.clear();
  }
};

/// The bytes of a row of counts.
inline std::span<const std::byte> PackedRowOf(const RowBlock& rows, std::size_t row) {
  const std::uint32_t begin = row == 0 ? 0 : rows.ends[row - 1];
  return AsBytes(rows.packed).subspan(begin, rows.ends[row] - begin);
}

/// Appends a row of counts. Needs that there are less than 4 GiB of them.
inline void AppendPackedRow(Key key, std::span<const std::byte> packed, RowBlock& rows) {
  rows.keys.push_back(key);
  rows.counts.push_back(0);
  rows.last_steps.push_back(0);
  rows.packed.append(AsText(packed));
  rows.ends.push_back(static_cast<std::uint32_t>(rows.packed.size()));
}

/// Appends a row of another block of the same table.
inline void AppendRow(const RowBlock& from, std::size_t row, RowBlock& to) {
  if (from.has_counts()) return AppendPackedRow(from.keys[row], PackedRowOf(from, row), to);
  const auto values = from.values.begin() + static_cast<std::ptrdiff_t>(row * from.value_count);
  to.keys.push_back(from.keys[row]);
  to.counts.push_back(from.counts[row]);
  to.last_steps.push_back(from.last_steps[row]);
  to.values.insert(to.values.end(), values, values + from.value_count);
}

/// Keeps, in their order, the rows of whose key `keeps` says so.
template <typename Keeps>
void KeepRows(RowBlock& rows, Keeps&& keeps) {
  const std::size_t width = rows.value_count;
  std::size_t kept = 0;
  std::size_t begin = 0;  // Of the packed row that is looked at, and where it goes.
  std::size_t to = 0;
  for (std::size_t i = 0; i < rows.keys.size(); ++i) {
    const std::size_t end = rows.has_counts() ? rows.ends[i] : 0;
    const std::size_t bytes = end - begin;
    const std::size_t from = std::exchange(begin, end);
    if (!keeps(rows.keys[i])) continue;
    if (kept != i) {
      rows.keys[kept] = rows.keys[i];
      rows.counts[kept] = rows.counts[i];
      rows.last_steps[kept] = rows.last_steps[i];
      std::copy_n(rows.values.data() + i * width, width, rows.values.data() + kept * width);
      if (bytes != 0) std::memmove(rows.packed.data() + to, rows.packed.data() + from, bytes);
    }
    to += bytes;
    if (rows.has_counts()) rows.ends[kept] = static_cast<std::uint32_t>(to);
    ++kept;
  }
  rows.keys.resize(kept);
  rows.counts.resize(kept);
  rows.last_steps.resize(kept);
  rows.values.resize(kept * width);
  if (rows.has_counts()) rows.ends.resize(kept);
  rows.packed.resize(to);
}

/// What is wrong with the columns of a block whose sizes nobody vouches for: rows of counts must
/// end one behind the other. Null: nothing.
inline const char* WrongEnds(const RowBlock& rows) {
  if (!std::is_sorted(rows.ends.begin(), rows.ends.end())) return "do not ascend";
  const std::size_t last = rows.ends.empty() ? 0 : rows.ends.back();
  return last == rows.packed.size() ? nullptr : "do not end with the last row";
}

}  // namespace longtail
