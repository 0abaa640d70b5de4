// What a model reads: a micro-batch and the rows pulled for its keys.
#pragma once

#include <cstdint>
#include <span>

#include "examples/common/data/batch.h"

namespace longtail::examples {

/// Borrows everything; what it names must live, unchanged, until the model's Backward is done.
struct SparseInput {
  const Batch* batch = nullptr;
  std::span<const float> rows;             ///< [unique, row_dim], the rows of the distinct keys.
  std::span<const std::uint32_t> inverse;  ///< [batch->keys.size()] the row of each key, < unique.
};

}  // namespace longtail::examples
