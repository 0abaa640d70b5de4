#include "worker/device/kernels/pool.h"

#include "worker/device/every_grid.h"
#include "worker/device/sparse_batch.h"

namespace longtail::device {
namespace {

// As the trainers' FieldGather has it, bag by bag.
std::vector<float> WantPooled(const SparseBatch& batch, Pooling pooling, const PoolCall& call) {
  std::vector<float> pooled(std::size_t{batch.examples} * call.pooled_stride, 0.25F);
  for (std::uint32_t bag = 0; bag < batch.examples * batch.fields; ++bag) {
    const std::uint32_t begin = batch.BagBegin(bag);
    const std::uint32_t end = batch.BagBegin(bag + 1);
    for (std::uint32_t d = 0; d < call.dim; ++d) {
      float sum = 0;
      for (std::uint32_t key = begin; key < end; ++key) {
        const float share = pooling == Pooling::kMean ? 1 / static_cast<float>(end - begin) : 1;
        sum += batch.Value(key) * share *
               call.rows[std::size_t{batch.inverse[key]} * call.row_stride + d];
      }
      const std::size_t row = bag / batch.fields * std::size_t{call.pooled_stride};
      pooled[row + bag % batch.fields * call.dim + d] = sum;
    }
  }
  return pooled;
}

void CheckPool(Rng& rng, const SparseBatch& batch, std::uint32_t dim, Pooling pooling) {
  // Rows of which a first column is not pooled, and results with room for numbers behind them.
  const std::uint32_t skip = rng.Below(2) == 0 ? 0 : 1;
  const auto spare = static_cast<std::uint32_t>(rng.Below(2) * 3);
  const GuardedArray<float> rows(TestFloats(rng, std::size_t{batch.unique} * (dim + skip)));
  PoolCall call{.rows = rows.data() + skip,
                .inverse = batch.inverse.data(),
                .bags = batch.bags(),
                .pooled = nullptr,
                .row_stride = dim + skip,
                .pooled_stride = batch.fields * dim + spare,
                .dim = dim,
                .pooling = pooling};
  const std::size_t size = std::size_t{batch.examples} * call.pooled_stride;

  const auto pooled = OnEveryGrid([&](auto& grid) {
    const GuardedArray<float> to(std::vector<float>(size, 0.25F));
    PoolCall on = call;
    on.pooled = to.data();
    Run(on, grid);
    return to.values();
  });

  const bool is_right = pooled == WantPooled(batch, pooling, call);
  CHECK(is_right);
}

TEST_CASE("rows of any width are pooled as bags say, to the bit", "[device][pool]") {
  const BagKind kind = GENERATE(BagKind::kSingle, BagKind::kMany, BagKind::kWeighted);
  const Pooling pooling = GENERATE(Pooling::kSum, Pooling::kMean);
  CAPTURE(kind, pooling);
  for (const std::uint32_t dim : TestDims()) {
    CAPTURE(dim);
    Rng rng(dim);
    CheckPool(rng, MakeSparseBatch(rng, kind, 3, 2, 4), dim, pooling);
  }
}

TEST_CASE("shapes of any kind are pooled, none and one among them", "[device][pool]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, kIsSlow ? 3 : 15));
  CAPTURE(seed);
  Rng rng(seed);
  const auto examples = static_cast<std::uint32_t>(seed == 0 ? 0 : rng.Below(kIsSlow ? 5 : 40));
  const auto fields = static_cast<std::uint32_t>(1 + rng.Below(5));
  const BagKind kind = rng.Below(2) == 0 ? BagKind::kSingle : BagKind::kWeighted;
  const auto unique = static_cast<std::uint32_t>(1 + rng.Below(seed % 2 == 0 ? 3 : 200));
  const auto dim = static_cast<std::uint32_t>(rng.Below(2) == 0 ? 16 : 1 + rng.Below(20));

  CheckPool(rng, MakeSparseBatch(rng, kind, examples, fields, unique), dim, Pooling::kMean);
}

TEST_CASE("linear weights of an example are added to what is there", "[device][pool]") {
  const BagKind kind = GENERATE(BagKind::kSingle, BagKind::kMany, BagKind::kWeighted);
  Rng rng(3);
  const SparseBatch batch = MakeSparseBatch(rng, kind, 37, 3, 9);
  const GuardedArray<float> rows(TestFloats(rng, std::size_t{batch.unique} * 5));
  const std::vector<float> bias = TestFloats(rng, batch.examples);

  const auto linear = OnEveryGrid([&](auto& grid) {
    const GuardedArray<float> to(bias);
    Run(PoolLinearCall{.rows = rows.data(),
                       .inverse = batch.inverse.data(),
                       .bags = batch.bags(),
                       .linear = to.data(),
                       .row_stride = 5},
        grid);
    return to.values();
  });

  for (std::uint32_t e = 0; e < batch.examples; ++e) {
    float sum = 0;
    for (std::uint32_t key = batch.BagBegin(e * 3); key < batch.BagBegin(e * 3 + 3); ++key) {
      sum += batch.Value(key) * rows[std::size_t{batch.inverse[key]} * 5];
    }
    CHECK(linear[e] == bias[e] + sum);
  }
}

}  // namespace
}  // namespace longtail::device
