// Runs a kernel's call on the CPU and, from the kernel's source, under many schedules: all must
// give the same bits. What those are to be, each test says by plain code of its own.
#pragma once

#include "worker/device/emulated_grid.h"
// Behind the emulator.
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "support/gen.h"
#include "worker/device/guarded_array.h"

namespace longtail::device {

// The thread sanitizer makes a fiber dear.
inline constexpr bool kIsSlow = LONGTAIL_SIMT_TSAN != 0;
inline constexpr std::uint64_t kSchedules = kIsSlow ? 2 : 20;

/// The bits of several arrays, one behind another, as words of 4 bytes.
template <typename... Arrays>
std::vector<std::uint32_t> Words(const Arrays&... arrays) {
  const auto size = [](const auto& array) { return array.size() * sizeof(*array.data()); };
  std::vector<std::uint32_t> words((((size(arrays) + 3) / 4) + ... + std::size_t{0}));
  std::size_t begin = 0;
  const auto add = [&](const auto& array) {
    if (array.size() > 0) std::memcpy(&words[begin], array.data(), size(array));
    begin += (size(array) + 3) / 4;
  };
  (add(arrays), ...);
  return words;
}

/// run_on(grid) gives what a call wrote, in memory of its own. Gives the CPU's.
template <typename RunOn>
auto OnEveryGrid(const RunOn& run_on) {
  Loops loops;
  const auto want = run_on(loops);
  for (std::uint64_t seed = 0; seed < kSchedules; ++seed) {
    CAPTURE(seed);
    const bool is_odd = seed % 2 == 1;
    EmulatedGrid grid({.seed = seed, .preempts = is_odd},
                      is_odd ? 1 + static_cast<unsigned>(seed % 5) : kBlocksMax);
    const auto got = run_on(grid);
    REQUIRE(grid.error() == "");
    const bool is_same = got == want;
    REQUIRE(is_same);
  }
  return want;
}

/// Floats between -2 and 2, none of them 0.
inline std::vector<float> TestFloats(Rng& rng, std::size_t n) {
  return test::Floats(rng, n, -2, 2);
}

/// dims 1..129, each; fewer where that takes long.
inline std::vector<std::uint32_t> TestDims() {
  if (kIsSlow) return {1, 4, 7, 16, 33};
  std::vector<std::uint32_t> dims;
  for (std::uint32_t dim = 1; dim <= 129; ++dim) dims.push_back(dim);
  return dims;
}

}  // namespace longtail::device
