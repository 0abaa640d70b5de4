#include "sparse/row_codec.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/random.h"
#include "sparse/narrow_float.h"

namespace longtail::sparse {
namespace {

constexpr std::size_t kBlock = 64;  // Values coded at a time, between two arrays on the stack.

std::size_t WeightBytes(WeightFormat format, std::size_t dim) {
  switch (format) {
    case WeightFormat::kFloat32:
      return dim * sizeof(float);
    case WeightFormat::kBfloat16:
    case WeightFormat::kFloat16:
      return dim * sizeof(std::uint16_t);
    case WeightFormat::kInt8:
      return dim + 1;
    case WeightFormat::kShared:
      return 0;
  }
  return 0;
}

std::size_t StateBytes(RowFormat format, std::size_t state_size, std::size_t exact) {
  if (format.weights == WeightFormat::kShared) return 0;
  if (format.state == StateFormat::kFloat32) return state_size * sizeof(float);
  return (state_size - exact) * sizeof(std::uint16_t) + exact * sizeof(float);
}

// Calls block(first, n) for all of `count` in steps of kBlock.
template <typename Block>
void InBlocks(std::size_t count, Block&& block) {
  for (std::size_t first = 0; first < count; first += kBlock) {
    block(first, count - first < kBlock ? count - first : kBlock);
  }
}

// The 32-bit halves of a stream from place `first` on; `first` is even.
void RandomHalves(std::uint64_t stream, std::size_t first, std::size_t n, std::uint32_t* out) {
  for (std::size_t i = 0; i < n; i += 2) {
    const std::uint64_t bits = RandomAt(stream, (first + i) / 2);
    out[i] = static_cast<std::uint32_t>(bits);
    out[i + 1] = static_cast<std::uint32_t>(bits >> 32);
  }
}

template <typename Narrow, typename To>
void EncodeEach(const float* values, std::size_t count, std::uint64_t stream, std::byte* stored,
                To&& to) {
  InBlocks(count, [&](std::size_t first, std::size_t n) {
    std::array<std::uint32_t, kBlock> random;
    std::array<Narrow, kBlock> narrow;
    RandomHalves(stream, first, n, random.data());
    for (std::size_t i = 0; i < n; ++i) narrow[i] = to(values[first + i], random[i]);
    std::memcpy(stored + first * sizeof(Narrow), narrow.data(), n * sizeof(Narrow));
  });
}

template <typename Narrow, typename From>
void DecodeEach(const std::byte* stored, std::size_t count, float* values, From&& from) {
  InBlocks(count, [&](std::size_t first, std::size_t n) {
    std::array<Narrow, kBlock> narrow;
    std::memcpy(narrow.data(), stored + first * sizeof(Narrow), n * sizeof(Narrow));
    for (std::size_t i = 0; i < n; ++i) values[first + i] = from(narrow[i]);
  });
}

// The largest size among finite floats, by their bits: compilers do not reorder maxima of floats.
float Largest(const float* values, std::size_t count) {
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t size = std::bit_cast<std::uint32_t>(values[i]) & 0x7FFFFFFF;
    largest = size > largest ? size : largest;
  }
  return std::bit_cast<float>(largest);
}

void EncodeInt8(const float* weights, std::size_t dim, std::uint64_t stream, std::byte* stored) {
  const int exponent = ScaleExponent(Largest(weights, dim));
  const float scale = PowerOfTwo(-exponent);
  stored[0] = static_cast<std::byte>(static_cast<std::int8_t>(exponent));
  EncodeEach<std::int8_t>(weights, dim, stream, stored + 1, [&](float w, std::uint32_t random) {
    return static_cast<std::int8_t>(RoundAtRandom(w * scale, random));
  });
}

void DecodeInt8(const std::byte* stored, std::size_t dim, float* weights) {
  const float scale = PowerOfTwo(static_cast<std::int8_t>(stored[0]));
  DecodeEach<std::int8_t>(stored + 1, dim, weights,
                          [&](std::int8_t w) { return static_cast<float>(w) * scale; });
}

}  // namespace

RowCodec::RowCodec(RowFormat format, std::size_t dim, std::size_t state_size, std::size_t exact)
    : format_(format),
      dim_(dim),
      state_size_(state_size),
      exact_(exact),
      weight_bytes_(WeightBytes(format.weights, dim)),
      state_bytes_(StateBytes(format, state_size, exact)),
      is_plain_(format == RowFormat{}) {
  LONGTAIL_CHECK(exact <= state_size);
}

void RowCodec::DecodeWeights(const std::byte* stored, float* weights) const {
  switch (format_.weights) {
    case WeightFormat::kFloat32:
      std::memcpy(weights, stored, weight_bytes_);
      return;
    case WeightFormat::kBfloat16:
      DecodeEach<std::uint16_t>(stored, dim_, weights, FromBfloat16);
      return;
    case WeightFormat::kFloat16:
      DecodeEach<std::uint16_t>(stored, dim_, weights, FromFloat16);
      return;
    case WeightFormat::kInt8:
      DecodeInt8(stored, dim_, weights);
      return;
    case WeightFormat::kShared:
      for (std::size_t i = 0; i < dim_; ++i) weights[i] = 0;
      return;
  }
}

void RowCodec::Decode(const std::byte* stored, float* values) const {
  DecodeWeights(stored, values);
  const std::byte* state = stored + weight_bytes_;
  if (format_.weights == WeightFormat::kShared) {
    for (std::size_t i = 0; i < state_size_; ++i) values[dim_ + i] = 0;
    return;
  }
  if (format_.state == StateFormat::kFloat32) {
    std::memcpy(values + dim_, state, state_bytes_);
    return;
  }
  const std::size_t narrow = state_size_ - exact_;
  DecodeEach<std::uint16_t>(state, narrow, values + dim_, FromBfloat16);
  std::memcpy(values + dim_ + narrow, state + narrow * sizeof(std::uint16_t),
              exact_ * sizeof(float));
}

void RowCodec::Encode(const float* values, std::uint64_t stream, std::byte* stored) const {
  switch (format_.weights) {
    case WeightFormat::kFloat32:
      std::memcpy(stored, values, weight_bytes_);
      break;
    case WeightFormat::kBfloat16:
      EncodeEach<std::uint16_t>(values, dim_, stream, stored, ToBfloat16);
      break;
    case WeightFormat::kFloat16:
      EncodeEach<std::uint16_t>(values, dim_, stream, stored, ToFloat16);
      break;
    case WeightFormat::kInt8:
      EncodeInt8(values, dim_, stream, stored);
      break;
    case WeightFormat::kShared:
      return;
  }
  std::byte* state = stored + weight_bytes_;
  const float* state_values = values + dim_;
  if (format_.state == StateFormat::kFloat32) {
    std::memcpy(state, state_values, state_bytes_);
    return;
  }
  // Its own stream: weights and state of one row must not be rounded alike.
  const std::size_t narrow = state_size_ - exact_;
  EncodeEach<std::uint16_t>(state_values, narrow, Mix64(~stream), state, ToBfloat16);
  std::memcpy(state + narrow * sizeof(std::uint16_t), state_values + narrow,
              exact_ * sizeof(float));
}

}  // namespace longtail::sparse
