// About how often something was added of late, in bounded memory, for any number of things.
//
// Promises: no count is too low but by halving; it is too high by what else fell on both of its
// counters. Deterministic.
// Threads: not thread-safe; the owner locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace longtail {

/// Counters of a byte, two for each hash. All are halved once as many were added as there are
/// counters, so that what was frequent long ago is forgotten.
///
/// Source: Cormode, Muthukrishnan, "An Improved Data Stream Summary: The Count-Min Sketch and its
///         Applications", J. Algorithms 2005; that only the lower counter counts up: Estan,
///         Varghese, "New Directions in Traffic Measurement and Accounting", SIGCOMM 2002; the
///         halving: Einziger, Friedman, Manes, "TinyLFU: A Highly Efficient Cache Admission
///         Policy", ACM Transactions on Storage 2017, section 3.3.
class FrequencySketch {
 public:
  /// Needs 1 <= counter_count < 2^32.
  explicit FrequencySketch(std::size_t counter_count) : counters_(counter_count, 0) {}

  /// Needs a hash whose bits are all scattered well, see Mix64.
  void Add(std::uint64_t hash);

  /// At most 255.
  std::uint32_t Count(std::uint64_t hash) const;

  std::size_t bytes() const { return counters_.size(); }

 private:
  std::size_t Place(std::uint64_t bits) const {  // bits < 2^32.
    return static_cast<std::size_t>((bits * counters_.size()) >> 32);
  }

  std::vector<std::uint8_t> counters_;
  std::size_t added_ = 0;  // Since the last halving.
};

}  // namespace longtail
