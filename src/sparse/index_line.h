// One line of a row index: fifteen entries in the 64 bytes that a cache moves at once.
//
//   0            15                      60                          64
//   +------------+-----------------------+---------------------------+
//   | tags       | rows, low 24 bits     | rows, high 2 bits each;   |
//   | u8[15]     | u24[15]               | bits 30 and 31: passed    |
//   +------------+-----------------------+---------------------------+
//
// A tag of 0 marks a free slot. `passed` counts the entries that wanted this line and went on, for
// it was full: 0, 1, 2, or 3 for three and more, which is then never counted down. A search ends at
// the first line that none has passed.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace longtail::sparse {

/// The tag of a hash: bits 40 to 47, and 1 for 0.
inline std::uint8_t TagOf(std::uint64_t hash) {
  const auto tag = static_cast<std::uint8_t>(hash >> 40);
  return tag == 0 ? std::uint8_t{1} : tag;
}

/// One bit for each of the fifteen tags that is equal to `tag`, byte by byte. What IndexLine::Match
/// must give, where it has no vectors.
inline std::uint32_t MatchBytes(const std::uint8_t* tags, std::uint8_t tag) {
  std::uint32_t matches = 0;
  for (unsigned slot = 0; slot < 15; ++slot) {
    matches |= (tags[slot] == tag ? 1U : 0U) << slot;
  }
  return matches;
}

class alignas(64) IndexLine {
 public:
  static constexpr unsigned kSlots = 15;

  /// One bit for each slot whose tag is `tag`; 0 asks for the free slots.
  std::uint32_t Match(std::uint8_t tag) const {
#if defined(__SSE2__)
    // The sixteenth byte is a row's; its bit is cut off.
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(this));
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(tags, wanted))) & 0x7FFF;
#else
    return MatchBytes(tags_.data(), tag);
#endif
  }

  /// One bit for each slot that is not free.
  std::uint32_t Taken() const {
    return ~Match(0) & 0x7FFF;
  }

  std::uint32_t Row(unsigned slot) const {
    std::uint32_t low = 0;  // The byte above the three is the next row's, or `high_`'s.
    std::memcpy(&low, low_.data() + std::size_t{3} * slot, sizeof(low));
    return (low & 0xFFFFFF) | ((high_ >> (2 * slot) & 3U) << 24);
  }

  /// Fills a free slot.
  void Fill(unsigned slot, std::uint8_t tag, std::uint32_t row) {
    tags_[slot] = tag;
    const std::size_t at = std::size_t{3} * slot;
    low_[at] = static_cast<std::uint8_t>(row);
    low_[at + 1] = static_cast<std::uint8_t>(row >> 8);
    low_[at + 2] = static_cast<std::uint8_t>(row >> 16);
    high_ = (high_ & ~(3U << (2 * slot))) | (row >> 24) << (2 * slot);
  }

  void Clear(unsigned slot) {
    tags_[slot] = 0;
  }
  void ClearAll() {
    tags_ = {};
  }

  std::uint8_t Tag(unsigned slot) const {
    return tags_[slot];
  }

  bool IsPassed() const {
    return (high_ >> 30) != 0;
  }
  void CountPassed() {
    if ((high_ >> 30) != 3) high_ += std::uint32_t{1} << 30;
  }
  void CountBack() {
    if ((high_ >> 30) != 3) high_ -= std::uint32_t{1} << 30;
  }

 private:
  std::array<std::uint8_t, kSlots> tags_{};
  std::array<std::uint8_t, std::size_t{3} * kSlots> low_{};
  std::uint32_t high_ = 0;
};
static_assert(sizeof(IndexLine) == 64);

}  // namespace longtail::sparse
