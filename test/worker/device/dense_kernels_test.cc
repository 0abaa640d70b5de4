// Kernels of the dense layers that are one function of an item.
#include <algorithm>
#include <cmath>
#include <limits>

#include "worker/device/every_grid.h"
#include "worker/device/kernels/bias.h"
#include "worker/device/kernels/column_sums.h"
#include "worker/device/kernels/cross_layer.h"
#include "worker/device/kernels/dense_update.h"
#include "worker/device/kernels/dropout.h"
#include "worker/device/kernels/logistic_loss.h"
#include "worker/device/kernels/narrow.h"

namespace longtail::device {
namespace {

// Sizes with a rest behind the quads, and those without; none, and more than one block.
std::vector<std::uint32_t> Counts() {
  if (kIsSlow) return {0, 1, 7, 300};
  return {0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 100, 255, 256, 257, 1023, 1024, 1030, 5001};
}

TEST_CASE("a cross layer is x0 * u + x, and back, for any size", "[device][cross]") {
  for (const std::uint32_t n : Counts()) {
    CAPTURE(n);
    Rng rng(n);
    const GuardedArray<float> x0(TestFloats(rng, n));
    const GuardedArray<float> u(TestFloats(rng, n));
    const GuardedArray<float> x(TestFloats(rng, n));
    const GuardedArray<float> dy(TestFloats(rng, n));
    const std::vector<float> before = TestFloats(rng, n);

    const auto got = OnEveryGrid([&](auto& grid) {
      const GuardedArray<float> y(n);
      const GuardedArray<float> du(n);
      const GuardedArray<float> dx0(before);
      const GuardedArray<float> sum(before);
      Run(CrossCall{.x0 = x0.data(), .u = u.data(), .x = x.data(), .y = y.data(), .count = n},
          grid);
      Run(CrossGradientCall{.x0 = x0.data(),
                            .u = u.data(),
                            .dy = dy.data(),
                            .du = du.data(),
                            .dx0 = dx0.data(),
                            .count = n},
          grid);
      Run(AddCall{.x = x.data(), .y = sum.data(), .count = n}, grid);
      return Words(y, du, dx0, sum);
    });

    std::vector<float> y(n), du(n), dx0(n), sum(n);
    for (std::uint32_t i = 0; i < n; ++i) {
      y[i] = x0[i] * u[i] + x[i];
      du[i] = dy[i] * x0[i];
      dx0[i] = before[i] + dy[i] * u[i];
      sum[i] = before[i] + x[i];
    }
    const bool is_right = got == Words(y, du, dx0, sum);
    CHECK(is_right);
  }
}

TEST_CASE("a bias is added to each row, and what is below zero is cut if wanted",
          "[device][bias]") {
  const auto rows = GENERATE(as<std::uint32_t>(), 0, 1, 9);
  const Activation activation = GENERATE(Activation::kNone, Activation::kRelu);
  CAPTURE(rows, activation);
  for (const std::uint32_t columns : TestDims()) {
    CAPTURE(columns);
    Rng rng(columns);
    const std::vector<float> before = TestFloats(rng, std::size_t{rows} * columns);
    const GuardedArray<float> bias(TestFloats(rng, columns));

    const auto got = OnEveryGrid([&](auto& grid) {
      const GuardedArray<float> y(before);
      Run(BiasCall{.y = y.data(),
                   .bias = bias.data(),
                   .rows = rows,
                   .columns = columns,
                   .activation = activation},
          grid);
      return y.values();
    });

    std::vector<float> want = before;
    for (std::size_t i = 0; i < want.size(); ++i) {
      want[i] += bias[i % columns];
      if (activation == Activation::kRelu) want[i] = std::max(want[i], 0.0F);
    }
    const bool is_right = got == want;
    CHECK(is_right);
  }
}

TEST_CASE("a ReLU lets a gradient through where it gave more than zero", "[device][bias]") {
  for (const std::uint32_t n : Counts()) {
    CAPTURE(n);
    Rng rng(n);
    std::vector<float> outputs = TestFloats(rng, n);
    for (float& y : outputs) y = std::max(y, 0.0F);
    const GuardedArray<float> y(outputs);
    const std::vector<float> before = TestFloats(rng, n);

    const auto got = OnEveryGrid([&](auto& grid) {
      const GuardedArray<float> dy(before);
      Run(ReluGradientCall{.y = y.data(), .dy = dy.data(), .scale = 1.25F, .count = n}, grid);
      return dy.values();
    });

    std::vector<float> want(n);
    for (std::uint32_t i = 0; i < n; ++i) want[i] = outputs[i] > 0 ? before[i] * 1.25F : 0;
    const bool is_right = got == want;
    CHECK(is_right);
  }
}

TEST_CASE("columns are summed by parts of rows, then part by part", "[device][column_sums]") {
  const auto rows = GENERATE(as<std::uint32_t>(), 1, 3, 4, 5, 17);
  const auto columns = GENERATE(as<std::uint32_t>(), 1, 3, 4, 32, 65);
  CAPTURE(rows, columns);
  Rng rng(rows * columns);
  const GuardedArray<float> x(TestFloats(rng, std::size_t{rows} * columns));
  const std::vector<float> before = TestFloats(rng, columns);
  const std::uint32_t parts = (rows + 3) / 4;

  const auto got = OnEveryGrid([&](auto& grid) {
    const GuardedArray<float> of_parts(std::size_t{parts} * columns);
    const GuardedArray<float> sums(before);
    Run(ColumnPartsCall{.x = x.data(),
                        .parts = of_parts.data(),
                        .rows = rows,
                        .columns = columns,
                        .part_rows = 4},
        grid);
    Run(
        AddPartsCall{
            .parts = of_parts.data(), .sums = sums.data(), .part_count = parts, .columns = columns},
        grid);
    return sums.values();
  });

  for (std::uint32_t j = 0; j < columns; ++j) {
    float want = before[j];
    for (std::uint32_t part = 0; part < parts; ++part) {
      float sum = 0;
      for (std::uint32_t i = part * 4; i < std::min(rows, part * 4 + 4); ++i) {
        sum += x[i * columns + j];
      }
      want += sum;
    }
    CHECK(got[j] == want);
  }
}

TEST_CASE("dropout drops by its mask, whatever the width of a row", "[device][dropout]") {
  constexpr std::uint32_t kRows = 3;
  for (const std::uint32_t columns : TestDims()) {
    CAPTURE(columns);
    Rng rng(columns);
    const std::uint32_t stride = columns + static_cast<std::uint32_t>(rng.Below(2) * 4);
    const std::vector<float> before = TestFloats(rng, kRows * stride);
    const std::uint64_t stream = 77;
    const DropoutCall call{.stream = &stream,
                           .layer = 3,
                           .first_example = 1000,
                           .rows = kRows,
                           .columns = columns,
                           .stride = stride,
                           .drop_below = 0x60000000,
                           .scale = 1.6F};

    const auto got = OnEveryGrid([&](auto& grid) {
      const GuardedArray<float> y(before);
      DropoutCall on = call;
      on.y = y.data();
      Run(on, grid);
      return y.values();
    });

    std::vector<float> want = before;
    for (std::uint32_t i = 0; i < kRows; ++i) {
      const std::uint64_t key = DropoutKey(DropoutKey(77, 3), 1000 + i);
      for (std::uint32_t j = 0; j < columns; ++j) {
        float& y = want[i * stride + j];
        y = DropoutBits(key, j) >= 0x60000000 ? y * 1.6F : 0;
      }
    }
    const bool is_right = got == want;
    CHECK(is_right);
  }
}

TEST_CASE("as many are dropped as the rate says", "[device][dropout]") {
  std::uint32_t dropped = 0;
  for (std::uint32_t i = 0; i < 100; ++i) {
    for (std::uint32_t j = 0; j < 1000; ++j) {
      dropped += DropoutBits(DropoutKey(5, i), j) < 0x40000000 ? 1 : 0;
    }
  }

  CHECK(dropped == Approx(25000).margin(500));  // Three standard deviations are 411.
}

TEST_CASE("log loss and its gradient are right for logits of any size", "[device][loss]") {
  for (const std::uint32_t n : Counts()) {
    CAPTURE(n);
    Rng rng(n);
    std::vector<float> z = test::Floats(rng, n, -20, 20);
    if (n > 4) {
      z[0] = 200;
      z[1] = -200;
      z[2] = 0;
    }
    const GuardedArray<float> logits(z);
    std::vector<float> wanted(n);
    for (float& label : wanted) label = rng.Below(2) == 0 ? 0.0F : 1.0F;
    const GuardedArray<float> labels(wanted);
    const std::uint32_t parts = (n + 255) / 256;

    const auto got = OnEveryGrid([&](auto& grid) {
      const GuardedArray<float> gradients(n);
      const GuardedArray<double> losses(n);
      const GuardedArray<double> sums(parts);
      Run(LogisticLossCall{.logits = logits.data(),
                           .labels = labels.data(),
                           .gradients = gradients.data(),
                           .losses = losses.data(),
                           .scale = 0.5F,
                           .count = n},
          grid);
      Run(SumPartsCall{.values = losses.data(), .sums = sums.data(), .count = n}, grid);
      return std::make_pair(gradients.values(), sums.values());
    });

    double want_sum = 0;
    double got_sum = 0;
    for (const double sum : got.second) got_sum += sum;
    for (std::uint32_t i = 0; i < n; ++i) {
      const double x = static_cast<double>(z[i]);
      const double y = static_cast<double>(wanted[i]);
      want_sum += std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0) - x * y;
      const double gradient = (1 / (1 + std::exp(-x)) - y) * 0.5;
      const bool is_right = std::abs(static_cast<double>(got.first[i]) - gradient) <=
                            1e-7 * std::abs(gradient) + 1e-30;
      REQUIRE(is_right);
    }
    CHECK(got_sum == Approx(want_sum).epsilon(1e-12));
  }
}

struct DenseState {
  std::vector<float> weights, gradients, first, second;
};

// Moves copies of a state by each of the kernels, and one by one by the formulas.
void CheckDenseUpdates(const DenseState& state, float clip, float decay) {
  const auto n = static_cast<std::uint32_t>(state.weights.size());
  const float rate = 0.1F, adam_rate = 0.02F, correction = 3;
  const GuardedArray<float> gradients(state.gradients);
  const auto got = OnEveryGrid([&](auto& grid) {
    const GuardedArray<float> w1(state.weights), w2(state.weights), w3(state.weights);
    const GuardedArray<float> w4(state.weights), s2(state.first), s3(state.second);
    const GuardedArray<float> m(state.first), v(state.second);
    const auto slice = [&](const GuardedArray<float>& weights) {
      return DenseSlice{.weights = weights.data(),
                        .gradients = gradients.data(),
                        .scale = 0.75F,
                        .clip = clip,
                        .decay = decay,
                        .count = n};
    };
    Run(DenseSgdCall{.slice = slice(w1), .learning_rate = &rate}, grid);
    Run(
        DenseMomentumCall{
            .slice = slice(w2), .velocities = s2.data(), .learning_rate = &rate, .momentum = 0.8F},
        grid);
    Run(
        DenseAdagradCall{
            .slice = slice(w3), .sums = s3.data(), .learning_rate = &rate, .epsilon = 1e-4F},
        grid);
    Run(DenseAdamCall{.slice = slice(w4),
                      .first = m.data(),
                      .second = v.data(),
                      .rate = &adam_rate,
                      .root_correction = &correction,
                      .beta1 = 0.9F,
                      .beta2 = 0.99F,
                      .epsilon = 1e-3F},
        grid);
    return Words(w1, w2, w3, w4, s2, s3, m, v);
  });

  std::vector<float> w1 = state.weights, w2 = w1, w3 = w1, w4 = w1;
  std::vector<float> s2 = state.first, s3 = state.second, m = state.first, v = state.second;
  for (std::uint32_t i = 0; i < n; ++i) {
    const float cut = std::min(std::max(state.gradients[i] * 0.75F, -clip), clip);
    const float g = cut + decay * state.weights[i];
    w1[i] -= 0.1F * g;
    s2[i] = 0.8F * s2[i] + g;
    w2[i] -= 0.1F * s2[i];
    s3[i] += g * g;
    w3[i] -= 0.1F * g / (std::sqrt(s3[i]) + 1e-4F);
    m[i] = 0.9F * m[i] + (1 - 0.9F) * g;
    v[i] = 0.99F * v[i] + (1 - 0.99F) * (g * g);
    w4[i] -= 0.02F * m[i] / (std::sqrt(v[i]) * 3 + 1e-3F);
  }
  const bool is_right = got == Words(w1, w2, w3, w4, s2, s3, m, v);
  CHECK(is_right);
}

TEST_CASE("dense weights move by their rules, for any size", "[device][dense_update]") {
  for (const std::uint32_t n : Counts()) {
    CAPTURE(n);
    Rng rng(n);
    const DenseState state{.weights = TestFloats(rng, n),
                           .gradients = TestFloats(rng, n),
                           .first = TestFloats(rng, n),
                           .second = test::Floats(rng, n, 0.1F, 3)};
    CheckDenseUpdates(state, 0.7F, 0.03F);
    CheckDenseUpdates(state, std::numeric_limits<float>::infinity(), 0.03F);
  }
}

TEST_CASE("floats become 16 bits and again floats as the formats say", "[device][narrow]") {
  const NarrowFormat format = GENERATE(NarrowFormat::kBfloat16, NarrowFormat::kFloat16);
  for (const std::uint32_t n : Counts()) {
    CAPTURE(n, format);
    Rng rng(n);
    std::vector<float> from(n);
    for (float& value : from) {  // Any bits: those that are no number, too.
      const auto bits = static_cast<std::uint32_t>(rng.Next());
      std::memcpy(&value, &bits, sizeof(value));
    }
    const GuardedArray<float> floats(from);

    const auto got = OnEveryGrid([&](auto& grid) {
      const GuardedArray<std::uint16_t> narrow(n);
      const GuardedArray<float> wide(n);
      Run(NarrowCall{.from = floats.data(), .to = narrow.data(), .count = n, .format = format},
          grid);
      Run(WidenCall{.from = narrow.data(), .to = wide.data(), .count = n, .format = format}, grid);
      return Words(narrow, wide);
    });

    std::vector<std::uint16_t> narrow(n);
    std::vector<float> wide(n);
    for (std::uint32_t i = 0; i < n; ++i) {
      const bool is_bfloat = format == NarrowFormat::kBfloat16;
      narrow[i] = is_bfloat ? NearestBfloat16(from[i]) : NearestFloat16(from[i]);
      wide[i] = is_bfloat ? FromBfloat16(narrow[i]) : FromAnyFloat16(narrow[i]);
    }
    const bool is_right = got == Words(narrow, wide);
    CHECK(is_right);
  }
}

}  // namespace
}  // namespace longtail::device
