// What a forward pass must know about the step it belongs to.
#pragma once

#include <cstddef>
#include <cstdint>

namespace longtail::examples {

struct StepContext {
  bool training = false;   ///< Dropout on, batch norm by the micro-batch's own statistics.
  std::uint64_t seed = 0;  ///< Of the run.
  std::uint64_t step = 0;  ///< Of the trainer; with seed and example it decides dropout.
  std::size_t first_example =
      0;  ///< Place of this micro-batch's first example in the global batch.
};

}  // namespace longtail::examples
