// A run of rows of a micro-batch: what one call of a layer handles.
//
// Layers are driven block by block, so that a block's activations and gradients stay in the cache
// from layer to layer.
#pragma once

#include <cstddef>

namespace longtail::examples {

struct RowBlock {
  std::size_t begin = 0;
  std::size_t count = 0;
};

}  // namespace longtail::examples
