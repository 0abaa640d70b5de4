// Method: the fast models' logits are compared with a reference in double, and their gradients with
// central differences of that reference, which has no rounding to hide a mistake.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "examples/common/nn/counter_random.h"
#include "model_work.h"
#include "reference_model.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kExamples = 6;
constexpr double kStep = 1e-6;

std::vector<double> Doubles(std::span<const float> values) {
  return {values.begin(), values.end()};
}

/// d objective / d values[i] by central differences.
double Slope(std::vector<double>& values, std::size_t i, const std::function<double()>& objective) {
  const double kept = values[i];
  values[i] = kept + kStep;
  const double above = objective();
  values[i] = kept - kStep;
  const double below = objective();
  values[i] = kept;
  return (above - below) / (2 * kStep);
}

void CheckAgainstReference(const ModelSpec& spec, Filling filling, std::uint64_t seed) {
  const StepContext context{.training = true, .seed = seed, .step = 5, .first_example = 3};
  const ModelParameters shared = MakeDenseParameters(spec, seed);
  const ParameterLayout& layout = shared.trained.layout();
  const ModelWork work = MakeModelWork(spec, kExamples, filling, seed);
  const auto model = MakeTestModel(spec, shared);
  std::vector<float> logits(kExamples);
  std::vector<float> weights;  // Of the logits in the objective.
  for (std::size_t e = 0; e < kExamples; ++e) {
    weights.push_back(0.3F + UnitUniform(StreamKey(seed, e)));
  }
  std::vector<float> row_gradients(work.rows.size(), 77);
  std::vector<float> gradients(layout.size(), 77);

  REQUIRE(model->Forward(work.input(), context, logits).ok());
  REQUIRE(model->Backward(weights, row_gradients, gradients).ok());

  std::vector<double> parameters = Doubles(shared.trained.values());
  std::vector<double> rows = Doubles(work.rows);
  const ReferenceInput reference{spec, layout, parameters, rows, work.batch, work.inverse, context};
  const std::vector<double> want = ReferenceLogits(reference);
  for (std::size_t e = 0; e < kExamples; ++e) {
    CHECK(static_cast<double>(logits[e]) == Approx(want[e]).epsilon(1e-4).margin(1e-4));
  }
  const auto objective = [&] {
    const std::vector<double> values = ReferenceLogits(reference);
    double sum = 0;
    for (std::size_t e = 0; e < kExamples; ++e) sum += values[e] * static_cast<double>(weights[e]);
    return sum;
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    INFO("row float " << i);
    CHECK(static_cast<double>(row_gradients[i]) ==
          Approx(Slope(rows, i, objective)).epsilon(1e-3).margin(1e-3));
  }
  for (const Tensor& tensor : layout.tensors()) {
    CAPTURE(tensor.name);
    for (std::size_t i = 0; i < tensor.size; ++i) {
      CAPTURE(i);
      CHECK(static_cast<double>(gradients[tensor.offset + i]) ==
            Approx(Slope(parameters, tensor.offset + i, objective)).epsilon(1e-3).margin(1e-3));
    }
  }
}

TEST_CASE("every model's logits and gradients are those of its formula", "[models][reference]") {
  const std::string name = GENERATE("lr", "fm", "wide_deep", "deepfm", "dcn_v2", "dlrm");
  const Filling filling = GENERATE(Filling::kSingle, Filling::kSeveral, Filling::kSeveralWeighted);
  const std::uint64_t seed = 11;
  CAPTURE(name, filling, seed);

  CheckAgainstReference(SmallSpec(name), filling, seed);
}

TEST_CASE("DCN-v2 with a linear part adds the rows' first-order weights", "[models][reference]") {
  ModelSpec spec = SmallSpec("dcn_v2");
  spec.linear = true;
  const Filling filling = GENERATE(Filling::kSingle, Filling::kSeveralWeighted);
  CAPTURE(filling);

  CHECK(RowDim(spec) == spec.dim + 1);
  CheckAgainstReference(spec, filling, 31);
}

TEST_CASE("every dimension with loops of its own gives the formula's gradients",
          "[models][reference]") {
  const std::string name = GENERATE("deepfm", "dcn_v2", "dlrm");
  const std::uint32_t dim = GENERATE(1U, 4U, 8U, 16U, 32U);
  CAPTURE(name, dim);
  ModelSpec spec = SmallSpec(name);
  spec.dim = dim;
  spec.bottom = {4, dim};
  spec.hidden = {5};

  CheckAgainstReference(spec, Filling::kSingle, 21);
}

TEST_CASE("dropout, batch norm, sums and vectors of numbers have the formula's gradients",
          "[models][reference]") {
  const std::string name = GENERATE("fm", "wide_deep", "deepfm", "dcn_v2", "dlrm");
  const int option = GENERATE(0, 1, 2, 3, 4, 5);
  CAPTURE(name, option);
  ModelSpec spec = SmallSpec(name);
  if (option == 0) spec.dropout = 0.4F;
  if (option == 1) spec.embedding_dropout = 0.3F;
  if (option == 2) spec.batch_norm = true;
  if (option == 3) spec.pooling = Pooling::kSum;
  if (option == 4) spec.numeric_embedding = true;
  if (option == 5) {
    spec.batch_norm = true;
    spec.dropout = 0.3F;
    spec.embedding_dropout = 0.2F;
    spec.numeric_embedding = true;
  }

  CheckAgainstReference(spec, Filling::kSeveralWeighted, 31);
}

TEST_CASE("models without numbers work, but for DLRM which needs some", "[models][reference]") {
  const std::string name = GENERATE("lr", "fm", "wide_deep", "deepfm", "dcn_v2");
  CAPTURE(name);
  ModelSpec spec = SmallSpec(name);
  spec.numeric_count = 0;
  spec.numeric_embedding = true;

  CheckAgainstReference(spec, Filling::kSeveral, 41);
}

}  // namespace
}  // namespace longtail::examples
