#include "sparse/row_index.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace longtail::sparse {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kLow7 = 0x7F7F7F7F7F7F7F7FU;

// 0x80 in each byte that is zero, exactly: no carry crosses a byte.
std::uint64_t ZeroBytes(std::uint64_t x) {
  return ~(((x & kLow7) + kLow7) | x | kLow7);
}

unsigned LowestByte(std::uint64_t matches) {
  return static_cast<unsigned>(std::countr_zero(matches)) / 8;
}

}  // namespace

RowIndex::Matches RowIndex::Match(const Bucket& bucket, std::uint8_t tag) {
  std::uint64_t first = 0;
  std::uint32_t second = 0;
  std::memcpy(&first, bucket.tags.data(), sizeof(first));
  std::memcpy(&second, bucket.tags.data() + sizeof(first), sizeof(second));
  const std::uint64_t wanted = kOnes * tag;
  // Slots from `count` on hold old tags.
  const unsigned count = bucket.count;
  const std::uint64_t first_used =
      count >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * count)) - 1;
  const std::uint64_t second_used = count <= 8 ? 0 : (std::uint64_t{1} << (8 * (count - 8))) - 1;
  return {.first = ZeroBytes(first ^ wanted) & first_used,
          .second = ZeroBytes(second ^ wanted) & second_used};
}

std::uint32_t RowIndex::Candidate(std::uint64_t hash) const {
  const std::uint8_t tag = TagOf(hash);
  for (std::uint64_t at = hash & mask_;; at = (at + 1) & mask_) {
    const Bucket& bucket = buckets_[at];
    const Matches matches = Match(bucket, tag);
    if (matches.first != 0) return bucket.rows[LowestByte(matches.first)];
    if (matches.second != 0) return bucket.rows[8 + LowestByte(matches.second)];
    if (bucket.overflow == 0) return kNone;
  }
}

std::uint32_t RowIndex::Find(Key key, std::uint64_t hash, const Slabs& slabs) const {
  const std::uint8_t tag = TagOf(hash);
  for (std::uint64_t at = hash & mask_;; at = (at + 1) & mask_) {
    const Bucket& bucket = buckets_[at];
    Matches matches = Match(bucket, tag);
    for (; matches.first != 0; matches.first &= matches.first - 1) {
      const std::uint32_t row = bucket.rows[LowestByte(matches.first)];
      if (slabs.KeyOf(row) == key) return row;
    }
    for (; matches.second != 0; matches.second &= matches.second - 1) {
      const std::uint32_t row = bucket.rows[8 + LowestByte(matches.second)];
      if (slabs.KeyOf(row) == key) return row;
    }
    if (bucket.overflow == 0) return kNone;
  }
}

void RowIndex::Insert(std::uint32_t row, std::uint64_t hash, const Slabs& slabs) {
  if ((size_ + 1) * 5 > std::uint64_t{buckets_.size()} * kSlots * 4) Double(slabs);
  Place(row, hash);
  ++size_;
}

void RowIndex::Place(std::uint32_t row, std::uint64_t hash) {
  std::uint64_t at = hash & mask_;
  while (buckets_[at].count == kSlots) {
    if (buckets_[at].overflow != kOverflowMax) ++buckets_[at].overflow;
    at = (at + 1) & mask_;
  }
  Bucket& bucket = buckets_[at];
  bucket.tags[bucket.count] = TagOf(hash);
  bucket.rows[bucket.count] = row;
  ++bucket.count;
}

void RowIndex::Erase(std::uint32_t row, std::uint64_t hash) {
  std::uint64_t at = hash & mask_;
  for (;; at = (at + 1) & mask_) {
    Bucket& bucket = buckets_[at];
    unsigned slot = 0;
    while (slot < bucket.count && bucket.rows[slot] != row) ++slot;
    if (slot < bucket.count) {
      --bucket.count;
      bucket.tags[slot] = bucket.tags[bucket.count];
      bucket.rows[slot] = bucket.rows[bucket.count];
      break;
    }
    LONGTAIL_CHECK(bucket.overflow != 0);  // The row is in the index.
  }
  for (std::uint64_t passed = hash & mask_; passed != at; passed = (passed + 1) & mask_) {
    if (buckets_[passed].overflow != kOverflowMax) --buckets_[passed].overflow;
  }
  --size_;
}

void RowIndex::Double(const Slabs& slabs) {
  constexpr std::size_t kAhead = 4;  // Buckets: enough rows to hide a cache miss.
  Buckets old(buckets_.size() * 2);
  std::swap(old, buckets_);
  mask_ = buckets_.size() - 1;
  for (std::size_t at = 0; at < old.size() + kAhead; ++at) {
    if (at < old.size()) {
      for (unsigned slot = 0; slot < old[at].count; ++slot) {
        __builtin_prefetch(slabs.Row(old[at].rows[slot]));
      }
    }
    if (at < kAhead) continue;
    const Bucket& bucket = old[at - kAhead];
    for (unsigned slot = 0; slot < bucket.count; ++slot) {
      Place(bucket.rows[slot], Mix64(slabs.KeyOf(bucket.rows[slot])));
    }
  }
}

}  // namespace longtail::sparse
