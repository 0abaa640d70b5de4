#include "worker/device/kernels/dot_interaction.h"

#include "worker/device/every_grid.h"

namespace longtail::device {
namespace {

struct Shape {
  std::uint32_t examples;
  std::uint32_t vectors;
  std::uint32_t dim;
};

std::uint32_t Outputs(const Shape& s) {
  return s.dim + s.vectors * (s.vectors - 1) / 2;
}

std::vector<float> WantForward(const Shape& s, const GuardedArray<float>& v) {
  std::vector<float> y;
  for (std::uint32_t e = 0; e < s.examples; ++e) {
    const float* of = v.data() + std::size_t{e} * s.vectors * s.dim;
    y.insert(y.end(), of, of + s.dim);
    for (std::uint32_t i = 0; i < s.vectors; ++i) {
      for (std::uint32_t j = 0; j < i; ++j) {
        float sum = 0;
        for (std::uint32_t d = 0; d < s.dim; ++d) sum += of[i * s.dim + d] * of[j * s.dim + d];
        y.push_back(sum);
      }
    }
  }
  return y;
}

// d(sum dy y) / dv_i, pair by pair in the order of j.
std::vector<float> WantBackward(const Shape& s, const GuardedArray<float>& v,
                                const GuardedArray<float>& dy) {
  std::vector<float> dv(v.size(), 0.0F);
  for (std::uint32_t e = 0; e < s.examples; ++e) {
    const float* of = v.data() + std::size_t{e} * s.vectors * s.dim;
    const float* gradients = dy.data() + std::size_t{e} * Outputs(s);
    float* to = dv.data() + std::size_t{e} * s.vectors * s.dim;
    for (std::uint32_t i = 0; i < s.vectors; ++i) {
      for (std::uint32_t j = 0; j < s.vectors; ++j) {
        if (j == i) continue;
        const std::uint32_t high = i > j ? i : j;
        const std::uint32_t low = i > j ? j : i;
        const float gradient = gradients[s.dim + high * (high - 1) / 2 + low];
        for (std::uint32_t d = 0; d < s.dim; ++d) to[i * s.dim + d] += gradient * of[j * s.dim + d];
      }
    }
    for (std::uint32_t d = 0; d < s.dim; ++d) to[d] += gradients[d];
  }
  return dv;
}

void CheckInteraction(Rng& rng, const Shape& s) {
  CAPTURE(s.examples, s.vectors, s.dim);
  const GuardedArray<float> v(TestFloats(rng, std::size_t{s.examples} * s.vectors * s.dim));
  const GuardedArray<float> dy(TestFloats(rng, std::size_t{s.examples} * Outputs(s)));

  const auto y = OnEveryGrid([&](auto& grid) {
    const GuardedArray<float> to(dy.size());
    Run(DotInteractionCall{.v = v.data(),
                           .y = to.data(),
                           .examples = s.examples,
                           .vectors = s.vectors,
                           .dim = s.dim,
                           .v_stride = s.vectors * s.dim,
                           .y_stride = Outputs(s)},
        grid);
    return to.values();
  });
  const auto dv = OnEveryGrid([&](auto& grid) {
    const GuardedArray<float> to(v.size());
    Run(DotGradientCall{.v = v.data(),
                        .dy = dy.data(),
                        .dv = to.data(),
                        .examples = s.examples,
                        .vectors = s.vectors,
                        .dim = s.dim,
                        .v_stride = s.vectors * s.dim,
                        .y_stride = Outputs(s)},
        grid);
    return to.values();
  });

  const bool is_forward_right = y == WantForward(s, v);
  const bool is_backward_right = dv == WantBackward(s, v, dy);
  CHECK(is_forward_right);
  CHECK(is_backward_right);
}

TEST_CASE("pairs of vectors of any width interact, to the bit, and back", "[device][dot]") {
  for (const std::uint32_t dim : TestDims()) {
    Rng rng(dim);
    CheckInteraction(rng, {.examples = 2, .vectors = 3, .dim = dim});
  }
}

TEST_CASE("any number of vectors interacts", "[device][dot]") {
  const auto vectors = GENERATE(as<std::uint32_t>(), 1, 2, 3, 4, 5, 8, 27, 40);
  if (kIsSlow && vectors > 8) return;
  Rng rng(vectors);

  CheckInteraction(rng, {.examples = 3, .vectors = vectors, .dim = 16});
  CheckInteraction(rng, {.examples = 2, .vectors = vectors, .dim = 5});
}

TEST_CASE("vectors that shared memory cannot hold interact as others do", "[device][dot]") {
  Rng rng(4);

  CheckInteraction(rng, {.examples = 1, .vectors = kIsSlow ? 13U : 130U, .dim = 128});
  if (!kIsSlow) CheckInteraction(rng, {.examples = 1, .vectors = 131, .dim = 101});
}

TEST_CASE("no example interacts with nothing", "[device][dot]") {
  Rng rng(4);

  CheckInteraction(rng, {.examples = 0, .vectors = 3, .dim = 4});
}

TEST_CASE("tiles of the triangle are numbered without a gap", "[device][dot]") {
  std::uint32_t number = 0;
  for (std::uint32_t row = 0; row < 3000; ++row) {
    for (std::uint32_t column = 0; column <= row; column += (row < 40 ? 1 : row)) {
      number = row * (row + 1) / 2 + column;
      std::uint32_t got_row = 0;
      std::uint32_t got_column = 0;
      TileOf(number, got_row, got_column);
      const bool is_right = got_row == row && got_column == column;
      REQUIRE(is_right);
    }
  }
}

}  // namespace
}  // namespace longtail::device
