// The second-order term of a factorization machine, and its gradient.
//
//   logit += 0.5 * sum over d of ((sum over f of v_f[d])^2 - sum over f of v_f[d]^2)
//
// Fields are summed in their order, columns in theirs, as the trainers' own code does
// (fm_interaction.h of examples/common/nn).
//
// Source: Rendle, "Factorization machines", ICDM 2010, lemma 3.1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

/// Vectors that all examples share, each times a number of the example: numbers among the fields.
struct SharedVectors {
  const float* vectors = nullptr;  ///< [count, dim]
  const float* scales = nullptr;   ///< [examples, count]
  std::uint32_t count = 0;
};

/// Adds to the logits; keeps the sums over fields for the gradient.
struct PairSumsCall {
  const float* v = nullptr;  ///< [examples, v_stride], fields * dim of them read.
  float* sums = nullptr;     ///< [examples, dim]
  float* logits = nullptr;   ///< [examples]
  SharedVectors shared{};
  std::uint32_t examples = 0;
  std::uint32_t fields = 0;
  std::uint32_t dim = 0;
  std::uint32_t v_stride = 0;
};

/// What one column of one example gives.
struct ColumnSums {
  float sum;
  float squares;
};

LONGTAIL_HOST_DEVICE inline ColumnSums SumOverFields(const PairSumsCall& call,
                                                     std::uint32_t example, std::uint32_t column) {
  const float* v = call.v + std::size_t{example} * call.v_stride + column;
  ColumnSums of{0, 0};
  for (std::uint32_t f = 0; f < call.fields; ++f) {
    const float value = v[std::size_t{f} * call.dim];
    of.sum += value;
    of.squares += value * value;
  }
  const SharedVectors& shared = call.shared;
  LONGTAIL_UNROLL_4
  for (std::uint32_t i = 0; i < shared.count; ++i) {
    const float value = shared.scales[std::size_t{example} * shared.count + i] *
                        shared.vectors[std::size_t{i} * call.dim + column];
    of.sum += value;
    of.squares += value * value;
  }
  return of;
}

/// dv_f[d] += gradient * (sums[d] - v_f[d]).
struct PairGradientsCall {
  const float* v = nullptr;                ///< As above.
  const float* sums = nullptr;             ///< [examples, dim]
  const float* logit_gradients = nullptr;  ///< [examples]
  float* dv = nullptr;                     ///< [examples, dv_stride]
  std::uint32_t examples = 0;
  std::uint32_t fields = 0;
  std::uint32_t dim = 0;
  std::uint32_t v_stride = 0;
  std::uint32_t dv_stride = 0;
};

/// parts[p, i, d] = the sum over the examples of part p of the gradient by shared vector i, which
/// is gradient * scale * (sums[d] - scale * vector[d]); AddPartsCall adds the parts.
struct SharedGradientPartsCall {
  SharedVectors shared{};
  const float* sums = nullptr;             ///< [examples, dim]
  const float* logit_gradients = nullptr;  ///< [examples]
  float* parts = nullptr;                  ///< [PartCount, shared.count, dim]
  std::uint32_t examples = 0;
  std::uint32_t dim = 0;
  std::uint32_t part_rows = 512;

  LONGTAIL_HOST_DEVICE std::uint32_t PartCount() const { return (examples - 1) / part_rows + 1; }

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t item) const {
    const std::uint32_t in_part = shared.count * dim;
    const std::uint32_t part = item / in_part;
    const std::uint32_t place = item - part * in_part;
    const std::uint32_t i = place / dim;
    const std::uint32_t column = place - i * dim;
    const std::uint32_t begin = part * part_rows;
    const std::uint32_t rest = examples - begin;
    const std::uint32_t end = begin + (rest < part_rows ? rest : part_rows);
    const float vector = shared.vectors[place];
    float sum = 0;
    for (std::uint32_t e = begin; e < end; ++e) {
      const float scale = shared.scales[std::size_t{e} * shared.count + i];
      sum += logit_gradients[e] * scale * (sums[std::size_t{e} * dim + column] - scale * vector);
    }
    parts[item] = sum;
  }
};

template <typename Lane>
struct PairGradientsItem {
  PairGradientsCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t lanes = call.dim / kWidth<Lane>;
    const std::uint32_t in_example = call.fields * lanes;
    const std::uint32_t example = i / in_example;
    const std::uint32_t rest = i - example * in_example;
    const std::uint32_t column = rest % lanes * kWidth<Lane>;
    const Lane v = LaneAt<Lane>(call.v + std::size_t{example} * call.v_stride +
                                std::size_t{rest} * kWidth<Lane>);
    const Lane sum = LaneAt<Lane>(call.sums + std::size_t{example} * call.dim + column);
    Lane& dv = LaneAt<Lane>(call.dv + std::size_t{example} * call.dv_stride +
                            std::size_t{rest} * kWidth<Lane>);
    dv = dv + call.logit_gradients[example] * (sum - v);
  }
};

void Run(const PairSumsCall& call, Loops& loops);

template <typename Grid>
void Run(const SharedGradientPartsCall& call, Grid& grid) {
  if (call.examples > 0) grid.ForEach(call.PartCount() * call.shared.count * call.dim, call);
}
template <typename Grid>
void Run(const PairGradientsCall& call, Grid& grid) {
  const bool by_quads = call.dim % 4 == 0 && call.v_stride % 4 == 0 && call.dv_stride % 4 == 0 &&
                        IsQuadAligned(call.v) && IsQuadAligned(call.sums) && IsQuadAligned(call.dv);
  const std::uint32_t count = call.examples * call.fields * call.dim;
  if (by_quads) {
    grid.ForEach(count / 4, PairGradientsItem<Quad>{call});
  } else {
    grid.ForEach(count, PairGradientsItem<float>{call});
  }
}

}  // namespace longtail::device
