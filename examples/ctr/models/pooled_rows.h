// The rows of a batch as a dense model takes them from elsewhere: one a field of an example.
#pragma once

#include <vector>

#include "examples/ctr/models/model_spec.h"
#include "examples/ctr/models/sparse_input.h"

namespace longtail::examples {

/// Pools the rows of each field's keys as FieldGather does: a linear weight in column 0 is the sum
/// over the keys, the other columns are their mean or sum.
///
/// Shapes: pooled [batch.size, field_count, RowDim(spec)], resized.
void PoolRows(const ModelSpec& spec, const SparseInput& input, std::vector<float>& pooled);

}  // namespace longtail::examples
