#include "protocol/value_codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/narrow_float.h"

namespace longtail {
namespace {

// Added to a float of less than 2^22 it leaves the nearest whole number, of two the even one, in
// the lowest bits. No branch and no call, so that a loop of it is vectorized.
constexpr float kRounder = 0x1.8p23F;

template <typename Narrow>
void Pack16(std::span<const float> values, std::byte* packed, Narrow narrow) {
  for (const float value : values) {
    const std::uint16_t bits = narrow(value);
    std::memcpy(packed, &bits, sizeof(bits));
    packed += sizeof(bits);
  }
}

template <typename Widen>
void Unpack16(std::span<const std::byte> packed, float* values, Widen widen) {
  for (std::size_t at = 0; at + sizeof(std::uint16_t) <= packed.size(); at += 2) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, packed.data() + at, sizeof(bits));
    *values++ = widen(bits);
  }
}

void PackInt8(std::span<const float> row, std::byte* packed) {
  std::uint32_t largest = 0;  // The bits of sizes are in the order of sizes.
  for (const float value : row) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFF);
  }
  if (largest >= kFloat32Infinity) {
    packed[0] = static_cast<std::byte>(kNotFinite);
    std::memset(packed + 1, 0, row.size());
    return;
  }
  const int exponent = std::min(ScaleExponent(std::bit_cast<float>(largest)), kWireExponentMax);
  const float per_step = PowerOfTwo(-exponent);
  packed[0] = static_cast<std::byte>(exponent);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const float steps = std::clamp(row[i] * per_step, -127.0F, 127.0F);
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(steps + kRounder);
    packed[1 + i] = static_cast<std::byte>(bits);  // The low byte: two's complement.
  }
}

bool UnpackInt8(std::size_t dim, const std::byte* packed, float* row) {
  const auto exponent = static_cast<std::int8_t>(packed[0]);
  if (exponent == kNotFinite) {
    std::fill_n(row, dim, std::numeric_limits<float>::quiet_NaN());
    return true;
  }
  if (exponent < kScaleExponentMin || exponent > kWireExponentMax) return false;
  const float step = PowerOfTwo(exponent);
  for (std::size_t i = 0; i < dim; ++i) {
    row[i] = static_cast<float>(static_cast<std::int8_t>(packed[1 + i])) * step;
  }
  return true;
}

}  // namespace

std::size_t PackedRowBytes(WireValues format, std::size_t dim) {
  switch (format) {
    case WireValues::kFloat32:
      return dim * sizeof(float);
    case WireValues::kBfloat16:
    case WireValues::kFloat16:
      return dim * sizeof(std::uint16_t);
    case WireValues::kInt8:
      return 1 + dim;
  }
  return 0;
}

void PackRows(WireValues format, std::size_t dim, std::span<const float> values,
              std::byte* packed) {
  switch (format) {
    case WireValues::kFloat32:
      if (!values.empty()) std::memcpy(packed, values.data(), values.size_bytes());
      return;
    case WireValues::kBfloat16:
      return Pack16(values, packed, NearestBfloat16);
    case WireValues::kFloat16:
      return Pack16(values, packed, NearestFloat16);
    case WireValues::kInt8:
      for (std::size_t at = 0; at < values.size(); at += dim, packed += 1 + dim) {
        PackInt8(values.subspan(at, dim), packed);
      }
      return;
  }
}

bool UnpackRows(WireValues format, std::size_t dim, std::span<const std::byte> packed,
                float* values) {
  switch (format) {
    case WireValues::kFloat32:
      if (!packed.empty()) std::memcpy(values, packed.data(), packed.size());
      return true;
    case WireValues::kBfloat16:
      Unpack16(packed, values, FromBfloat16);
      return true;
    case WireValues::kFloat16:
      Unpack16(packed, values, FromAnyFloat16);
      return true;
    case WireValues::kInt8:
      for (std::size_t at = 0; at < packed.size(); at += 1 + dim, values += dim) {
        if (!UnpackInt8(dim, packed.data() + at, values)) return false;
      }
      return true;
  }
  return false;
}

}  // namespace longtail
