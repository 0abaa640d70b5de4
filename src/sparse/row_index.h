// From a key to the number of its row, in one cache line.
//
// Open addressing over buckets of one 64-byte line:
//
//   0                12      13    14         16                                    64
//   +----------------+-------+-----+----------+-------------------------------------+
//   | tags u8[12]    | count | pad | overflow | rows u32[12]                        |
//   +----------------+-------+-----+----------+-------------------------------------+
//
// An entry lies in the bucket that its hash names or, if that is full, in the next one with room;
// `overflow` counts the entries that passed a bucket that way, so a search ends at the first bucket
// that none has passed. Keys are compared in the rows, which a caller wants to read anyway, so
// every key is legal and an entry takes 5 bytes. The index doubles when it is four fifths full.
//
// Thread: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "longtail/ids.h"
#include "sparse/pages.h"
#include "sparse/slabs.h"

namespace longtail::sparse {

class RowIndex {
 public:
  /// No row has this number.
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  RowIndex() : buckets_(1) {}

  /// Fetches the line that a search for `hash` = Mix64(key) begins with.
  void Prefetch(std::uint64_t hash) const { __builtin_prefetch(&buckets_[hash & mask_]); }

  /// The first row whose tag fits, or kNone if surely no row has this hash. Reads no row, so a
  /// caller may fetch the row's memory before it compares the key: most often it is the one.
  std::uint32_t Candidate(std::uint64_t hash) const;

  /// The row of `key`, or kNone.
  std::uint32_t Find(Key key, std::uint64_t hash, const Slabs& slabs) const;

  /// Adds a row. Its key must be written in its header and must not be in the index.
  ///
  /// Cost: amortised constant; one call in a doubling visits every row's key.
  void Insert(std::uint32_t row, std::uint64_t hash, const Slabs& slabs);

  /// Removes a row that is in the index.
  void Erase(std::uint32_t row, std::uint64_t hash);

  std::uint64_t size() const { return size_; }
  std::uint64_t bytes() const { return std::uint64_t{buckets_.size()} * sizeof(Bucket); }

 private:
  static constexpr unsigned kSlots = 12;
  static constexpr std::uint16_t kOverflowMax = 0xFFFF;  // Sticks there until the next doubling.

  struct alignas(64) Bucket {
    std::array<std::uint8_t, kSlots> tags{};
    std::uint8_t count = 0;
    std::uint8_t padding = 0;
    std::uint16_t overflow = 0;
    std::array<std::uint32_t, kSlots> rows{};
  };
  static_assert(sizeof(Bucket) == 64);
  using Buckets = std::vector<Bucket, PageAllocator<Bucket>>;

  // Which slots of a bucket hold this tag: bit 8 i + 7 of `first` stands for slot i, of `second`
  // for slot 8 + i.
  struct Matches {
    std::uint64_t first;
    std::uint64_t second;
  };

  // Bits that neither the bucket nor the partition is chosen by.
  static std::uint8_t TagOf(std::uint64_t hash) { return static_cast<std::uint8_t>(hash >> 40); }
  static Matches Match(const Bucket& bucket, std::uint8_t tag);
  void Place(std::uint32_t row, std::uint64_t hash);
  void Double(const Slabs& slabs);

  Buckets buckets_;  // A power of two of them.
  std::uint64_t mask_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace longtail::sparse
