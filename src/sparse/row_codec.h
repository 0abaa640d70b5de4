// From a row's floats to the bytes they are kept in, and back.
//
//   fp32, fp32  | weights f32[dim] | state f32[state]                   |   as they are
//   bf16, fp16  | weights u16[dim] | …
//   int8        | exponent i8 | weights i8[dim] | …    weight = 2^exponent * i8
//   shared      nothing, read as zeros
//   bf16 state  … | state u16[state - exact] | exact f32[exact] |
//
// No padding and no alignment: a row is read and written by memcpy. Decoding is exact; encoding
// rounds at random (sparse/narrow_float.h), and not at all what was decoded before.
//
// Thread: any; immutable.
#pragma once

#include <cstddef>
#include <cstdint>

#include "longtail/row_format.h"

namespace longtail::sparse {

class RowCodec {
 public:
  /// `exact` floats at the end of the state always keep their 32 bits; exact <= state_size.
  RowCodec(RowFormat format, std::size_t dim, std::size_t state_size, std::size_t exact);

  /// Bytes of a row's values.
  std::size_t bytes() const { return weight_bytes_ + state_bytes_; }
  std::size_t weight_bytes() const { return weight_bytes_; }
  std::size_t state_bytes() const { return state_bytes_; }

  /// Floats of its state.
  std::size_t state_size() const { return state_size_; }

  /// Whether a row's bytes are its floats.
  bool is_plain() const { return is_plain_; }

  /// Shapes: stored [bytes()]; weights [dim].
  void DecodeWeights(const std::byte* stored, float* weights) const;

  /// Shapes: stored [bytes()]; values [dim + state_size].
  void Decode(const std::byte* stored, float* values) const;

  /// Needs finite values, but for the exact ones. `stream` (base/random.h) has the random bits.
  ///
  /// Shapes: values [dim + state_size]; stored [bytes()].
  void Encode(const float* values, std::uint64_t stream, std::byte* stored) const;

 private:
  RowFormat format_;
  std::size_t dim_;
  std::size_t state_size_;
  std::size_t exact_;
  std::size_t weight_bytes_;
  std::size_t state_bytes_;
  bool is_plain_;
};

}  // namespace longtail::sparse
