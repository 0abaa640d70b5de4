#include "examples/online/fm_model.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "base/random.h"

namespace longtail::examples {
namespace {

TEST_CASE("a factorization machine's logit is the sum over all pairs, its gradient the slope",
          "[online]") {
  constexpr std::uint32_t kDim = 5;
  Rng rng(1);
  std::vector<std::vector<float>> rows(4, std::vector<float>(kDim));
  for (auto& row : rows) {
    for (float& x : row) x = static_cast<float>(rng.Below(2000)) / 1000 - 1;
  }
  std::vector<const float*> at;
  for (const auto& row : rows) at.push_back(row.data());
  double want = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    want += double{rows[i][0]};
    for (std::size_t j = i + 1; j < rows.size(); ++j) {
      for (std::uint32_t f = 1; f < kDim; ++f) want += double{rows[i][f]} * double{rows[j][f]};
    }
  }
  CHECK(FmLogit(at, kDim) == Approx(want).margin(1e-9));

  std::vector<std::vector<float>> gradients(4, std::vector<float>(kDim, 0));
  std::vector<float*> to;
  for (auto& gradient : gradients) to.push_back(gradient.data());
  AddFmGradient(at, kDim, 0.5, to);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::uint32_t f = 0; f < kDim; ++f) {
      const float before = rows[i][f];
      constexpr float kStep = 0.0625F;
      rows[i][f] = before + kStep;
      const double above = FmLogit(at, kDim);
      rows[i][f] = before - kStep;
      const double below = FmLogit(at, kDim);
      rows[i][f] = before;
      // (The logit is linear in each number.)
      CHECK(double{gradients[i][f]} ==
            Approx(0.5 * (above - below) / (2 * double{kStep})).margin(1e-5));
    }
  }
}

TEST_CASE("the keys of an example are its features', each once, and the bias", "[online]") {
  std::vector<Key> keys;
  AppendKeys({"a", "b", "a"}, keys);
  AppendKeys({"a"}, keys);
  CHECK(keys == std::vector<Key>{FeatureKeyOf("a"), FeatureKeyOf("b"), FeatureKeyOf(""),
                                 FeatureKeyOf("a"), FeatureKeyOf("")});
  CHECK(Validate(FmTable({})).ok());
}

}  // namespace
}  // namespace longtail::examples
