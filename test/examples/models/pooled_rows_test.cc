#include "examples/ctr/models/pooled_rows.h"

#include <catch2/catch.hpp>

#include "examples/models/model_work.h"

namespace longtail::examples {
namespace {

TEST_CASE("pooled rows are the sums and means of their keys' rows", "[models][pooled_rows]") {
  ModelSpec spec = SmallSpec(GENERATE(as<std::string>(), "lr", "deepfm", "dlrm"));
  spec.pooling = GENERATE(Pooling::kMean, Pooling::kSum);
  const Filling filling = GENERATE(Filling::kSingle, Filling::kSeveral, Filling::kSeveralWeighted);
  const ModelWork work = MakeModelWork(spec, 20, filling, 5);
  std::vector<float> pooled(3, 7.0F);

  PoolRows(spec, work.input(), pooled);

  const std::size_t row_dim = RowDim(spec);
  REQUIRE(pooled.size() == 20 * spec.field_count * row_dim);
  for (std::size_t place = 0; place < 20 * spec.field_count; ++place) {
    const std::size_t begin = work.batch.offsets[place];
    const std::size_t end = work.batch.offsets[place + 1];
    for (std::size_t column = 0; column < row_dim; ++column) {
      double sum = 0;
      for (std::size_t key = begin; key < end; ++key) {
        const float value = work.batch.values.empty() ? 1 : work.batch.values[key];
        sum += static_cast<double>(value * work.rows[work.inverse[key] * row_dim + column]);
      }
      const bool is_linear = HasLinear(spec) && column == 0;
      if (end > begin && spec.pooling == Pooling::kMean && !is_linear) {
        sum /= static_cast<double>(end - begin);
      }
      CHECK(static_cast<double>(pooled[place * row_dim + column]) == Approx(sum).margin(1e-6));
    }
  }
}

}  // namespace
}  // namespace longtail::examples
