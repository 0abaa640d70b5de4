// A batch of labelled examples as the readers give it and the trainers take it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "longtail/ids.h"

namespace longtail::examples {

/// `size` examples, each with `numeric_count` numbers and `field_count` categorical fields of zero
/// or more keys. A field without a key is a missing value.
struct Batch {
  std::size_t size = 0;
  std::uint32_t numeric_count = 0;
  std::uint32_t field_count = 0;
  std::vector<float> labels;           ///< [size], 0 or 1.
  std::vector<float> numeric;          ///< [size, numeric_count], row-major.
  std::vector<Key> keys;               ///< [value_count], by example, then by field.
  std::vector<std::uint32_t> offsets;  ///< [size * field_count + 1]: field f of example e has keys
                                       ///< offsets[e * field_count + f] up to the next offset.
  std::vector<float> values;           ///< [value_count], or empty: every key's value is 1.
  std::vector<std::uint64_t> groups;   ///< [size] group of each example, or empty: no group column.

  void Clear() {
    size = 0;
    labels.clear();
    numeric.clear();
    keys.clear();
    offsets.clear();
    values.clear();
    groups.clear();
  }
};

}  // namespace longtail::examples
