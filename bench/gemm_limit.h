// What a BLAS alone would allow: the matrix products of a model's training step and nothing else.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "examples/common/nn/gemm.h"
#include "examples/common/nn/matrix.h"
#include "examples/ctr/models/model_spec.h"

namespace longtail::bench {

/// The products of a step of `batch` examples: for each layer the forward one, the one of its
/// weights' gradients, and that of its input's gradients where somebody wants them. The last layer,
/// of width 1, is no product of matrices and is left out.
///
/// Thread: one at a time.
class GemmLimit {
 public:
  GemmLimit(const examples::ModelSpec& spec, std::size_t batch);

  /// Multiplies for about `seconds`, in turn on blocks of examples as the trainer does and on whole
  /// batches as PyTorch does.
  void Measure(double seconds);

  /// Samples a second of the better way, over all calls of Measure.
  double samples_per_second() const;

  /// Floating-point operations of a sample.
  double flops_per_sample() const { return flops_per_sample_; }

 private:
  struct Layer {
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    bool wants_input_gradients = true;
  };
  struct Way {
    std::size_t rows = 0;  // Examples of one product.
    double seconds = 0;
    std::size_t samples = 0;
  };

  void Step(Way& way);

  std::size_t batch_;
  std::unique_ptr<examples::Gemm> gemm_;
  std::vector<Layer> layers_;
  std::vector<Way> ways_;
  double flops_per_sample_ = 0;
  std::vector<examples::MatrixBuffer> activations_;  // Of each layer's input and the last output.
  std::vector<examples::MatrixBuffer> gradients_;    // Of the same.
  std::vector<examples::MatrixBuffer> weights_;
  std::vector<examples::MatrixBuffer> weight_gradients_;
};

}  // namespace longtail::bench
