#include "worker/device/kernels/factorization.h"

#include "worker/device/every_grid.h"

namespace longtail::device {
namespace {

struct Shape {
  std::uint32_t examples;
  std::uint32_t fields;
  std::uint32_t dim;
  std::uint32_t shared = 0;
};

void CheckPairs(Rng& rng, const Shape& s) {
  CAPTURE(s.examples, s.fields, s.dim, s.shared);
  const std::uint32_t stride = s.fields * s.dim + static_cast<std::uint32_t>(rng.Below(2));
  const GuardedArray<float> v(TestFloats(rng, std::size_t{s.examples} * stride));
  const std::vector<float> bias = TestFloats(rng, s.examples);
  const GuardedArray<float> logit_gradients(TestFloats(rng, s.examples));
  const std::vector<float> before = TestFloats(rng, v.size());
  const GuardedArray<float> vectors(TestFloats(rng, std::size_t{s.shared} * s.dim));
  const GuardedArray<float> scales(TestFloats(rng, std::size_t{s.examples} * s.shared));
  const SharedVectors shared{.vectors = vectors.data(), .scales = scales.data(), .count = s.shared};
  const std::uint32_t parts = (s.examples + 3) / 4;

  const auto got = OnEveryGrid([&](auto& grid) {
    const GuardedArray<float> sums(std::size_t{s.examples} * s.dim);
    const GuardedArray<float> logits(bias);
    const GuardedArray<float> dv(before);
    Run(PairSumsCall{.v = v.data(),
                     .sums = sums.data(),
                     .logits = logits.data(),
                     .shared = shared,
                     .examples = s.examples,
                     .fields = s.fields,
                     .dim = s.dim,
                     .v_stride = stride},
        grid);
    Run(PairGradientsCall{.v = v.data(),
                          .sums = sums.data(),
                          .logit_gradients = logit_gradients.data(),
                          .dv = dv.data(),
                          .examples = s.examples,
                          .fields = s.fields,
                          .dim = s.dim,
                          .v_stride = stride,
                          .dv_stride = stride},
        grid);
    const GuardedArray<float> of_parts(std::size_t{parts} * s.shared * s.dim);
    Run(SharedGradientPartsCall{.shared = shared,
                                .sums = sums.data(),
                                .logit_gradients = logit_gradients.data(),
                                .parts = of_parts.data(),
                                .examples = s.examples,
                                .dim = s.dim,
                                .part_rows = 4},
        grid);
    return Words(sums, logits, dv, of_parts);
  });

  std::vector<float> sums;
  std::vector<float> logits = bias;
  std::vector<float> dv = before;
  std::vector<float> of_parts(std::size_t{parts} * s.shared * s.dim);
  for (std::uint32_t e = 0; e < s.examples; ++e) {
    const float* of = v.data() + std::size_t{e} * stride;
    float value = 0;
    for (std::uint32_t d = 0; d < s.dim; ++d) {
      float sum = 0;
      float squares = 0;
      for (std::uint32_t f = 0; f < s.fields; ++f) {
        sum += of[f * s.dim + d];
        squares += of[f * s.dim + d] * of[f * s.dim + d];
      }
      for (std::uint32_t i = 0; i < s.shared; ++i) {
        const float scaled = scales[e * s.shared + i] * vectors[i * s.dim + d];
        sum += scaled;
        squares += scaled * scaled;
      }
      sums.push_back(sum);
      for (std::uint32_t i = 0; i < s.shared; ++i) {
        const float scale = scales[e * s.shared + i];
        of_parts[(e / 4 * s.shared + i) * s.dim + d] +=
            logit_gradients[e] * scale * (sum - scale * vectors[i * s.dim + d]);
      }
      value += sum * sum - squares;
      for (std::uint32_t f = 0; f < s.fields; ++f) {
        dv[std::size_t{e} * stride + f * s.dim + d] +=
            logit_gradients[e] * (sum - of[f * s.dim + d]);
      }
    }
    logits[e] += 0.5F * value;
  }
  const bool is_right = got == Words(sums, logits, dv, of_parts);
  CHECK(is_right);
}

TEST_CASE("pairs of fields of any width are summed, to the bit, and back", "[device][fm]") {
  for (const std::uint32_t dim : TestDims()) {
    Rng rng(dim);
    CheckPairs(rng, {.examples = 5, .fields = 3, .dim = dim});
  }
}

TEST_CASE("any number of examples and fields has its pairs", "[device][fm]") {
  const auto examples = GENERATE(as<std::uint32_t>(), 0, 1, 31, 67);
  const auto fields = GENERATE(as<std::uint32_t>(), 1, 2, 39);
  if (kIsSlow && examples > 31) return;
  Rng rng(examples);

  CheckPairs(rng, {.examples = examples, .fields = fields, .dim = 4});
  CheckPairs(rng, {.examples = examples, .fields = fields, .dim = 10});
}

TEST_CASE("numbers times vectors of their own are among the pairs", "[device][fm]") {
  const auto shared = GENERATE(as<std::uint32_t>(), 1, 3, 13);
  const auto dim = GENERATE(as<std::uint32_t>(), 1, 4, 10, 40);
  if (kIsSlow && dim > 4) return;
  Rng rng(shared * dim);

  CheckPairs(rng, {.examples = 9, .fields = 2, .dim = dim, .shared = shared});
}

}  // namespace
}  // namespace longtail::device
