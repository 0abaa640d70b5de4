// All rows of a table: those in its own format, and those of the tail in a smaller one.
//
// Two stores of rows of one size each (sparse/slabs.h) under one kind of number: the highest bit
// that an index keeps of a row's number says which of the two it is in. A table without a tail has
// no such bit, and all numbers for itself.
//
// Thread: one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "sparse/slabs.h"

namespace longtail::sparse {

class RowStore {
 public:
  /// The most rows of each of two formats.
  static constexpr std::uint32_t kTailRowsMax = (std::uint32_t{1} << 25) - 1;

  /// Rows of one format. Needs rows_max <= Slabs::kRowsMax.
  explicit RowStore(std::size_t value_bytes, std::uint32_t rows_max = Slabs::kRowsMax)
      : slabs_{Slabs(value_bytes, rows_max), Slabs(0, 0)} {}

  /// Rows of two formats, each up to the lesser of rows_max and kTailRowsMax.
  RowStore(std::size_t value_bytes, std::size_t tail_value_bytes, std::uint32_t rows_max)
      : tail_bit_(kTailRowsMax + 1),
        slabs_{Slabs(value_bytes, Least(rows_max)), Slabs(tail_value_bytes, Least(rows_max))} {}

  bool IsTail(std::uint32_t row) const { return (row & tail_bit_) != 0; }

  /// A row's number among those of its format, and back.
  std::uint32_t NumberOf(std::uint32_t row) const { return row & ~tail_bit_; }
  std::uint32_t RowOf(std::uint32_t number, bool is_tail) const {
    return is_tail ? number | tail_bit_ : number;
  }

  /// As Slabs has them, for any row.
  std::byte* Header(std::uint32_t row) { return Of(row).Header(row & ~tail_bit_); }
  const std::byte* Header(std::uint32_t row) const { return Of(row).Header(row & ~tail_bit_); }
  std::byte* Values(std::uint32_t row) { return Of(row).Values(row & ~tail_bit_); }
  const std::byte* Values(std::uint32_t row) const { return Of(row).Values(row & ~tail_bit_); }
  Key KeyOf(std::uint32_t row) const { return KeyAt(Header(row)); }

  /// A free row in the one store or the other. Needs !IsFull(is_tail).
  std::uint32_t Take(bool is_tail) {
    const std::uint32_t row = slabs_[is_tail ? 1 : 0].Take();
    return is_tail ? row | tail_bit_ : row;
  }
  void Free(std::uint32_t row) { Of(row).Free(row & ~tail_bit_); }
  bool IsFull(bool is_tail) const { return slabs_[is_tail ? 1 : 0].IsFull(); }

  Slabs& full() { return slabs_[0]; }
  const Slabs& full() const { return slabs_[0]; }
  const Slabs& tail() const { return slabs_[1]; }
  std::uint64_t bytes() const { return slabs_[0].bytes() + slabs_[1].bytes(); }

  /// Places of rows, for walks: those of the full format from 0 on, then those of the tail.
  std::uint32_t place_end() const { return slabs_[0].end() + slabs_[1].end(); }

  /// Calls visit(row) for the rows at places first … last-1 that are taken.
  template <typename Visit>
  void ForEach(std::uint32_t first, std::uint32_t last, Visit&& visit) const {
    const std::uint32_t full_end = slabs_[0].end();
    for (std::uint32_t place = first; place < last && place < place_end(); ++place) {
      const bool is_tail = place >= full_end;
      const std::uint32_t row = is_tail ? place - full_end : place;
      if (slabs_[is_tail ? 1 : 0].IsTaken(row)) visit(is_tail ? row | tail_bit_ : row);
    }
  }

 private:
  static std::uint32_t Least(std::uint32_t rows_max) {
    return rows_max < kTailRowsMax ? rows_max : kTailRowsMax;
  }
  Slabs& Of(std::uint32_t row) { return slabs_[IsTail(row) ? 1 : 0]; }
  const Slabs& Of(std::uint32_t row) const { return slabs_[IsTail(row) ? 1 : 0]; }

  std::uint32_t tail_bit_ = 0;  // 0: there is no tail.
  std::array<Slabs, 2> slabs_;
};

}  // namespace longtail::sparse
