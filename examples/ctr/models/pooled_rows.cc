#include "examples/ctr/models/pooled_rows.h"

#include <cstddef>

#include "examples/ctr/models/field_gather.h"

namespace longtail::examples {
namespace {

// Whole rows, as if each were an embedding.
void GatherRows(const ModelSpec& spec, Pooling pooling, const SparseInput& input,
                std::vector<float>& rows) {
  const std::size_t columns = std::size_t{spec.field_count} * RowDim(spec);
  rows.resize(input.batch->size * columns);
  const FieldGather gather({.field_count = spec.field_count,
                            .dim = RowDim(spec),
                            .has_linear = false,
                            .pooling = pooling});
  gather.Gather(input, IsSingleValued(*input.batch), {0, input.batch->size},
                Matrix{rows.data(), input.batch->size, columns, columns}, nullptr);
}

}  // namespace

void PoolRows(const ModelSpec& spec, const SparseInput& input, std::vector<float>& pooled) {
  GatherRows(spec, spec.pooling, input, pooled);
  if (!HasLinear(spec) || spec.pooling == Pooling::kSum) return;
  std::vector<float> sums;
  GatherRows(spec, Pooling::kSum, input, sums);
  for (std::size_t at = 0; at < pooled.size(); at += RowDim(spec)) pooled[at] = sums[at];
}

}  // namespace longtail::examples
