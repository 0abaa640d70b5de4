// The models again, in double precision and as slow and obvious as the formulas: what the fast
// ones are checked against, and what finite differences are taken of.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "examples/common/nn/parameters.h"
#include "examples/common/nn/step_context.h"
#include "examples/ctr/models/model_spec.h"
#include "examples/ctr/models/sparse_input.h"

namespace longtail::examples {

/// What a reference forward pass reads.
struct ReferenceInput {
  const ModelSpec& spec;
  const ParameterLayout& layout;
  const std::vector<double>& parameters;  ///< [layout.size()].
  const std::vector<double>& rows;        ///< [unique, RowDim(spec)].
  const Batch& batch;
  std::span<const std::uint32_t> inverse;
  StepContext context;  ///< training: batch norm by the batch's statistics, dropout on.
};

/// The logits of the batch, [batch.size].
std::vector<double> ReferenceLogits(const ReferenceInput& input);

}  // namespace longtail::examples
