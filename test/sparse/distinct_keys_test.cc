#include "sparse/distinct_keys.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>

#include "base/hash.h"
#include "base/random.h"

namespace longtail::sparse {
namespace {

TEST_CASE("the number of different keys is estimated without bias at any size",
          "[sparse][distinct_keys]") {
  // Between, where other estimators pass from few to many: 2.5 times the 2048 registers.
  const std::uint64_t keys = GENERATE(1U, 10U, 500U, 2'000U, 5'000U, 6'500U, 40'000U, 1'000'000U);
  CAPTURE(keys);
  const std::uint64_t trials = keys > 100'000 ? 4 : 100;
  double error_sum = 0;
  for (std::uint64_t trial = 0; trial < trials; ++trial) {
    DistinctKeys distinct;
    for (std::uint64_t i = 0; i < keys; ++i) {
      // Of one partition: the highest 16 bits are equal.
      distinct.Add((RandomBits(keys, trial, i) >> 16) | (trial << 48));
    }
    const double error = static_cast<double>(distinct.Estimate()) / static_cast<double>(keys) - 1;
    CHECK(std::abs(error) < 5 * 0.023);
    error_sum += error;
  }
  const auto mean = error_sum / static_cast<double>(trials);
  CHECK(std::abs(mean) < 4 * 0.023 / std::sqrt(static_cast<double>(trials)));
}

TEST_CASE("no key is none, one is one, and a key that comes again is not another",
          "[sparse][distinct_keys]") {
  DistinctKeys distinct;
  CHECK(distinct.Estimate() == 0);
  for (int i = 0; i < 1000; ++i) distinct.Add(Mix64(7));
  CHECK(distinct.Estimate() == 1);
  for (int i = 0; i < 1000; ++i) distinct.Add(0);  // All zeros: the highest rank.
  CHECK(distinct.Estimate() == 2);
}

}  // namespace
}  // namespace longtail::sparse
