// The keys that were trained most, of rows that come block by block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "longtail/ids.h"
#include "protocol/messages.h"

namespace longtail::cli {

struct HotKey {
  Key key = 0;
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  double weight_norm = 0;  ///< Euclidean, of the weights without optimizer state.

  bool operator==(const HotKey&) const = default;
};

/// Keeps the `top` hottest keys in a heap, however many rows there are.
class HotKeys {
 public:
  /// `dim` is the weights of a row.
  HotKeys(std::size_t top, std::uint32_t dim) : top_(top), dim_(dim) {}

  void Add(const RowBlock& rows);

  /// By count, highest first; of equal counts the lower key first.
  std::vector<HotKey> Sorted() const;

  std::uint64_t rows() const { return rows_; }
  std::uint64_t occurrences() const { return occurrences_; }

 private:
  const std::size_t top_;
  const std::uint32_t dim_;
  std::vector<HotKey> heap_;  // The least hot in front.
  std::uint64_t rows_ = 0;
  std::uint64_t occurrences_ = 0;
};

}  // namespace longtail::cli
