// Finds the rows of given keys among rows that come block by block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "base/count_row.h"
#include "longtail/ids.h"
#include "protocol/messages.h"

namespace longtail::cli {

struct KeyRow {
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::vector<float> weights;
  std::vector<float> optimizer_state;
  std::vector<CountEntry> counts{};  ///< Of a count table, in place of all these.

  bool operator==(const KeyRow&) const = default;
};

/// The rows of one table.
class KeyRows {
 public:
  /// `dim` is the weights of a row.
  KeyRows(std::span<const Key> keys, std::uint32_t dim);

  void Add(const RowBlock& rows);

  /// None if no block had the key, or if it was not asked for.
  const std::optional<KeyRow>& Find(Key key) const;

 private:
  const std::uint32_t dim_;
  absl::btree_map<Key, std::optional<KeyRow>> rows_;
};

}  // namespace longtail::cli
