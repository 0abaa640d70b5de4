// A click-through model: forward, backward and the layout of its dense parameters.
//
// A model is one replica: it owns activations, reads shared parameters, and writes gradients where
// it is told. Several replicas, one a thread, may share one ModelParameters while none writes it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/nn/gemm.h"
#include "examples/common/nn/mlp.h"
#include "examples/common/nn/parameters.h"
#include "examples/common/nn/row_block.h"
#include "examples/common/nn/step_context.h"
#include "examples/ctr/models/field_gather.h"
#include "examples/ctr/models/model_spec.h"
#include "examples/ctr/models/sparse_input.h"

namespace longtail::examples {

/// Rows of a block that goes through all layers before the next one begins.
inline constexpr std::size_t kBlockRows = 512;

/// The dense half of a model: what is trained, and the running statistics of batch norm, which are
/// not. A checkpoint keeps both.
struct ModelParameters {
  Parameters trained;
  Parameters state;
};

/// Thread: one thread at a time.
/// Cost:   Forward and Backward allocate nothing. Results depend on nothing but the arguments,
///         the parameters and the Gemm.
class Model {
 public:
  virtual ~Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  /// Computes the logits of a micro-batch.
  ///
  /// Shapes: logits [batch.size].
  /// Errors: InvalidArgument if the batch is larger than batch_max, or its shapes or the spans'
  ///         are not those of the spec. The values of offsets and inverse are trusted.
  absl::Status Forward(const SparseInput& input, const StepContext& context,
                       std::span<float> logits);

  /// Computes the gradients of sum(logit_gradients * logits) at the last Forward, whose input and
  /// parameters must be as they were. Both results are overwritten.
  ///
  /// Shapes: logit_gradients [batch.size]; row_gradients [unique, row_dim], summed over the keys of
  ///         a row in order of occurrence; parameter_gradients [layout().size()].
  /// Errors: FailedPrecondition without a Forward in training before it; InvalidArgument if a
  ///         shape is wrong.
  absl::Status Backward(std::span<const float> logit_gradients, std::span<float> row_gradients,
                        std::span<float> parameter_gradients);

  const ModelSpec& spec() const { return spec_; }
  std::size_t row_dim() const { return gather_.row_dim(); }
  bool has_linear() const { return HasLinear(spec_); }
  const ParameterLayout& layout() const { return layout_; }
  const ParameterLayout& state_layout() const { return state_layout_; }

  /// Batch-norm statistics of the last Forward in training, [state_layout().size()]; the trainer
  /// mixes them into ModelParameters::state by MixRunningStatistics, in the order of micro-batches.
  std::span<const float> state_update() const { return state_update_.span(); }

 protected:
  /// Declares tensors in layout_ and state_layout_ and sizes buffers by spec.batch_max.
  explicit Model(const ModelSpec& spec);

  /// Adds the block's logits to `logits` [block.count], which begin at zero.
  virtual void ForwardBlock(RowBlock block, float* logits) = 0;

  /// Adds the block's gradients. Shapes: logit_gradients [block.count].
  virtual void BackwardBlock(RowBlock block, const float* logit_gradients,
                             std::span<float> row_gradients, float* gradients) = 0;

  /// Rows of a block: the whole micro-batch with batch norm, which needs them all.
  std::size_t block_rows() const { return spec_.batch_norm ? spec_.batch_max : kBlockRows; }

  MlpSpec HiddenSpec(const std::string& name, std::size_t inputs) const;
  MlpForwardState MlpState();
  ConstMatrix NumericRows(RowBlock block) const;
  const float* parameters() const { return shared_->trained.values().data(); }
  const Gemm& gemm() const { return *gemm_; }
  const SparseInput& input() const { return input_; }
  const StepContext& context() const { return context_; }
  bool single_valued() const { return single_valued_; }
  const FieldGather& gather() const { return gather_; }

  ParameterLayout layout_;
  ParameterLayout state_layout_;

 private:
  friend absl::StatusOr<ModelParameters> MakeModelParameters(const ModelSpec& spec,
                                                             std::uint64_t seed);
  friend absl::StatusOr<std::unique_ptr<Model>> MakeModel(const ModelSpec& spec,
                                                          const ModelParameters& shared,
                                                          const Gemm& gemm);
  absl::Status CheckInput(const SparseInput& input, std::span<const float> logits) const;

  ModelSpec spec_;
  FieldGather gather_;
  AlignedBuffer state_update_;
  const ModelParameters* shared_ = nullptr;
  const Gemm* gemm_ = nullptr;
  SparseInput input_;
  StepContext context_;
  bool single_valued_ = false;
  bool can_go_back_ = false;
};

/// Makes the dense parameters of a model with their initial values, a function of spec and seed.
///
/// Errors: as Validate(spec).
absl::StatusOr<ModelParameters> MakeModelParameters(const ModelSpec& spec, std::uint64_t seed);

/// Makes a replica. `shared` and `gemm` must outlive it.
///
/// Errors: as Validate(spec); InvalidArgument if `shared` is not laid out as the spec wants.
absl::StatusOr<std::unique_ptr<Model>> MakeModel(const ModelSpec& spec,
                                                 const ModelParameters& shared, const Gemm& gemm);

}  // namespace longtail::examples
