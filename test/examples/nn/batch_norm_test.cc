#include "examples/common/nn/batch_norm.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "random_floats.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kWidth = 19;
constexpr std::size_t kRows = 50;

TEST_CASE("batch norm reports the micro-batch's statistics and leaves scale and shift",
          "[nn][batch_norm]") {
  ParameterLayout layout;
  ParameterLayout state_layout;
  BatchNorm norm("norm", kWidth, kRows, layout, state_layout);
  Parameters parameters(layout, 1);
  std::vector<float> update(state_layout.size());
  std::vector<float> z = RandomFloats(kRows * kWidth, 4);
  // A mean far from zero: the variance must not drown in it.
  for (float& value : z) value = 3 * value + 500;
  const std::vector<float> before = z;
  for (std::size_t j = 0; j < kWidth; ++j) {
    parameters.values()[layout.Find("norm.scale")->offset + j] = 0.5F + static_cast<float>(j);
    parameters.values()[layout.Find("norm.shift")->offset + j] = 2 - static_cast<float>(j);
  }

  norm.ForwardTraining(parameters.values().data(), {z.data(), kRows, kWidth, kWidth},
                       update.data());

  for (std::size_t j = 0; j < kWidth; ++j) {
    double mean = 0;
    double variance = 0;
    for (std::size_t i = 0; i < kRows; ++i) mean += static_cast<double>(before[i * kWidth + j]);
    mean /= kRows;
    for (std::size_t i = 0; i < kRows; ++i) {
      variance += std::pow(static_cast<double>(before[i * kWidth + j]) - mean, 2) / kRows;
    }
    CHECK(static_cast<double>(update[state_layout.Find("norm.mean")->offset + j]) ==
          Approx(mean).epsilon(1e-6));
    CHECK(static_cast<double>(update[state_layout.Find("norm.variance")->offset + j]) ==
          Approx(variance).epsilon(1e-5));
    for (std::size_t i = 0; i < kRows; ++i) {
      const double x =
          (static_cast<double>(before[i * kWidth + j]) - mean) / std::sqrt(variance + 1e-5);
      const auto column = static_cast<double>(j);
      CHECK(static_cast<double>(z[i * kWidth + j]) ==
            Approx(x * (0.5 + column) + 2 - column).epsilon(1e-3).margin(1e-3));
    }
  }
}

TEST_CASE("evaluation normalises by the running statistics as if they were the batch's",
          "[nn][batch_norm]") {
  ParameterLayout layout;
  ParameterLayout state_layout;
  BatchNorm norm("norm", kWidth, kRows, layout, state_layout);
  const Parameters parameters(layout, 1);
  Parameters state(state_layout, 1);
  std::vector<float> update(state_layout.size());
  std::vector<float> trained = RandomFloats(kRows * kWidth, 4);
  std::vector<float> evaluated = trained;
  CHECK(state.Values("norm.variance").front() == 1);

  norm.ForwardTraining(parameters.values().data(), {trained.data(), kRows, kWidth, kWidth},
                       update.data());
  MixRunningStatistics(update, 0, state.values());
  norm.ForwardEvaluation(parameters.values().data(), state.values().data(),
                         {evaluated.data(), kRows, kWidth, kWidth});

  for (std::size_t i = 0; i < trained.size(); ++i) {
    CHECK(evaluated[i] == Approx(trained[i]).epsilon(1e-4).margin(1e-5));
  }
}

TEST_CASE("running statistics move by one part in a hundred of the way", "[nn][batch_norm]") {
  std::vector<float> running = {1, -2};

  MixRunningStatistics(std::vector<float>{3, 5}, kRunningStatisticsMomentum, running);

  CHECK(running[0] == Approx(1.02));
  CHECK(running[1] == Approx(-1.93));
}

}  // namespace
}  // namespace longtail::examples
