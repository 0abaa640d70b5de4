#include "sparse/slabs.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/page_toucher.h"

namespace longtail::sparse {
namespace {

constexpr std::size_t kSlabBytesWanted = std::size_t{256} << 10;
constexpr std::size_t kPageBytes = 4096;

// With fewer bytes of rows than this, a huge page that is not needed yet would be too much.
constexpr std::uint64_t kTouchAheadFrom = 32 * kHugePageBytes;

unsigned RowsShift(std::size_t row_bytes) {
  const std::size_t rows = std::max<std::size_t>(2, kSlabBytesWanted / row_bytes);
  return static_cast<unsigned>(std::bit_width(rows) - 1);
}

}  // namespace

Slabs::Slabs(std::size_t value_bytes, std::uint32_t rows_max)
    : rows_max_(rows_max),
      row_bytes_(kRowHeaderBytes + value_bytes),
      shift_(RowsShift(row_bytes_)),
      slab_bytes_(row_bytes_ << shift_) {
  LONGTAIL_CHECK(rows_max <= kRowsMax);
}

Slabs::Slabs(Slabs&& other) noexcept
    : rows_max_(other.rows_max_),
      row_bytes_(other.row_bytes_),
      shift_(other.shift_),
      slab_bytes_(other.slab_bytes_),
      end_(std::exchange(other.end_, 0)),
      size_(std::exchange(other.size_, 0)),
      room_at_(std::exchange(other.room_at_, 0)),
      dropped_bytes_(std::exchange(other.dropped_bytes_, 0)),
      block_count_(std::exchange(other.block_count_, 0)),
      blocks_(other.blocks_),
      origins_(other.origins_),
      in_use_(std::move(other.in_use_)),
      dropped_(std::move(other.dropped_)),
      taken_(std::move(other.taken_)) {}

Slabs::~Slabs() {
  for (std::size_t block = 0; block < block_count_; ++block) {
    ReleasePages(blocks_[block], BlockBytes(block));
  }
}

std::size_t Slabs::BlockBytes(std::size_t block) const {
  return block == 0 ? slab_bytes_ : slab_bytes_ << (block - 1);
}

void Slabs::Reserve() {
  const std::size_t block = block_count_;
  blocks_[block] = static_cast<std::byte*>(TakePages(BlockBytes(block)));
  const std::size_t before = block == 0 ? 0 : BlockBytes(block);  // As large as all before it.
  origins_[block] = reinterpret_cast<std::uintptr_t>(blocks_[block]) - before;
  ++block_count_;
}

// The huge page behind the one in which a slab ends, once a page: of the next block, behind the
// last of one.
void Slabs::TouchAfter(std::uint32_t slab) {
  if (std::uint64_t{slab} * slab_bytes_ < kTouchAheadFrom) return;
  const auto block = static_cast<std::size_t>(std::bit_width(slab));
  const std::size_t begin = slab * slab_bytes_ - BlockBytes(block);
  const std::size_t page = (begin + slab_bytes_ - 1) / kHugePageBytes;
  if (begin > 0 && (begin - 1) / kHugePageBytes == page) return;
  const std::size_t next = (page + 1) * kHugePageBytes;
  if (next < BlockBytes(block)) {
    TouchSoon(blocks_[block] + next, std::min(kHugePageBytes, BlockBytes(block) - next));
  } else if ((std::uint64_t{1} << block) << shift_ < rows_max_) {
    if (block + 1 == block_count_) Reserve();
    TouchSoon(blocks_[block + 1], kHugePageBytes);
  }
}

std::uint32_t Slabs::LowestFree() {
  for (;; ++room_at_) {
    const std::uint32_t first = room_at_ << shift_;
    const std::uint32_t last = std::min(first + (std::uint32_t{1} << shift_), end_);
    if (in_use_[room_at_] == last - first) continue;
    for (std::uint32_t row = first; row < last; ++row) {
      if (row % 64 == 0 && last - row >= 64 && taken_[row / 64] == ~std::uint64_t{0}) {
        row += 63;
      } else if (!IsTaken(row)) {
        return row;
      }
    }
  }
}

std::uint32_t Slabs::Take() {
  LONGTAIL_CHECK(!IsFull());
  std::uint32_t row = end_;
  if (size_ < end_) {
    row = LowestFree();
  } else {
    if (static_cast<std::size_t>(std::bit_width(row >> shift_)) == block_count_) Reserve();
    if (row >> shift_ == in_use_.size()) {
      in_use_.push_back(0);
      dropped_.push_back(0);
      TouchAfter(row >> shift_);
    }
    if (row / 64 == taken_.size()) taken_.push_back(0);
    ++end_;
    room_at_ = row >> shift_;
  }
  const std::uint32_t slab = row >> shift_;
  dropped_bytes_ -= dropped_[slab];
  dropped_[slab] = 0;
  ++in_use_[slab];
  ++size_;
  taken_[row / 64] |= std::uint64_t{1} << (row % 64);
  return row;
}

void Slabs::Free(std::uint32_t row) {
  LONGTAIL_CHECK(row < end_);
  LONGTAIL_CHECK(IsTaken(row));
  taken_[row / 64] &= ~(std::uint64_t{1} << (row % 64));
  --size_;
  const std::uint32_t slab = row >> shift_;
  room_at_ = std::min(room_at_, slab);
  if (--in_use_[slab] != 0 || slab == end_ >> shift_) return;  // The last one is still filling.
  dropped_[slab] = static_cast<std::uint32_t>(DropPages(Header(slab << shift_), slab_bytes_));
  dropped_bytes_ += dropped_[slab];
}

std::uint64_t Slabs::BytesOf(std::size_t value_bytes, std::uint64_t rows) {
  const std::size_t row_bytes = kRowHeaderBytes + value_bytes;
  const std::uint64_t used = rows * row_bytes;
  std::uint64_t before = 0;
  std::uint64_t block = std::uint64_t{row_bytes} << RowsShift(row_bytes);
  for (; before + block < used; block = before) before += block;
  const std::uint64_t last = used - before;
  const std::uint64_t on_huge_pages = block / kHugePageBytes * kHugePageBytes;
  if (last >= on_huge_pages) return used;
  return before + (last + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
}

std::uint64_t Slabs::bytes() const {
  const std::uint64_t used = std::uint64_t{end_} * row_bytes_;
  return (used + kPageBytes - 1) / kPageBytes * kPageBytes - dropped_bytes_;
}

}  // namespace longtail::sparse
