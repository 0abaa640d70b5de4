// Where the parts of a row lie in its bytes.
//
//   0        8       12          16                16 + 4 dim            16 + 4 (dim + state)
//   +--------+-------+-----------+-----------------+---------------------+---------+
//   | key    | count | last step | weights         | optimizer state     | padding |
//   | u64    | u32   | u32       | float[dim]      | float[state_size]   | to 16 n |
//   +--------+-------+-----------+-----------------+---------------------+---------+
//
// `count` is how many training examples touched the row, `last step` the step of its last push.
#pragma once

#include <cstddef>
#include <cstdint>

#include "longtail/ids.h"

namespace longtail::sparse {

/// The first bytes of every row, as they lie in memory.
struct RowHeader {
  Key key;
  std::uint32_t count;
  std::uint32_t last_step;
};
static_assert(sizeof(RowHeader) == 16);

/// Every row begins at a multiple of this.
inline constexpr std::size_t kRowAlignment = 16;

/// Sizes of a row of one table.
struct RowLayout {
  std::uint32_t dim = 1;         ///< Weights.
  std::uint32_t state_size = 0;  ///< Floats of optimizer state.

  /// Weights and state together.
  std::size_t value_count() const { return std::size_t{dim} + state_size; }

  /// Bytes that mean something.
  std::size_t used_bytes() const { return sizeof(RowHeader) + sizeof(float) * value_count(); }

  /// Bytes from one row to the next.
  std::size_t row_bytes() const {
    return (used_bytes() + kRowAlignment - 1) / kRowAlignment * kRowAlignment;
  }
};

inline RowHeader& HeaderOf(std::byte* row) {
  return *reinterpret_cast<RowHeader*>(row);
}
inline const RowHeader& HeaderOf(const std::byte* row) {
  return *reinterpret_cast<const RowHeader*>(row);
}

/// The weights; the state follows them.
inline float* ValuesOf(std::byte* row) {
  return reinterpret_cast<float*>(row + sizeof(RowHeader));
}
inline const float* ValuesOf(const std::byte* row) {
  return reinterpret_cast<const float*>(row + sizeof(RowHeader));
}

}  // namespace longtail::sparse
