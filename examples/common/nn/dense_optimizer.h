// Moves the dense parameters of a model: SGD, Adagrad or Adam over slices of the flat buffers.
//
// Slices of one step may be moved by different threads; no result depends on how the buffer is cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/dense_step.h"
#include "examples/common/nn/aligned_buffer.h"
#include "examples/common/nn/parameters.h"

namespace longtail::examples {

struct DenseSgd {
  float learning_rate = 0.01F;
  float momentum = 0;  ///< 0..1, below 1; 0 keeps no state.
};

struct DenseAdagrad {
  float learning_rate = 0.01F;
  float initial_sum = 0.1F;  ///< The sum of squares each weight starts from.
  float epsilon = 1e-8F;
};

struct DenseAdam {
  float learning_rate = 1e-3F;
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float epsilon = 1e-8F;
};

struct DenseOptimizerSpec {
  std::variant<DenseSgd, DenseAdagrad, DenseAdam> rule = DenseAdam{};
  float weight_decay = 0;   ///< L2: adds weight_decay * weight to the gradient of decayed tensors.
  float gradient_clip = 0;  ///< Gradients are cut to +-clip before decay is added; 0: not at all.
};

// The rules themselves, one weight at a time.
using dense::AdagradStep;
using dense::AdamConstants;
using dense::AdamStep;
using dense::SgdMomentumStep;
using dense::SgdStep;

/// Checks ranges of rates, decay and clip.
///
/// Errors: InvalidArgument, naming the field, its value and the range wanted.
absl::Status Validate(const DenseOptimizerSpec& spec);

/// Adam's constants for a step, counted from 1, with its learning rate times the factor.
AdamConstants AdamConstantsAt(const DenseAdam& spec, std::uint64_t step, float factor);

/// A range of a flat buffer, in floats.
struct Slice {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// An optimizer with the state of every weight of one layout.
///
/// Thread: BeginStep from one thread; then Update from any, on slices that do not overlap.
class DenseOptimizer {
 public:
  /// Errors: as Validate.
  static absl::StatusOr<std::unique_ptr<DenseOptimizer>> Make(const DenseOptimizerSpec& spec,
                                                              const ParameterLayout& layout);

  /// Begins the next step, whose learning rate is the spec's times the factor (a schedule's).
  void BeginStep(float learning_rate_factor);

  /// Moves the weights of a slice. Every float of the buffer belongs in one slice of a step.
  ///
  /// Shapes: weights and gradients, the whole flat buffers [layout.size()]; no two overlap.
  void Update(Slice slice, std::span<const float> gradients, std::span<float> weights);

  /// Steps begun so far.
  std::uint64_t step() const { return step_; }

  /// The state of all weights, [slot count, layout.size()]: for who moves them elsewhere, on a
  /// device, and brings back what came of it.
  std::span<float> slots() { return slots_.span(); }
  void set_step(std::uint64_t step) { step_ = step; }

  /// The bytes of a checkpoint: flat_blob.h, magic "LTDO", slots one after the other.
  std::string Serialize() const;

  /// Continues where Serialize was called.
  ///
  /// Errors: as DecodeFlatBlob; the layout includes the rule, so another rule's state is refused.
  absl::Status Restore(std::string_view bytes);

 private:
  DenseOptimizer(const DenseOptimizerSpec& spec, const ParameterLayout& layout);
  void UpdateTensor(Slice slice, float decay, const float* gradients, float* weights);
  std::uint64_t Fingerprint() const;

  DenseOptimizerSpec spec_;
  ParameterLayout layout_;
  AlignedBuffer slots_;  ///< [slot count, layout.size()].
  std::uint64_t step_ = 0;
  float factor_ = 1;
  AdamConstants adam_;
};

}  // namespace longtail::examples
