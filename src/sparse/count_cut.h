// The rows of a count store as they are at one moment, read little by little while they change:
// what sparse/row_cut.h is for rows of one size.
//
// Thread: one owner, the store's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "base/bytes.h"
#include "sparse/count_store.h"
#include "sparse/row_changes.h"

namespace longtail::sparse {

class CountCut {
 public:
  explicit CountCut(const CountStore& store)
      : unchanged_(store.records().full().taken()), end_(store.records().full().end()) {}

  /// Only the rows that changed (`changes` must be whole).
  CountCut(const CountStore& store, const RowChanges& changes) : CountCut(store) {
    const std::vector<std::uint64_t>& changed = changes.changed(false);
    for (std::size_t i = 0; i < unchanged_.size(); ++i) {
      unchanged_[i] &= i < changed.size() ? changed[i] : 0;
    }
  }

  /// Before a row of `store` changes.
  ///
  /// Cost: if it is in the cut and its turn has not come, a copy of it, once.
  void Keep(const CountStore& store, std::uint32_t row) {
    if (row < at_ || row >= end_ || !IsUnchanged(row)) return;
    unchanged_[row / 64] &= ~(std::uint64_t{1} << (row % 64));
    const std::string& kept = kept_[row] = AsText(store.BytesOf(row));
    kept_bytes_ += kept.size() + kKeptRowBytes;
    copied_bytes_ += kept.size() + kKeptRowBytes;
  }

  /// Calls visit(key, bytes) for the rows of the cut at the next `places` places, until it has
  /// visited `bytes_max` bytes. Whether there are more places.
  template <typename Visit>
  bool VisitNext(const CountStore& store, std::uint32_t places, std::uint64_t bytes_max,
                 Visit&& visit) {
    std::uint64_t visited = 0;
    for (; places != 0 && visited < bytes_max && at_ < end_; --places, ++at_) {
      if (IsUnchanged(at_)) {
        const std::span<const std::byte> bytes = store.BytesOf(at_);
        visited += bytes.size();
        visit(store.KeyOf(at_), bytes);
      } else if (const auto kept = kept_.find(at_); kept != kept_.end()) {
        visited += kept->second.size();
        visit(store.KeyOf(at_), AsBytes(kept->second));
        kept_bytes_ -= kept->second.size() + kKeptRowBytes;
        kept_.erase(kept);
      }
    }
    return at_ < end_;
  }

  /// Rows that it has and that did not change yet.
  std::uint64_t CountRows() const {
    std::uint64_t rows = 0;
    for (const std::uint64_t word : unchanged_) {
      rows += static_cast<std::uint64_t>(std::popcount(word));
    }
    return rows;
  }

  /// Bytes of rows that are kept now, and of all that were.
  std::uint64_t kept_bytes() const { return kept_bytes_; }
  std::uint64_t copied_bytes() const { return copied_bytes_; }

 private:
  // What a kept row takes beside its bytes, about.
  static constexpr std::uint64_t kKeptRowBytes = 48;

  bool IsUnchanged(std::uint32_t row) const {
    return (unchanged_[row / 64] >> (row % 64) & 1U) != 0;
  }

  std::vector<std::uint64_t> unchanged_;  // One bit a place: in the cut and not kept.
  std::uint32_t at_ = 0;                  // The next to be visited,
  std::uint32_t end_;
  absl::btree_map<std::uint32_t, std::string> kept_;
  std::uint64_t kept_bytes_ = 0;
  std::uint64_t copied_bytes_ = 0;
};

}  // namespace longtail::sparse
