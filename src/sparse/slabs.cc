#include "sparse/slabs.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace longtail::sparse {
namespace {

constexpr std::size_t kSlabBytesWanted = std::size_t{256} << 10;
constexpr std::uint32_t kRowsMax = 0xFFFFFFFE;  // One number is left over for "no row".

unsigned RowsShift(std::size_t row_bytes) {
  const std::size_t rows = std::max<std::size_t>(1, kSlabBytesWanted / row_bytes);
  return static_cast<unsigned>(std::bit_width(rows) - 1);
}

}  // namespace

Slabs::Slabs(std::size_t row_bytes)
    : row_bytes_(row_bytes),
      shift_(RowsShift(row_bytes)),
      mask_((std::uint32_t{1} << shift_) - 1),
      slab_bytes_(row_bytes << shift_) {
  LONGTAIL_CHECK(row_bytes > 0);
  LONGTAIL_CHECK(row_bytes % kRowAlignment == 0);
}

void Slabs::Reserve() {
  const std::size_t size =
      reserved_bytes_ < kHugePageBytes ? slab_bytes_ : std::max(slab_bytes_, kHugePageBytes);
  std::byte* block = static_cast<std::byte*>(TakePages(size));
  blocks_.emplace_back(block, Release{size});
  for (std::size_t at = 0; at + slab_bytes_ <= size; at += slab_bytes_) {
    slabs_.push_back(block + at);
  }
  reserved_bytes_ += size;
}

std::uint32_t Slabs::Take() {
  std::uint32_t row = end_;
  if (!freed_.empty()) {
    row = freed_.back();
    freed_.pop_back();
  } else {
    LONGTAIL_CHECK(end_ < kRowsMax);
    if ((row >> shift_) == slabs_.size()) Reserve();
    if (row / 64 == taken_.size()) taken_.push_back(0);
    ++end_;
  }
  taken_[row / 64] |= std::uint64_t{1} << (row % 64);
  return row;
}

void Slabs::Free(std::uint32_t row) {
  LONGTAIL_CHECK(row < end_);
  LONGTAIL_CHECK(IsTaken(row));
  taken_[row / 64] &= ~(std::uint64_t{1} << (row % 64));
  freed_.push_back(row);
}

}  // namespace longtail::sparse
