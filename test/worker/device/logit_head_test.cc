#include "worker/device/kernels/logit_head.h"

#include "worker/device/every_grid.h"

namespace longtail::device {
namespace {

void CheckLogits(Rng& rng, std::uint32_t examples, std::uint32_t inputs) {
  CAPTURE(examples, inputs);
  const std::uint32_t stride = inputs + static_cast<std::uint32_t>(rng.Below(3));
  const GuardedArray<float> x(TestFloats(rng, std::size_t{examples} * stride));
  const GuardedArray<float> weights(TestFloats(rng, inputs));
  const GuardedArray<float> gradients(TestFloats(rng, examples));
  const std::vector<float> bias = TestFloats(rng, examples);
  const std::vector<float> before = TestFloats(rng, x.size());
  const std::uint32_t parts = (examples + 7) / 8;

  const auto got = OnEveryGrid([&](auto& grid) {
    const GuardedArray<float> logits(bias);
    const GuardedArray<float> dx(before);
    const GuardedArray<float> of_parts(std::size_t{parts} * inputs);
    Run(LogitHeadCall{.x = x.data(),
                      .weights = weights.data(),
                      .logits = logits.data(),
                      .examples = examples,
                      .inputs = inputs,
                      .x_stride = stride},
        grid);
    Run(LogitInputGradientsCall{.weights = weights.data(),
                                .logit_gradients = gradients.data(),
                                .dx = dx.data(),
                                .examples = examples,
                                .inputs = inputs,
                                .dx_stride = stride},
        grid);
    Run(LogitWeightPartsCall{.x = x.data(),
                             .logit_gradients = gradients.data(),
                             .parts = of_parts.data(),
                             .examples = examples,
                             .inputs = inputs,
                             .x_stride = stride,
                             .part_rows = 8},
        grid);
    return std::make_pair(logits.values(), Words(dx, of_parts));
  });

  std::vector<float> dx = before;
  std::vector<float> of_parts(std::size_t{parts} * inputs, 0.0F);
  for (std::uint32_t e = 0; e < examples; ++e) {
    double want = static_cast<double>(bias[e]);
    double size = std::abs(want);
    for (std::uint32_t j = 0; j < inputs; ++j) {
      const double product =
          static_cast<double>(x[e * stride + j]) * static_cast<double>(weights[j]);
      want += product;
      size += std::abs(product);
      dx[e * stride + j] = gradients[e] * weights[j];
    }
    const bool is_near = std::abs(static_cast<double>(got.first[e]) - want) <= size * 1e-6;
    REQUIRE(is_near);  // trainer_math_test.cc has the bits.
  }
  const auto product = [&](std::uint32_t e, std::uint32_t j) {
    return x[e * stride + j] * gradients[e];
  };
  for (std::uint32_t begin = 0; begin < examples; begin += 4) {
    for (std::uint32_t j = 0; j < inputs; ++j) {
      float& sum = of_parts[begin / 8 * inputs + j];
      if (begin + 4 <= examples) {
        sum += (product(begin, j) + product(begin + 1, j)) +
               (product(begin + 2, j) + product(begin + 3, j));
      } else {
        for (std::uint32_t e = begin; e < examples; ++e) sum += product(e, j);
      }
    }
  }
  const bool is_right = got.second == Words(dx, of_parts);
  CHECK(is_right);
}

TEST_CASE("logits of inputs of any width, and their gradients", "[device][logit]") {
  for (const std::uint32_t inputs : TestDims()) {
    Rng rng(inputs);
    CheckLogits(rng, 6, inputs);
  }
}

TEST_CASE("logits of any number of examples", "[device][logit]") {
  const auto examples = GENERATE(as<std::uint32_t>(), 0, 1, 8, 9, 31, 100);
  if (kIsSlow && examples > 9) return;
  Rng rng(examples);

  CheckLogits(rng, examples, 40);
}

}  // namespace
}  // namespace longtail::device
