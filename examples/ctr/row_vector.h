// A long vector of floats as rows of a table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "longtail/worker.h"

namespace longtail::examples {

/// Rows with keys of one call, and where each lies. Its memory is used again: a warm call
/// allocates nothing.
///
/// Thread: one at a time.
class RowVector {
 public:
  static constexpr std::uint32_t kDim = 1024;

  /// Rows that `floats` floats take; the last is filled up with zeros.
  static std::size_t RowsFor(std::size_t floats) { return (floats + kDim - 1) / kDim; }

  void Clear() { keys_.clear(); }
  void AddKeys(Key first, std::size_t count);

  /// Makes room for the rows of all keys added, all zero.
  absl::Status Prepare(Worker& worker, TableId table);

  /// Copies floats into the rows of the keys from the `first`-th on, in the order they were added.
  void Put(std::span<const float> floats, std::size_t first);

  /// The row of the n-th key added.
  std::span<float> Row(std::size_t n) {
    return std::span(rows_).subspan(std::size_t{batch_.inverse()[n]} * kDim, kDim);
  }

  PullItem pull() { return {.keys = &batch_, .rows = rows_}; }
  PushItem push() const { return {.keys = &batch_, .gradients = rows_}; }

 private:
  std::vector<Key> keys_;
  KeyBatch batch_;
  std::vector<float> rows_;
};

}  // namespace longtail::examples
