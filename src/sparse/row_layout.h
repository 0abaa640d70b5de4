// Sizes of a row of one table: the header that every row has, and its values.
//
//   values: | weights float[dim] | optimizer state float[state_size] |
//
// How rows lie in memory: sparse/slabs.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sparse/row_header.h"

namespace longtail::sparse {

struct RowLayout {
  std::uint32_t dim = 1;         ///< Weights.
  std::uint32_t state_size = 0;  ///< Floats of optimizer state.

  /// Weights and state together.
  std::size_t value_count() const { return std::size_t{dim} + state_size; }
  std::size_t value_bytes() const { return sizeof(float) * value_count(); }

  /// Header and values.
  std::size_t row_bytes() const { return kRowHeaderBytes + value_bytes(); }
};

}  // namespace longtail::sparse
