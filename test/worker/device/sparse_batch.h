// A batch of bags of keys for tests of the sparse kernels: one key a bag, or none to many with
// values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "worker/device/guarded_array.h"
#include "worker/device/kernels/bag.h"

namespace longtail::device {

enum class BagKind { kSingle, kMany, kWeighted };

struct SparseBatch {
  std::uint32_t examples = 0;
  std::uint32_t fields = 0;
  std::uint32_t unique = 0;
  GuardedArray<std::uint32_t> offsets;  ///< Empty with kSingle.
  GuardedArray<float> values;           ///< Empty but with kWeighted.
  GuardedArray<std::uint32_t> inverse;  ///< [keys]

  std::uint32_t key_count() const { return static_cast<std::uint32_t>(inverse.size()); }
  Bags bags() const {
    return {.offsets = offsets.size() == 0 ? nullptr : offsets.data(),
            .values = values.size() == 0 ? nullptr : values.data(),
            .examples = examples,
            .fields = fields};
  }
  std::uint32_t BagBegin(std::uint32_t bag) const {
    return offsets.size() == 0 ? bag : offsets[bag];
  }
  float Value(std::uint32_t key) const { return values.size() == 0 ? 1 : values[key]; }
};

/// Positions sorted by key, equal ones ascending, and where each key's begin: as DistinctKeys has
/// it.
struct Segments {
  GuardedArray<std::uint32_t> positions;
  GuardedArray<std::uint32_t> begins;
  GuardedArray<std::uint32_t> bags_of;
  GuardedArray<std::uint32_t> unique_count;
};

inline SparseBatch MakeSparseBatch(Rng& rng, BagKind kind, std::uint32_t examples,
                                   std::uint32_t fields, std::uint32_t unique) {
  SparseBatch batch{.examples = examples,
                    .fields = fields,
                    .unique = unique,
                    .offsets = {},
                    .values = {},
                    .inverse = {}};
  std::vector<std::uint32_t> offsets{0};
  for (std::uint32_t bag = 0; bag < examples * fields; ++bag) {
    offsets.push_back(offsets.back() +
                      static_cast<std::uint32_t>(kind == BagKind::kSingle ? 1 : rng.Below(5)));
  }
  std::vector<std::uint32_t> inverse(offsets.back());
  for (std::uint32_t& row : inverse) row = static_cast<std::uint32_t>(rng.Below(unique));
  batch.inverse = inverse;
  if (kind != BagKind::kSingle) batch.offsets = offsets;
  if (kind == BagKind::kWeighted) {
    std::vector<float> values(inverse.size());
    for (float& value : values) value = rng.Uniform(0.5F, 2);
    batch.values = values;
  }
  return batch;
}

inline Segments SegmentsOf(const SparseBatch& batch) {
  std::vector<std::uint32_t> positions;
  std::vector<std::uint32_t> begins;
  for (std::uint32_t row = 0; row < batch.unique; ++row) {
    begins.push_back(static_cast<std::uint32_t>(positions.size()));
    for (std::uint32_t key = 0; key < batch.key_count(); ++key) {
      if (batch.inverse[key] == row) positions.push_back(key);
    }
  }
  begins.push_back(static_cast<std::uint32_t>(positions.size()));
  std::vector<std::uint32_t> bags_of(batch.key_count());
  for (std::uint32_t bag = 0; bag < batch.examples * batch.fields; ++bag) {
    for (std::uint32_t key = batch.BagBegin(bag); key < batch.BagBegin(bag + 1); ++key) {
      bags_of[key] = bag;
    }
  }
  return {.positions = positions,
          .begins = begins,
          .bags_of = bags_of,
          .unique_count = std::vector<std::uint32_t>{batch.unique}};
}

}  // namespace longtail::device
