// Moves pulled rows into a model's input, and gradients back into rows.
//
// A row is joined: column 0 is the linear weight where the model has one, the other `dim` columns
// are the embedding. A field of an example with n keys becomes
//
//   linear    = sum over keys of value * row[0]
//   embedding = sum over keys of value * row[1..], divided by n with Pooling::kMean
//
// where value is 1 if the batch has none. The linear part is a sum in both poolings: that is what
// logistic regression means by it. A field without a key gives zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "examples/common/nn/matrix.h"
#include "examples/common/nn/row_block.h"
#include "examples/ctr/models/sparse_input.h"

namespace longtail::examples {

/// How the embeddings of one field's keys become one vector.
enum class Pooling : std::uint8_t { kMean, kSum };

struct FieldGatherSpec {
  std::size_t field_count = 0;
  std::size_t dim = 0;      ///< Of the embedding; 0: rows are linear weights alone.
  bool has_linear = false;  ///< Whether column 0 is a linear weight.
  Pooling pooling = Pooling::kMean;
};

/// Whether every field of every example has exactly one key and no value: then a key's place says
/// its example and field, and neither offsets nor values are read.
bool IsSingleValued(const Batch& batch);

/// Thread: const; calls may overlap.
class FieldGather {
 public:
  explicit FieldGather(const FieldGatherSpec& spec) : spec_(spec) {}

  std::size_t row_dim() const { return spec_.dim + (spec_.has_linear ? 1 : 0); }

  /// Writes the embeddings of a block of examples and adds their linear sums to `linear`, in one
  /// pass over the keys.
  ///
  /// Shapes: embeddings [block.count, field_count * dim]; linear [block.count], or null without a
  ///         linear part. `single_valued` is IsSingleValued(*input.batch).
  void Gather(const SparseInput& input, bool single_valued, RowBlock block, Matrix embeddings,
              float* linear) const;

  /// Adds the gradients of a block of examples to the rows, key by key in order of occurrence.
  ///
  /// Shapes: as in Gather; row_gradients [unique, row_dim].
  void Scatter(const SparseInput& input, bool single_valued, RowBlock block,
               ConstMatrix embedding_gradients, const float* linear_gradients,
               std::span<float> row_gradients) const;

 private:
  FieldGatherSpec spec_;
};

}  // namespace longtail::examples
