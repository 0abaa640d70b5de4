// Draws from a discrete distribution in constant time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace longtail::examples {

/// Source: Vose, "A Linear Algorithm For Generating Random Numbers With a Given Distribution", IEEE
///         Trans. Software Engineering 17 (1991).
///
/// Thread: one that builds; then any.
class AliasTable {
 public:
  /// Takes weights [n], none negative; at least one is positive, or Pick must not be called.
  ///
  /// Cost: linear; no allocation once warm.
  void Build(std::span<const float> weights);

  /// The sum of the weights.
  double total() const { return total_; }

  /// The place that 64 random bits choose.
  std::uint32_t Pick(std::uint64_t bits) const {
    const auto slot = static_cast<std::uint32_t>(((bits >> 32) * slots_.size()) >> 32);
    const Slot& chosen = slots_[slot];
    return static_cast<std::uint32_t>(bits) < chosen.threshold ? slot : chosen.alias;
  }

 private:
  struct Slot {
    std::uint32_t threshold = 0;  // In 2^-32: below it the slot itself, else its alias.
    std::uint32_t alias = 0;
  };

  std::vector<Slot> slots_;
  std::vector<float> scaled_;
  std::vector<std::uint32_t> small_;
  std::vector<std::uint32_t> large_;
  double total_ = 0;
};

}  // namespace longtail::examples
