#include "model_work.h"

#include <catch2/catch.hpp>

#include "examples/common/nn/counter_random.h"

namespace longtail::examples {
namespace {

constexpr std::uint32_t kRowCount = 11;

/// Uniform numbers of a seed.
struct Draws {
  std::uint64_t seed;
  std::uint64_t count = 0;

  float Between(float low, float high) {
    return low + (high - low) * UnitUniform(StreamKey(seed, count++));
  }
  std::uint32_t Below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(StreamKey(seed, count++) % bound);
  }
};

}  // namespace

ModelWork MakeModelWork(const ModelSpec& spec, std::size_t size, Filling filling,
                        std::uint64_t seed) {
  Draws draws{seed};
  ModelWork work;
  work.batch.size = size;
  work.batch.field_count = spec.field_count;
  work.batch.numeric_count = spec.numeric_count;
  for (std::size_t e = 0; e < size; ++e) {
    work.batch.labels.push_back(draws.Below(2) == 0 ? 0.0F : 1.0F);
    for (std::uint32_t n = 0; n < spec.numeric_count; ++n) {
      work.batch.numeric.push_back(draws.Between(-1, 1.5F));
    }
    for (std::uint32_t f = 0; f < spec.field_count; ++f) {
      work.batch.offsets.push_back(static_cast<std::uint32_t>(work.batch.keys.size()));
      const std::uint32_t count = filling == Filling::kSingle ? 1 : draws.Below(4);
      for (std::uint32_t k = 0; k < count; ++k) {
        work.inverse.push_back(draws.Below(kRowCount));
        work.batch.keys.push_back(100 + work.inverse.back());
        if (filling != Filling::kSeveralWeighted) continue;
        work.batch.values.push_back(draws.Between(0.5F, 2));
      }
    }
  }
  work.batch.offsets.push_back(static_cast<std::uint32_t>(work.batch.keys.size()));
  for (std::uint32_t i = 0; i < kRowCount * RowDim(spec); ++i) {
    work.rows.push_back(draws.Between(-0.7F, 0.8F));
  }
  return work;
}

ModelWork Part(const ModelWork& whole, std::size_t begin, std::size_t count) {
  const Batch& from = whole.batch;
  ModelWork part;
  part.rows = whole.rows;
  part.batch.size = count;
  part.batch.field_count = from.field_count;
  part.batch.numeric_count = from.numeric_count;
  for (std::size_t i = 0; i < count; ++i) part.batch.labels.push_back(from.labels[begin + i]);
  for (std::size_t i = 0; i < count * from.numeric_count; ++i) {
    part.batch.numeric.push_back(from.numeric[begin * from.numeric_count + i]);
  }
  const std::uint32_t first_key = from.offsets[begin * from.field_count];
  for (std::size_t i = 0; i <= count * from.field_count; ++i) {
    part.batch.offsets.push_back(from.offsets[begin * from.field_count + i] - first_key);
  }
  for (std::size_t k = 0; k < part.batch.offsets.back(); ++k) {
    part.batch.keys.push_back(from.keys[first_key + k]);
    part.inverse.push_back(whole.inverse[first_key + k]);
    if (!from.values.empty()) part.batch.values.push_back(from.values[first_key + k]);
  }
  return part;
}

ModelSpec SmallSpec(const std::string& name) {
  ModelSpec spec;
  spec.name = name;
  spec.field_count = 3;
  spec.numeric_count = 2;
  spec.dim = 5;
  spec.hidden = {7, 6};
  spec.bottom = {9, 5};
  spec.cross_layers = 2;
  spec.batch_max = 64;
  return spec;
}

ModelParameters MakeDenseParameters(const ModelSpec& spec, std::uint64_t seed) {
  auto made = MakeModelParameters(spec, seed);
  REQUIRE(made.ok());
  Draws draws{seed};
  for (const Tensor& tensor : made->trained.layout().tensors()) {
    for (float& value : made->trained.values().subspan(tensor.offset, tensor.size)) {
      value += draws.Between(-0.3F, 0.4F);
    }
  }
  return *std::move(made);
}

std::unique_ptr<Model> MakeTestModel(const ModelSpec& spec, const ModelParameters& parameters) {
  static const std::unique_ptr<Gemm> gemm = MakeOpenBlasGemm();
  auto model = MakeModel(spec, parameters, *gemm);
  CAPTURE(model.status().ToString());
  REQUIRE(model.ok());
  return *std::move(model);
}

}  // namespace longtail::examples
