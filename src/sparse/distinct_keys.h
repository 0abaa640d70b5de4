// About how many different keys there were, in two kilobytes.
//
// Thread: one owner.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace longtail::sparse {

/// The keys of one partition, by their hashes: the highest 16 bits, which choose the partition, say
/// nothing and are left out. The standard error is 1.04 / sqrt(2^11), 2.3 %, at any number of keys.
///
/// Source: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog: the analysis of a near-optimal
///         cardinality estimation algorithm", AofA 2007; estimated as in Ertl, "New cardinality
///         estimation algorithms for HyperLogLog sketches", arXiv:1702.01284, algorithm 6, which
///         has no bias between the ranges of few and of many keys.
class DistinctKeys {
 public:
  /// A key that was added before changes nothing. Takes Mix64 of it. Cost: a byte of a small array.
  void Add(std::uint64_t hash) {
    const std::uint64_t used = hash << kPartitionBits;
    std::uint8_t& rank = ranks_[used >> (64 - kIndexBits)];
    const std::uint64_t rest = used << kIndexBits | kRestEnd;
    rank = std::max(rank, static_cast<std::uint8_t>(std::countl_zero(rest) + 1));
  }

  /// Cost: reads the array.
  std::uint64_t Estimate() const;

 private:
  static constexpr unsigned kPartitionBits = 16;
  static constexpr unsigned kIndexBits = 11;
  static constexpr std::size_t kRegisters = std::size_t{1} << kIndexBits;
  static constexpr unsigned kRestBits = 64 - kPartitionBits - kIndexBits;
  static constexpr std::uint64_t kRestEnd = std::uint64_t{1} << (63 - kRestBits);

  std::array<std::uint8_t, kRegisters> ranks_{};  // By the next bits; 0 without a key, else the
                                                  // highest place of a first bit, 1..kRestBits + 1.
};

}  // namespace longtail::sparse
