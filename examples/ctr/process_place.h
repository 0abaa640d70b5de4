// Which part of a training this process does.
#pragma once

#include <cstdint>

namespace longtail::examples {

/// Process `index` of `count`. The workers of a training are dealt to its processes in equal runs:
/// of 6 workers and 3 processes, the second has ranks 2 and 3.
struct ProcessPlace {
  std::uint32_t count = 1;
  std::uint32_t index = 0;

  std::uint32_t WorkersHere(std::uint32_t workers) const { return workers / count; }
  std::uint32_t FirstWorker(std::uint32_t workers) const { return index * WorkersHere(workers); }
};

}  // namespace longtail::examples
