#include "examples/topics/alias_table.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace longtail::examples {
namespace {

TEST_CASE("an alias table draws each place as often as its weight says",
          "[examples][topics][alias_table]") {
  const std::vector<std::vector<float>> tables = {
      {3}, {1, 0, 3}, {0.25F, 0.5F, 0.125F, 7}, std::vector<float>(1000, 2)};
  for (const std::vector<float>& weights : tables) {
    AliasTable table;
    table.Build(weights);
    std::vector<double> drawn(weights.size());
    Rng random(7);
    constexpr int kDraws = 1'000'000;

    for (int i = 0; i < kDraws; ++i) ++drawn[table.Pick(random.Next())];

    double total = 0;
    for (const float weight : weights) total += weight;
    CHECK(table.total() == Approx(total));
    for (std::size_t i = 0; i < weights.size(); ++i) {
      // Four standard deviations at most, and nothing for nothing.
      const double want = weights[i] / total;
      CAPTURE(weights.size(), i);
      CHECK(std::abs(drawn[i] / kDraws - want) <= 4.5 * std::sqrt(want / kDraws));
    }
  }
}

}  // namespace
}  // namespace longtail::examples
