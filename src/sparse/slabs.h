// Memory for rows of one size: row number to address by a shift and a mask.
//
// Rows lie in slabs of about 256 KiB that never move, so an address holds as long as its row. The
// first slabs are reserved one by one; a table that has outgrown a huge page reserves a huge page's
// worth at a time. A slab's memory is touched only as its rows are used. The numbers of freed rows
// are used again, the last freed first.
//
// Thread: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sparse/pages.h"
#include "sparse/row_layout.h"

namespace longtail::sparse {

class Slabs {
 public:
  /// Needs row_bytes > 0 and a multiple of kRowAlignment.
  explicit Slabs(std::size_t row_bytes);

  /// The number of a row that is free, whose bytes are not initialised; it is taken from now on.
  ///
  /// Cost: no allocation while there are freed rows or room in the last slab.
  std::uint32_t Take();

  /// Frees a row that is taken.
  void Free(std::uint32_t row);

  /// The first byte of a row below end().
  std::byte* Row(std::uint32_t row) {
    return slabs_[row >> shift_] + std::size_t{row & mask_} * row_bytes_;
  }
  const std::byte* Row(std::uint32_t row) const {
    return slabs_[row >> shift_] + std::size_t{row & mask_} * row_bytes_;
  }

  /// The key of a taken row.
  Key KeyOf(std::uint32_t row) const { return HeaderOf(Row(row)).key; }

  /// Whether a row below end() is taken.
  bool IsTaken(std::uint32_t row) const { return (taken_[row / 64] >> (row % 64) & 1U) != 0; }

  /// One more than the highest row number ever taken.
  std::uint32_t end() const { return end_; }

  /// Rows taken now.
  std::uint32_t size() const { return end_ - static_cast<std::uint32_t>(freed_.size()); }

  /// Bytes reserved for rows.
  std::uint64_t bytes() const { return reserved_bytes_; }

 private:
  struct Release {
    std::size_t size;
    void operator()(std::byte* block) const { ReleasePages(block, size); }
  };

  void Reserve();

  std::size_t row_bytes_;
  unsigned shift_;
  std::uint32_t mask_;
  std::size_t slab_bytes_;
  std::uint32_t end_ = 0;
  std::uint64_t reserved_bytes_ = 0;
  std::vector<std::unique_ptr<std::byte, Release>> blocks_;
  std::vector<std::byte*> slabs_;  // Into the blocks.
  std::vector<std::uint32_t> freed_;
  std::vector<std::uint64_t> taken_;  // One bit a row.
};

}  // namespace longtail::sparse
