// A block of floats that starts on a cache line and never grows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace longtail::examples {

/// Floats in a cache line; rows of matrices are padded to a multiple of it.
inline constexpr std::size_t kLineFloats = 16;

/// Rounds a count of floats up to whole cache lines.
constexpr std::size_t PaddedToLine(std::size_t count) {
  return (count + kLineFloats - 1) / kLineFloats * kLineFloats;
}

/// Owns `size` floats, zero at first, aligned to 64 bytes.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size)
      : data_(new (std::align_val_t{kAlignment}) float[size]), size_(size) {
    std::fill_n(data_.get(), size, 0.0F);
  }

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  std::span<float> span() { return {data_.get(), size_}; }
  std::span<const float> span() const { return {data_.get(), size_}; }

 private:
  static constexpr std::size_t kAlignment = 64;
  struct Free {
    void operator()(float* data) const { ::operator delete[](data, std::align_val_t{kAlignment}); }
  };

  std::unique_ptr<float[], Free> data_;
  std::size_t size_ = 0;
};

}  // namespace longtail::examples
