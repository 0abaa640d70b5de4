#include "examples/ctr/models/field_gather.h"

#include <algorithm>

#include "examples/common/nn/fixed_dim.h"

namespace longtail::examples {
namespace {

// Keys ahead whose rows are asked for while the current one is handled.
constexpr std::size_t kPrefetchDistance = 12;

/// What the loops over one block need; kDim 0 means `dim` counts.
struct Pass {
  const SparseInput& input;
  std::size_t field_count;
  std::size_t dim;
  bool has_linear;
  Pooling pooling;
  RowBlock block;
  const std::uint32_t* inverse;
  std::size_t key_count;
};

void PrefetchRow(const Pass& pass, const float* rows, std::size_t row_dim, std::size_t key) {
  const std::size_t ahead = std::min(key + kPrefetchDistance, pass.key_count - 1);
  const float* row = rows + pass.inverse[ahead] * row_dim;
  __builtin_prefetch(row);
  __builtin_prefetch(row + row_dim - 1);
}

template <std::size_t kDim, bool kLinear>
void GatherSingle(const Pass& pass, Matrix embeddings, float* linear) {
  const std::size_t dim = kDim == 0 ? pass.dim : kDim;
  const std::size_t row_dim = dim + (kLinear ? 1 : 0);
  const float* rows = pass.input.rows.data();
  for (std::size_t i = 0; i < pass.block.count; ++i) {
    const std::size_t first = (pass.block.begin + i) * pass.field_count;
    float* __restrict target = embeddings.row(i);
    float sum = 0;
    for (std::size_t f = 0; f < pass.field_count; ++f) {
      PrefetchRow(pass, rows, row_dim, first + f);
      const float* __restrict row = rows + pass.inverse[first + f] * row_dim;
      if (kLinear) sum += *row++;
      for (std::size_t d = 0; d < dim; ++d) target[f * dim + d] = row[d];
    }
    if (kLinear) linear[i] += sum;
  }
}

template <std::size_t kDim, bool kLinear>
void ScatterSingle(const Pass& pass, ConstMatrix gradients, const float* linear_gradients,
                   float* row_gradients) {
  const std::size_t dim = kDim == 0 ? pass.dim : kDim;
  const std::size_t row_dim = dim + (kLinear ? 1 : 0);
  for (std::size_t i = 0; i < pass.block.count; ++i) {
    const std::size_t first = (pass.block.begin + i) * pass.field_count;
    const float* __restrict source = gradients.row(i);
    for (std::size_t f = 0; f < pass.field_count; ++f) {
      PrefetchRow(pass, row_gradients, row_dim, first + f);
      float* __restrict row = row_gradients + pass.inverse[first + f] * row_dim;
      if (kLinear) *row++ += linear_gradients[i];
      for (std::size_t d = 0; d < dim; ++d) row[d] += source[f * dim + d];
    }
  }
}

float Share(Pooling pooling, std::size_t key_count) {
  return pooling == Pooling::kMean ? 1 / static_cast<float>(key_count) : 1;
}

/// Calls f(place of the field in the block's row, key, value, value * share) for each key.
template <typename KeyFunction>
void ForEachKey(const Pass& pass, std::size_t i, KeyFunction&& f) {
  const Batch& batch = *pass.input.batch;
  const std::uint32_t* offsets = batch.offsets.data() + (pass.block.begin + i) * pass.field_count;
  for (std::size_t field = 0; field < pass.field_count; ++field) {
    const std::size_t begin = offsets[field];
    const std::size_t end = offsets[field + 1];
    if (begin == end) continue;
    const float share = Share(pass.pooling, end - begin);
    for (std::size_t key = begin; key < end; ++key) {
      const float value = batch.values.empty() ? 1 : batch.values[key];
      f(field * pass.dim, key, value, value * share);
    }
  }
}

void GatherAny(const Pass& pass, Matrix embeddings, float* linear) {
  const std::size_t skip = pass.has_linear ? 1 : 0;
  const std::size_t row_dim = pass.dim + skip;
  const float* rows = pass.input.rows.data();
  for (std::size_t i = 0; i < pass.block.count; ++i) {
    float* __restrict target = embeddings.row(i);
    std::fill_n(target, pass.field_count * pass.dim, 0.0F);
    float sum = 0;
    ForEachKey(pass, i, [&](std::size_t place, std::size_t key, float value, float weight) {
      PrefetchRow(pass, rows, row_dim, key);
      const float* __restrict row = rows + pass.inverse[key] * row_dim;
      if (pass.has_linear) sum += value * row[0];
      for (std::size_t d = 0; d < pass.dim; ++d) target[place + d] += weight * row[skip + d];
    });
    if (pass.has_linear) linear[i] += sum;
  }
}

void ScatterAny(const Pass& pass, ConstMatrix gradients, const float* linear_gradients,
                float* row_gradients) {
  const std::size_t skip = pass.has_linear ? 1 : 0;
  const std::size_t row_dim = pass.dim + skip;
  for (std::size_t i = 0; i < pass.block.count; ++i) {
    const float* __restrict source = gradients.row(i);
    ForEachKey(pass, i, [&](std::size_t place, std::size_t key, float value, float weight) {
      PrefetchRow(pass, row_gradients, row_dim, key);
      float* __restrict row = row_gradients + pass.inverse[key] * row_dim;
      if (pass.has_linear) row[0] += value * linear_gradients[i];
      for (std::size_t d = 0; d < pass.dim; ++d) row[skip + d] += weight * source[place + d];
    });
  }
}

Pass MakePass(const FieldGatherSpec& spec, const SparseInput& input, RowBlock block) {
  return {.input = input,
          .field_count = spec.field_count,
          .dim = spec.dim,
          .has_linear = spec.has_linear,
          .pooling = spec.pooling,
          .block = block,
          .inverse = input.inverse.data(),
          .key_count = input.inverse.size()};
}

}  // namespace

bool IsSingleValued(const Batch& batch) {
  if (!batch.values.empty() || batch.keys.size() + 1 != batch.offsets.size()) return false;
  // No early exit, so that the loop vectorises.
  std::uint32_t difference = 0;
  for (std::size_t i = 0; i < batch.offsets.size(); ++i) {
    difference |= batch.offsets[i] ^ static_cast<std::uint32_t>(i);
  }
  return difference == 0;
}

void FieldGather::Gather(const SparseInput& input, bool single_valued, RowBlock block,
                         Matrix embeddings, float* linear) const {
  const Pass pass = MakePass(spec_, input, block);
  if (!single_valued) return GatherAny(pass, embeddings, linear);
  WithFixedDim(spec_.dim, [&](auto fixed) {
    constexpr std::size_t kDim = decltype(fixed)::value;
    if (spec_.has_linear) {
      GatherSingle<kDim, true>(pass, embeddings, linear);
    } else {
      GatherSingle<kDim, false>(pass, embeddings, linear);
    }
  });
}

void FieldGather::Scatter(const SparseInput& input, bool single_valued, RowBlock block,
                          ConstMatrix embedding_gradients, const float* linear_gradients,
                          std::span<float> row_gradients) const {
  const Pass pass = MakePass(spec_, input, block);
  float* rows = row_gradients.data();
  if (!single_valued) return ScatterAny(pass, embedding_gradients, linear_gradients, rows);
  WithFixedDim(spec_.dim, [&](auto fixed) {
    constexpr std::size_t kDim = decltype(fixed)::value;
    if (spec_.has_linear) {
      ScatterSingle<kDim, true>(pass, embedding_gradients, linear_gradients, rows);
    } else {
      ScatterSingle<kDim, false>(pass, embedding_gradients, linear_gradients, rows);
    }
  });
}

}  // namespace longtail::examples
