// Memory for rows of one size: from a row's number to its address without a look-up that can miss.
//
// A row is a header and its values, one behind the other, without padding:
//
//   | header | values |  next row …
//   0        14       14 + v
//
// So a header of fourteen bytes costs fourteen, and a row touches as few cache lines as it can. The
// price: values are not aligned; they are copied to be used (sparse/row_codec.h).
//
// Rows lie in blocks, each as large as all before it together. The number of a row's block is the
// width of the row's number in bits, so the few addresses that lead to all rows stay in the nearest
// cache. Blocks never move. A block's memory is touched, and so costs anything, only as its rows
// are used, but for one huge page ahead in a large table (base/page_toucher.h). A slab is a part
// of a block of about 256 KiB: freed row numbers are used again, the lowest first, so that the
// highest slabs run empty, and an empty slab goes back to the system.
//
// Thread: one owner.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sparse/pages.h"
#include "sparse/row_header.h"

namespace longtail::sparse {

class Slabs {
 public:
  /// Row numbers end here, so that they fit the 26 bits that an index has for them.
  static constexpr std::uint32_t kRowsMax = (std::uint32_t{1} << 26) - 1;

  /// For up to rows_max rows of any size. Needs rows_max <= kRowsMax.
  explicit Slabs(std::size_t value_bytes, std::uint32_t rows_max = kRowsMax);
  Slabs(Slabs&& other) noexcept;
  Slabs(const Slabs&) = delete;
  Slabs& operator=(const Slabs&) = delete;
  ~Slabs();

  /// The number of a row that is free, whose bytes are not initialised; it is taken from now on.
  /// Needs !IsFull().
  ///
  /// Cost: no allocation while there is room in the blocks there are.
  std::uint32_t Take();

  /// Whether no row number is left.
  bool IsFull() const { return size_ == rows_max_; }

  /// The most rows there can be.
  std::uint32_t rows_max() const { return rows_max_; }

  /// Frees a row that is taken.
  void Free(std::uint32_t row);

  /// The header of a row below end(): kRowHeaderBytes bytes at any alignment.
  std::byte* Header(std::uint32_t row) {
    return reinterpret_cast<std::byte*>(AddressOf(row));  // NOLINT(performance-no-int-to-ptr)
  }
  const std::byte* Header(std::uint32_t row) const {
    return reinterpret_cast<const std::byte*>(AddressOf(row));  // NOLINT(performance-no-int-to-ptr)
  }

  /// The values of a row below end(), at any alignment.
  std::byte* Values(std::uint32_t row) { return Header(row) + kRowHeaderBytes; }
  const std::byte* Values(std::uint32_t row) const { return Header(row) + kRowHeaderBytes; }

  /// The key of a taken row.
  Key KeyOf(std::uint32_t row) const { return KeyAt(Header(row)); }

  /// Whether a row below end() is taken.
  bool IsTaken(std::uint32_t row) const { return (taken_[row / 64] >> (row % 64) & 1U) != 0; }

  /// The same of all rows: bit r % 64 of word r / 64.
  const std::vector<std::uint64_t>& taken() const { return taken_; }

  /// Bytes of a row, its header and its values.
  std::size_t row_bytes() const { return row_bytes_; }

  /// One more than the highest row number ever taken.
  std::uint32_t end() const { return end_; }

  /// Rows taken now.
  std::uint32_t size() const { return size_; }

  /// Bytes that the rows ever used lie in, less what has gone back to the system.
  std::uint64_t bytes() const;

  /// What so many rows would come to lie in, one taken after the other: with the huge page that is
  /// begun and not filled, if they are so many that their block lies on such pages.
  static std::uint64_t BytesOf(std::size_t value_bytes, std::uint64_t rows);

 private:
  // Block 0 has one slab of rows, block b > 0 those from 2^(b-1) slabs on.
  std::uintptr_t AddressOf(std::uint32_t row) const {
    // An origin lies before its block, where no pointer may point.
    const auto block = static_cast<std::size_t>(std::bit_width(row >> shift_));
    return origins_[block] + std::uint64_t{row} * row_bytes_;
  }
  void Reserve();
  void TouchAfter(std::uint32_t slab);
  std::uint32_t LowestFree();

  std::size_t BlockBytes(std::size_t block) const;

  static constexpr std::size_t kBlocksMax = 27;

  std::uint32_t rows_max_;
  std::size_t row_bytes_;
  unsigned shift_;  // Rows of a slab: 2^shift_.
  std::size_t slab_bytes_;
  std::uint32_t end_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t room_at_ = 0;  // No slab below this one has a free row.
  std::uint64_t dropped_bytes_ = 0;
  std::size_t block_count_ = 0;
  std::array<std::byte*, kBlocksMax> blocks_{};
  std::array<std::uintptr_t, kBlocksMax> origins_{};  // Where row 0 would be, were all one block.
  std::vector<std::uint32_t> in_use_;                 // Taken rows of each slab.
  std::vector<std::uint32_t> dropped_;                // Bytes of each slab that have gone back.
  std::vector<std::uint64_t> taken_;                  // One bit a row.
};

}  // namespace longtail::sparse
