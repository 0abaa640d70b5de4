#include "examples/common/nn/dense_optimizer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "random_floats.h"

namespace longtail::examples {
namespace {

constexpr float kDecay = 0.03F;
constexpr float kClip = 0.6F;

ParameterLayout TwoTensors() {
  ParameterLayout layout;
  layout.Add({.name = "weight",
              .shape = {37},
              .initializer = {.kind = InitializerKind::kUniform, .scale = 0.8F},
              .decay = Decay::kYes});
  layout.Add({.name = "bias",
              .shape = {5},
              .initializer = {.kind = InitializerKind::kUniform, .scale = 0.8F}});
  return layout;
}

std::vector<DenseOptimizerSpec> Specs() {
  return {{.rule = DenseSgd{.learning_rate = 0.11F}},
          {.rule = DenseSgd{.learning_rate = 0.07F, .momentum = 0.8F}},
          {.rule = DenseAdagrad{.learning_rate = 0.3F, .initial_sum = 0.2F, .epsilon = 1e-3F}},
          {.rule = DenseAdam{
               .learning_rate = 0.05F, .beta1 = 0.85F, .beta2 = 0.97F, .epsilon = 1e-3F}}};
}

/// One weight in double, as the papers have it.
struct Reference {
  double weight, slot0, slot1;

  void Step(const DenseOptimizerSpec& spec, double factor, int t, double g) {
    if (const auto* adam = std::get_if<DenseAdam>(&spec.rule)) {
      const auto beta1 = static_cast<double>(adam->beta1);
      const auto beta2 = static_cast<double>(adam->beta2);
      slot0 = beta1 * slot0 + (1 - beta1) * g;
      slot1 = beta2 * slot1 + (1 - beta2) * g * g;
      const double m = slot0 / (1 - std::pow(beta1, t));
      const double v = slot1 / (1 - std::pow(beta2, t));
      weight -= factor * static_cast<double>(adam->learning_rate) * m /
                (std::sqrt(v) + static_cast<double>(adam->epsilon));
    } else if (const auto* adagrad = std::get_if<DenseAdagrad>(&spec.rule)) {
      slot0 += g * g;
      weight -= factor * static_cast<double>(adagrad->learning_rate) * g /
                (std::sqrt(slot0) + static_cast<double>(adagrad->epsilon));
    } else {
      const auto& sgd = std::get<DenseSgd>(spec.rule);
      slot0 = static_cast<double>(sgd.momentum) * slot0 + g;
      weight -= factor * static_cast<double>(sgd.learning_rate) * slot0;
    }
  }
};

std::unique_ptr<DenseOptimizer> Made(const DenseOptimizerSpec& spec,
                                     const ParameterLayout& layout) {
  auto made = DenseOptimizer::Make(spec, layout);
  REQUIRE(made.ok());
  return *std::move(made);
}

float Factor(int t) {
  return 1.0F / static_cast<float>(t);
}

TEST_CASE("each rule moves weights as its paper says, decay and clip included",
          "[nn][dense_optimizer]") {
  const int which = GENERATE(0, 1, 2, 3);
  CAPTURE(which);
  DenseOptimizerSpec spec = Specs()[static_cast<std::size_t>(which)];
  spec.weight_decay = kDecay;
  spec.gradient_clip = kClip;
  Parameters parameters(TwoTensors(), 5);
  const ParameterLayout& layout = parameters.layout();
  const auto optimizer = Made(spec, layout);
  const auto* adagrad = std::get_if<DenseAdagrad>(&spec.rule);
  const double slot0 = adagrad == nullptr ? 0 : static_cast<double>(adagrad->initial_sum);
  std::vector<Reference> want;
  for (const float value : parameters.values()) {
    want.push_back({static_cast<double>(value), slot0, 0});
  }

  for (int t = 1; t <= 6; ++t) {
    const std::vector<float> gradients = RandomFloats(layout.size(), static_cast<std::uint64_t>(t));
    optimizer->BeginStep(Factor(t));
    optimizer->Update({0, layout.size()}, gradients, parameters.values());
    for (const Tensor& tensor : layout.tensors()) {
      for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
        double g = static_cast<double>(std::clamp(gradients[i], -kClip, kClip));
        if (tensor.decay == Decay::kYes) g += static_cast<double>(kDecay) * want[i].weight;
        want[i].Step(spec, static_cast<double>(Factor(t)), t, g);
        CAPTURE(t, i);
        CHECK(static_cast<double>(parameters.values()[i]) ==
              Approx(want[i].weight).epsilon(1e-5).margin(1e-6));
      }
    }
  }
  CHECK(parameters.values()[40] == 0);  // Between the tensors.
}

TEST_CASE("how the buffer is cut into slices changes no bit", "[nn][dense_optimizer]") {
  const int which = GENERATE(0, 1, 2, 3);
  const std::size_t cut = GENERATE(1U, 17U, 36U, 37U, 45U, 50U);
  CAPTURE(which, cut);
  const DenseOptimizerSpec spec = Specs()[static_cast<std::size_t>(which)];
  Parameters whole(TwoTensors(), 5);
  Parameters parts(TwoTensors(), 5);
  const std::size_t size = whole.layout().size();
  const auto one = Made(spec, whole.layout());
  const auto two = Made(spec, whole.layout());

  for (std::uint64_t t = 1; t <= 3; ++t) {
    const std::vector<float> gradients = RandomFloats(size, t);
    one->BeginStep(1);
    one->Update({0, size}, gradients, whole.values());
    two->BeginStep(1);
    two->Update({cut, size}, gradients, parts.values());
    two->Update({0, cut}, gradients, parts.values());
  }

  CHECK(std::ranges::equal(whole.values(), parts.values()));
}

TEST_CASE("a restored optimizer goes on as if nothing had happened", "[nn][dense_optimizer]") {
  const int which = GENERATE(0, 1, 2, 3);
  CAPTURE(which);
  const DenseOptimizerSpec spec = Specs()[static_cast<std::size_t>(which)];
  Parameters parameters(TwoTensors(), 5);
  const std::size_t size = parameters.layout().size();
  const auto first = Made(spec, parameters.layout());
  const std::vector<float> gradients = RandomFloats(size, 3);
  for (int t = 0; t < 3; ++t) {
    first->BeginStep(1);
    first->Update({0, size}, gradients, parameters.values());
  }
  Parameters copy = Parameters(TwoTensors(), 6);
  REQUIRE(copy.Restore(parameters.Serialize()).ok());
  const auto second = Made(spec, parameters.layout());

  REQUIRE(second->Restore(first->Serialize()).ok());
  CHECK(second->step() == 3);
  first->BeginStep(0.5F);
  first->Update({0, size}, gradients, parameters.values());
  second->BeginStep(0.5F);
  second->Update({0, size}, gradients, copy.values());

  CHECK(std::ranges::equal(parameters.values(), copy.values()));
  const DenseOptimizerSpec other = Specs()[static_cast<std::size_t>((which + 2) % 4)];
  CHECK(Made(other, parameters.layout())->Restore(first->Serialize()).code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a spec out of range is refused by field, value and range", "[nn][dense_optimizer]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto message = [](const DenseOptimizerSpec& spec) {
    return std::string(Validate(spec).message());
  };
  CHECK(message({.rule = DenseSgd{.learning_rate = 0}}) ==
        "dense optimizer: learning_rate 0: want a finite number above 0");
  CHECK(message({.rule = DenseSgd{.momentum = 1}}) ==
        "dense optimizer: momentum 1: want 0 <= momentum < 1");
  CHECK(message({.rule = DenseAdagrad{.initial_sum = -1}}) ==
        "dense optimizer: initial_sum -1: want a finite number of at least 0");
  CHECK(message({.rule = DenseAdam{.beta2 = nan}}) ==
        "dense optimizer: beta2 nan: want 0 <= beta2 < 1");
  CHECK(message({.rule = DenseAdam{.epsilon = 0}}) ==
        "dense optimizer: epsilon 0: want a finite number above 0");
  CHECK(message({.weight_decay = nan}) ==
        "dense optimizer: weight_decay nan: want a finite number of at least 0");
  CHECK(message({.gradient_clip = -2}) ==
        "dense optimizer: gradient_clip -2: want a finite number of at least 0");
  CHECK(Validate({}).ok());
}

}  // namespace
}  // namespace longtail::examples
