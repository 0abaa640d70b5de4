#include "bench/synthetic_batches.h"

#include <string>

#include "examples/common/data/counter_random.h"
#include "examples/common/data/zipf.h"

namespace longtail::bench {

examples::FeatureLayout CriteoLayout() {
  examples::FeatureLayout layout;
  for (std::uint32_t i = 1; i <= kNumbers; ++i) {
    layout.numeric_names.push_back("I" + std::to_string(i));
  }
  for (std::uint32_t i = 1; i <= kFields; ++i) {
    layout.field_names.push_back("C" + std::to_string(i));
  }
  return layout;
}

std::vector<examples::Batch> MakeBatches(const BatchLaw& law, std::size_t count, std::size_t size) {
  const examples::ZipfSampler zipf(law.ids_per_field, law.zipf_exponent);
  std::vector<examples::Batch> batches(count);
  std::uint64_t example = 0;
  for (examples::Batch& batch : batches) {
    batch.size = size;
    batch.numeric_count = kNumbers;
    batch.field_count = kFields;
    for (std::size_t i = 0; i < size; ++i, ++example) {
      const std::uint64_t stream = examples::RandomStream(law.seed, example);
      std::uint64_t counter = 0;
      const auto uniform = [&] {
        return examples::UnitOf(examples::RandomBits(stream, counter++));
      };
      batch.labels.push_back(uniform() < 0.25 ? 1.0F : 0.0F);
      for (std::uint32_t j = 0; j < kNumbers; ++j) {
        batch.numeric.push_back(static_cast<float>(uniform()));
      }
      for (std::uint32_t f = 0; f < kFields; ++f) {
        const std::uint64_t rank = zipf.Draw(examples::RandomStream(stream, f)) - 1;
        batch.offsets.push_back(static_cast<std::uint32_t>(batch.keys.size()));
        batch.keys.push_back(KeyOfRank(law, f, rank));
      }
    }
    batch.offsets.push_back(static_cast<std::uint32_t>(batch.keys.size()));
  }
  return batches;
}

}  // namespace longtail::bench
