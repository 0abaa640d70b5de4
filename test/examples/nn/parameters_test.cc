#include "examples/common/nn/parameters.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace longtail::examples {
namespace {

constexpr Initializer kHe = {.kind = InitializerKind::kHeUniform, .scale = 1};
constexpr Initializer kXavier = {.kind = InitializerKind::kXavierUniform, .scale = 0.5F};

ParameterLayout SmallLayout() {
  ParameterLayout layout;
  layout.Add({.name = "a.weight", .shape = {600, 5}, .initializer = kHe, .decay = Decay::kYes});
  layout.Add({.name = "a.bias", .shape = {5}, .initializer = {.scale = 0.25F}});
  layout.Add({.name = "b.weight", .shape = {30, 70}, .initializer = kXavier});
  return layout;
}

std::vector<float> Copy(std::span<const float> values) {
  return {values.begin(), values.end()};
}

TEST_CASE("tensors follow each other, each on a cache line, with zeros between",
          "[nn][parameters]") {
  Parameters parameters(SmallLayout(), 7);
  const ParameterLayout& layout = parameters.layout();

  REQUIRE(layout.tensors().size() == 3);
  CHECK(layout.Find("a.weight")->offset == 0);
  CHECK(layout.Find("a.bias")->offset == 3008);
  CHECK(layout.Find("b.weight")->offset == 3024);
  CHECK(layout.size() == 3024 + 2112);
  CHECK(layout.Find("c") == nullptr);
  CHECK(parameters.values()[3000] == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(parameters.values().data()) % 64 == 0);
}

TEST_CASE("initial values fill their range and depend on seed and name alone", "[nn][parameters]") {
  const Parameters parameters(SmallLayout(), 7);
  const Parameters other(SmallLayout(), 8);
  ParameterLayout later;
  later.Add({.name = "before", .shape = {3}, .initializer = kHe});
  later.Add({.name = "b.weight", .shape = {30, 70}, .initializer = kXavier});
  const Parameters moved(later, 7);

  CHECK(Copy(parameters.Values("a.bias")) == std::vector<float>(5, 0.25F));
  CHECK(Copy(moved.Values("b.weight")) == Copy(parameters.Values("b.weight")));
  CHECK(Copy(other.Values("b.weight")) != Copy(parameters.Values("b.weight")));
  for (const auto& [name, bound] :
       {std::pair<const char*, double>{"a.weight", 0.1}, {"b.weight", 0.5 * std::sqrt(0.06)}}) {
    double sum = 0;
    double squares = 0;
    for (const float value : parameters.Values(name)) {
      CHECK(std::abs(static_cast<double>(value)) <= bound);
      sum += static_cast<double>(value);
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    const auto count = static_cast<double>(parameters.Values(name).size());
    CHECK(std::abs(sum / count) < 0.06 * bound);
    CHECK(squares / count == Approx(bound * bound / 3).epsilon(0.06));
  }
}

TEST_CASE("serialized parameters come back bit for bit, and only into their own layout",
          "[nn][parameters]") {
  const Parameters saved(SmallLayout(), 7);
  Parameters restored(SmallLayout(), 8);
  ParameterLayout renamed;
  for (const Tensor& tensor : saved.layout().tensors()) {
    Tensor copy = tensor;
    copy.name += "x";
    renamed.Add(copy);
  }
  Parameters other(renamed, 8);
  const std::string bytes = saved.Serialize();

  REQUIRE(restored.Restore(bytes).ok());
  CHECK(Copy(restored.values()) == Copy(saved.values()));
  CHECK(other.Restore(bytes).code() == absl::StatusCode::kFailedPrecondition);
  CHECK(restored.Restore(bytes.substr(0, bytes.size() - 4)).code() == absl::StatusCode::kDataLoss);
  CHECK(restored.Restore(bytes.substr(0, 10)).code() == absl::StatusCode::kDataLoss);
  CHECK(restored.Restore("").code() == absl::StatusCode::kDataLoss);
  CHECK(restored.Restore("X" + bytes.substr(1)).code() == absl::StatusCode::kDataLoss);
  CHECK(Copy(restored.values()) == Copy(saved.values()));
}

}  // namespace
}  // namespace longtail::examples
