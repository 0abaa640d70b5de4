// All dense parameters of a model as one flat buffer of named tensors.
//
// Replicas on several threads share one Parameters and own one gradient buffer
// of the same layout each; a checkpoint of dense state is one blob.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "examples/common/nn/aligned_buffer.h"

namespace longtail::examples {

/// How a tensor's values begin.
///
/// Source: He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", ICCV 2015, eq. 10:
///         uniform of variance 2 / fan_in. Glorot, Bengio, "Understanding the difficulty of
///         training deep feedforward neural networks", AISTATS 2010, eq. 16.
enum class InitializerKind : std::uint8_t {
  kConstant,       ///< Every value is `scale`.
  kUniform,        ///< Uniform in [-scale, scale).
  kHeUniform,      ///< Uniform in [-b, b), b = scale * sqrt(6 / fan_in).
  kXavierUniform,  ///< Uniform in [-b, b), b = scale * sqrt(6 / (fan_in + fan_out)).
};

struct Initializer {
  InitializerKind kind = InitializerKind::kConstant;
  float scale = 0;
};

/// Whether weight decay pulls on a tensor; biases and batch-norm parameters are left alone.
enum class Decay : std::uint8_t { kNo, kYes };

/// One tensor of a layout. The first dimension of `shape` is its fan-in, the last its fan-out.
struct Tensor {
  std::string name;
  std::vector<std::size_t> shape;
  Initializer initializer;
  Decay decay = Decay::kNo;
  std::size_t offset = 0;  ///< In floats, from the start of the flat buffer; set by Add.
  std::size_t size = 0;    ///< In floats; set by Add.
};

/// Names, shapes and places of the tensors of a flat buffer. Each tensor begins on a cache line;
/// the floats between two of them belong to none and stay zero.
class ParameterLayout {
 public:
  /// Appends a tensor and returns its offset. Names must differ: a model's own mistake otherwise.
  std::size_t Add(Tensor tensor);

  std::span<const Tensor> tensors() const { return tensors_; }

  /// Floats of the whole buffer, padding included.
  std::size_t size() const { return size_; }

  /// Hash of names, shapes and offsets: equal for buffers that may be copied into one another.
  std::uint64_t fingerprint() const;

  /// The tensor of that name, or null.
  const Tensor* Find(std::string_view name) const;

 private:
  std::vector<Tensor> tensors_;
  std::size_t size_ = 0;
};

/// A flat buffer with its layout.
///
/// Thread: any number of readers, or one writer per slice.
class Parameters {
 public:
  Parameters() = default;

  /// Fills every tensor by its initializer. Each value is a pure function of (seed, name, index),
  /// so adding a tensor moves no other's values.
  Parameters(ParameterLayout layout, std::uint64_t seed);

  const ParameterLayout& layout() const { return layout_; }
  std::span<float> values() { return values_.span(); }
  std::span<const float> values() const { return values_.span(); }

  /// The values of one tensor, empty if there is none of that name.
  std::span<const float> Values(std::string_view name) const;

  /// The bytes of a checkpoint: flat_blob.h, magic "LTDP".
  std::string Serialize() const;

  /// Replaces all values by those of Serialize.
  ///
  /// Errors: DataLoss if the bytes are no such blob or cut short; FailedPrecondition if their
  ///         layout is another; the values are then unchanged.
  absl::Status Restore(std::string_view bytes);

 private:
  ParameterLayout layout_;
  AlignedBuffer values_;
};

}  // namespace longtail::examples
