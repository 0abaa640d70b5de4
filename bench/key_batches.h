// Keys for benchmarks of stores: row numbers drawn uniformly or by Zipf's law, and their keys.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "longtail/ids.h"

namespace longtail::bench {

enum class KeyLaw { kUniform, kZipf };

/// The key of row `number`: the numbers' order shows in nothing.
inline Key KeyOfNumber(std::uint64_t number) {
  return RandomBits(5, number, 0);
}

/// Draws batches of `size` different row numbers below `rows`, and their keys.
class KeyBatches {
 public:
  KeyBatches(std::uint64_t rows, std::size_t size, KeyLaw law, std::uint64_t seed)
      : rows_(rows), size_(size), law_(law), rng_(seed), seen_(rows, false) {}

  void Next() {
    for (const Key number : numbers_) seen_[number] = false;
    numbers_.clear();
    keys_.clear();
    while (numbers_.size() < size_) {
      const std::uint64_t number = law_ == KeyLaw::kUniform ? rng_.Below(rows_) : Zipf();
      if (seen_[number]) continue;
      seen_[number] = true;
      numbers_.push_back(number);
      keys_.push_back(KeyOfNumber(number));
    }
  }
  const std::vector<Key>& numbers() const { return numbers_; }
  const std::vector<Key>& keys() const { return keys_; }

 private:
  // The inverse of the integral of x^-s, close enough to Zipf's law for a benchmark; the rank is
  // scattered over the row numbers.
  std::uint64_t Zipf() {
    constexpr double kExponent = 1.05;
    const double end = std::pow(static_cast<double>(rows_) + 1, 1 - kExponent);
    const double u = static_cast<double>(rng_.Next() >> 11) * 0x1.0p-53;
    const double rank = std::pow(1 + u * (end - 1), 1 / (1 - kExponent));
    const auto number = static_cast<std::uint64_t>(rank - 1);
    return Mix64(number + 99) % rows_;
  }

  std::uint64_t rows_;
  std::size_t size_;
  KeyLaw law_;
  Rng rng_;
  std::vector<bool> seen_;
  std::vector<Key> numbers_;
  std::vector<Key> keys_;
};

}  // namespace longtail::bench
