// Has the lanes of a server that only reads show another epoch at the same moment: none does before
// all of them have it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace longtail::server {

/// Thread: any.
class EpochGate {
 public:
  explicit EpochGate(std::size_t lanes) : ready_(lanes) {}

  /// The lane of that number has all of `epoch`, or of a later one. Whether all lanes have.
  bool Pass(std::size_t lane, std::uint64_t epoch) {
    ready_[lane] = std::max(ready_[lane].load(), epoch);  // Only its own thread writes it.
    return std::ranges::all_of(ready_, [&](const auto& ready) { return ready >= epoch; });
  }

 private:
  std::vector<std::atomic<std::uint64_t>> ready_;
};

}  // namespace longtail::server
