// Moves the dense parameters of a model: SGD, Adagrad or Adam over slices of the flat buffers.
//
// Slices of one step may be moved by different threads; no result depends on how the buffer is cut.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/nn/aligned_buffer.h"
#include "examples/common/nn/parameters.h"

namespace longtail::examples {

struct SgdSpec {
  float learning_rate = 0.01F;
  float momentum = 0;  ///< 0..1, below 1; 0 keeps no state.
};

struct AdagradSpec {
  float learning_rate = 0.01F;
  float initial_sum = 0.1F;  ///< The sum of squares each weight starts from.
  float epsilon = 1e-8F;
};

struct AdamSpec {
  float learning_rate = 1e-3F;
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float epsilon = 1e-8F;
};

struct DenseOptimizerSpec {
  std::variant<SgdSpec, AdagradSpec, AdamSpec> rule = AdamSpec{};
  float weight_decay = 0;   ///< L2: adds weight_decay * weight to the gradient of decayed tensors.
  float gradient_clip = 0;  ///< Gradients are cut to +-clip before decay is added; 0: not at all.
};

/// Moves one weight: velocity = momentum * velocity + g; weight -= learning_rate * velocity.
///
/// Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964,
///         eq. 9; the rate outside the velocity, as Sutskever et al., ICML 2013, footnote 1.
inline void SgdMomentumStep(float learning_rate, float momentum, float g, float& weight,
                            float& velocity) {
  velocity = momentum * velocity + g;
  weight -= learning_rate * velocity;
}

/// Moves one weight: weight -= learning_rate * g.
///
/// Source: Robbins, Monro, "A stochastic approximation method", 1951, eq. 6.
inline void SgdStep(float learning_rate, float g, float& weight) {
  weight -= learning_rate * g;
}

/// Moves one weight: sum += g^2; weight -= learning_rate * g / (sqrt(sum) + epsilon).
///
/// Source: Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and
///         stochastic optimization", JMLR 12 (2011), the diagonal case; epsilon outside the root.
inline void AdagradStep(float learning_rate, float epsilon, float g, float& weight, float& sum) {
  sum += g * g;
  weight -= learning_rate * g / (std::sqrt(sum) + epsilon);
}

/// What Adam's formula needs besides a weight; the corrections belong to one step.
struct AdamConstants {
  float rate = 0;             ///< learning_rate / (1 - beta1^t).
  float root_correction = 0;  ///< 1 / sqrt(1 - beta2^t).
  float beta1 = 0;
  float beta2 = 0;
  float epsilon = 0;
};

/// Moves one weight:
///
///   m = beta1 m + (1 - beta1) g;   v = beta2 v + (1 - beta2) g^2
///   weight -= learning_rate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// Source: Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
inline void AdamStep(const AdamConstants& c, float g, float& weight, float& m, float& v) {
  m = c.beta1 * m + (1 - c.beta1) * g;
  v = c.beta2 * v + (1 - c.beta2) * (g * g);
  weight -= c.rate * m / (std::sqrt(v) * c.root_correction + c.epsilon);
}

/// Checks ranges of rates, decay and clip.
///
/// Errors: InvalidArgument, naming the field, its value and the range wanted.
absl::Status Validate(const DenseOptimizerSpec& spec);

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
