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
  /// At once, too, but no worker computes more than `staleness` steps ahead of the slowest: a pull
  /// of step c waits until every worker has ended step c - staleness - 1 or has left, and so sees
  /// all updates of the steps up to that one, but for rows that its worker kept, see
  /// WorkerOptions::row_cache_steps. (Ho et al., "More Effective Distributed ML via a
  /// Stale Synchronous Parallel Parameter Server", NIPS 2013.)
  kBoundedStaleness,
};

/// The largest ClusterOptions::staleness.
inline constexpr std::uint32_t kStalenessMax = 1'000'000;

}  // namespace longtail
