// Rows of floats as they travel in each format (longtail/row_format.h).
//
//   fp32        | f32[dim] |              as they are
//   bf16, fp16  | u16[dim] |
//   int8        | exponent i8 | i8[dim] |   float = 2^exponent * i8
//
// Rows follow one another without padding. A row that is not finite stays so: in int8 its exponent
// is kNotFinite and its floats are read as no number.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "longtail/row_format.h"

namespace longtail {

/// The last format there is.
inline constexpr std::uint8_t kWireValuesMax = static_cast<std::uint8_t>(WireValues::kInt8);

/// The exponent of an int8 row that has an infinity or what is no number, and the highest other
/// one: beyond that 127 times the scale would be no float.
inline constexpr std::int8_t kNotFinite = 127;
inline constexpr int kWireExponentMax = 121;

/// Bytes of one row.
std::size_t PackedRowBytes(WireValues format, std::size_t dim);

/// Rounds rows to the nearest values that the format has; what it has keeps its value. What is too
/// large for fp16 becomes the largest there is.
///
/// Shapes: values [n, dim]; packed [n * PackedRowBytes(format, dim)].
void PackRows(WireValues format, std::size_t dim, std::span<const float> values, std::byte* packed);

/// Shapes: packed [n * PackedRowBytes(format, dim)]; values [n, dim].
/// Returns: false if a row's scale is none; `values` is then not complete.
[[nodiscard]] bool UnpackRows(WireValues format, std::size_t dim, std::span<const std::byte> packed,
                              float* values);

}  // namespace longtail
