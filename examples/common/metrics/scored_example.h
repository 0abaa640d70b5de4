// One scored example as one integer that sorts by score.
//
//   bit 63        32 31      24 23        16 15         8 7     0
//   | ordered score | positive |  rarest tag |  field tag |   0   |
//
// A whole set is sorted once, as integers; every metric is then one pass over the sorted set, or
// over the part of it that carries a tag. Sums taken in this order do not depend on the order in
// which the examples came.
#pragma once

#include <bit>
#include <cstdint>

namespace longtail::examples {

/// A score, a label and two tags (any bytes; the evaluator keeps its buckets there).
struct ScoredExample {
  float score = 0;  ///< Any float but NaN.
  bool positive = false;
  std::uint8_t rarest_tag = 0;
  std::uint8_t field_tag = 0;
};

/// A ScoredExample in 64 bits; `a < b` whenever a's score is below b's.
using PackedExample = std::uint64_t;

/// Packs an example. Scores -0 and +0 are one score.
[[nodiscard]] inline PackedExample Pack(const ScoredExample& example) {
  constexpr std::uint32_t kSign = 0x80000000U;
  const auto bits = std::bit_cast<std::uint32_t>(example.score + 0.0F);  // -0 + 0 is +0.
  const std::uint32_t ordered = (bits & kSign) != 0 ? ~bits : bits | kSign;
  return PackedExample{ordered} << 32 | PackedExample{example.positive} << 24 |
         PackedExample{example.rarest_tag} << 16 | PackedExample{example.field_tag} << 8;
}

/// Returns what was packed.
[[nodiscard]] inline ScoredExample Unpack(PackedExample packed) {
  constexpr std::uint32_t kSign = 0x80000000U;
  const auto ordered = static_cast<std::uint32_t>(packed >> 32);
  const std::uint32_t bits = (ordered & kSign) != 0 ? ordered & ~kSign : ~ordered;
  return {.score = std::bit_cast<float>(bits),
          .positive = (packed >> 24 & 1) != 0,
          .rarest_tag = static_cast<std::uint8_t>(packed >> 16),
          .field_tag = static_cast<std::uint8_t>(packed >> 8)};
}

/// Whether two examples have the same score, whatever their labels and tags.
[[nodiscard]] inline bool SameScore(PackedExample a, PackedExample b) {
  return a >> 32 == b >> 32;
}

}  // namespace longtail::examples
