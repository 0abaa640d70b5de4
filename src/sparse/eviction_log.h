// The rows that a table evicted, until somebody takes them; off unless it is asked for.
//
// Thread: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "longtail/eviction_spec.h"
#include "longtail/ids.h"

namespace longtail::sparse {

/// A row at the time when it was evicted.
struct EvictedRow {
  Key key = 0;
  EvictionReason reason = EvictionReason::kIdle;
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::uint32_t step = 0;  ///< In which it was evicted.

  bool operator==(const EvictedRow&) const = default;
};

/// Rows that are kept until they are taken; more are counted only. 24 MiB.
inline constexpr std::size_t kEvictedRowsMax = std::size_t{1} << 20;

class EvictionLog {
 public:
  void Open() { is_open_ = true; }
  bool is_open() const { return is_open_; }

  void Add(const EvictedRow& row) {
    if (!is_open_) return;
    if (rows_.size() < kEvictedRowsMax) {
      rows_.push_back(row);
    } else {
      ++left_out_;
    }
  }

  /// What came since it was asked last; and how many rows more there were.
  std::vector<EvictedRow> TakeRows() { return std::exchange(rows_, {}); }
  std::uint64_t TakeLeftOut() { return std::exchange(left_out_, 0); }

 private:
  bool is_open_ = false;
  std::vector<EvictedRow> rows_;
  std::uint64_t left_out_ = 0;
};

}  // namespace longtail::sparse
