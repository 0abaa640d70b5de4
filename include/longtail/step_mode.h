// When a push takes effect.
#pragma once

#include <cstdint>

namespace longtail {

enum class StepMode : std::uint8_t {
  /// At once, in order of arrival.
  kAsynchronous,
  /// When every worker has ended its step: then all pushes of that step, in the order of the
  /// workers' ranks. Tables are bit-identical for any number of lanes and partitions.
  kSynchronous,
};

}  // namespace longtail
