// The rows of a store as they are at one moment, read little by little while they change.
//
// The cut remembers which places held rows. They are visited in order; a row that is to change, or
// to go, before its turn has come is copied first, once, so a cut costs a bit a row and the memory
// of the rows that changed meanwhile. What was copied is given back as its turn has passed.
//
// Thread: one owner, the store's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sparse/row_changes.h"
#include "sparse/row_store.h"

namespace longtail::sparse {

class RowCut {
 public:
  explicit RowCut(const RowStore& store);

  /// Only the rows that changed (`changes` must be whole).
  RowCut(const RowStore& store, const RowChanges& changes);

  /// Before a row of `store` changes or is freed.
  ///
  /// Cost: if it is in the cut and its turn has not come, a copy of it, once.
  void Keep(const RowStore& store, std::uint32_t row) {
    Part& part = parts_[store.IsTail(row) ? 1 : 0];
    const std::uint32_t number = store.NumberOf(row);
    if (number < part.at || number >= part.end) return;
    std::uint64_t& unchanged = part.unchanged[number / 64];
    const std::uint64_t bit = std::uint64_t{1} << (number % 64);
    if ((unchanged & bit) == 0) return;
    unchanged &= ~bit;
    Copy(part, number, store.Header(row));
  }

  /// Calls visit(row's header and values, is_tail) for the rows of the cut at the next `places`
  /// places, one behind the other. Whether there are more places.
  template <typename Visit>
  bool VisitNext(const RowStore& store, std::uint32_t places, Visit&& visit) {
    for (; places != 0; --places) {
      const bool is_tail = parts_[0].at == parts_[0].end;
      Part& part = parts_[is_tail ? 1 : 0];
      if (part.at == part.end) return false;
      const std::uint32_t number = part.at;
      // (A loop here: in a function of its own, g++ 12 drops what does nothing but prefetch.)
      if (const std::uint32_t later = number + kPlacesAhead;
          later < part.end && (part.unchanged[later / 64] >> (later % 64) & 1U) != 0) {
        const std::byte* const row = store.Header(store.RowOf(later, is_tail));
        for (std::size_t at = 0; at < part.row_bytes; at += kLineBytes) {
          __builtin_prefetch(row + at);
        }
      }
      if ((part.unchanged[number / 64] >> (number % 64) & 1U) != 0) {
        visit(store.Header(store.RowOf(number, is_tail)), is_tail);
      } else if (const std::byte* kept = FindKept(part, number)) {
        visit(kept, is_tail);
      }
      if (++part.at % kGroupPlaces == 0 || part.at == part.end) DropGroup(part, number);
    }
    return parts_[0].at < parts_[0].end || parts_[1].at < parts_[1].end;
  }

  /// Rows of either format that it has and that did not change yet.
  std::uint64_t CountRows(bool is_tail) const;

  /// Bytes of rows that are kept now, and of all that were.
  std::uint64_t kept_bytes() const { return kept_bytes_; }
  std::uint64_t copied_bytes() const { return copied_bytes_; }

 private:
  // So many places later a row is in the cache: rows lie one behind the other, but pages do not.
  static constexpr std::uint32_t kPlacesAhead = 6;
  static constexpr std::size_t kLineBytes = 64;

  // Kept rows of so many neighbouring places lie together, so that no growth takes long.
  static constexpr std::uint32_t kGroupPlaces = 1U << 12;
  static constexpr std::size_t kBlockBytes = std::size_t{8} << 10;

  struct Group {
    std::vector<std::uint16_t> slot_of{};  // [kGroupPlaces]: one more than its slot; or empty.
    std::vector<std::unique_ptr<std::byte[]>> blocks{};
    std::uint16_t count = 0;
  };
  // The rows of one format.
  struct Part {
    std::uint32_t at = 0;  // The next to be visited,
    std::uint32_t end = 0;
    std::size_t row_bytes = 0;
    std::size_t rows_per_block = 1;
    std::vector<std::uint64_t> unchanged{};  // One bit a place: in the cut and not kept.
    std::vector<Group> groups{};
  };

  static Part PartOf(const Slabs& slabs);
  void Copy(Part& part, std::uint32_t number, const std::byte* row);
  static const std::byte* FindKept(const Part& part, std::uint32_t number);
  void DropGroup(Part& part, std::uint32_t number);

  std::array<Part, 2> parts_;  // Those of the full format, then those of the tail.
  std::uint64_t kept_bytes_ = 0;
  std::uint64_t copied_bytes_ = 0;
};

}  // namespace longtail::sparse
