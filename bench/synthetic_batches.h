// Batches in the shape of Criteo's, made beforehand: the same law as torch_ctr.py draws from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/common/data/batch.h"
#include "examples/common/data/feature_layout.h"

namespace longtail::bench {

inline constexpr std::uint32_t kFields = 26;
inline constexpr std::uint32_t kNumbers = 13;

/// What the batches are drawn from.
struct BatchLaw {
  std::uint64_t ids_per_field = 400'000;
  double zipf_exponent = 1.05;
  std::uint64_t seed = 7;
};

/// The key of an id in a field: popular ids lie apart.
constexpr Key KeyOfRank(const BatchLaw& law, std::uint32_t field, std::uint64_t rank) {
  return rank * 2654435761U % law.ids_per_field + field * law.ids_per_field;
}

/// Numbers I1..I13 and fields C1..C26.
examples::FeatureLayout CriteoLayout();

/// `count` batches of `size` examples: ids by Zipf's law, uniform numbers, a quarter of labels 1.
std::vector<examples::Batch> MakeBatches(const BatchLaw& law, std::size_t count, std::size_t size);

}  // namespace longtail::bench
