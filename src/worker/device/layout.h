// Arrays one behind another in one stretch of memory.
#pragma once

#include <cstddef>

namespace longtail::device {

/// Hands out where each array begins, aligned to 256 bytes.
class Layout {
 public:
  template <typename Item>
  std::size_t Add(std::size_t count) {
    constexpr std::size_t kAlignment = 256;
    const std::size_t begin = bytes_;
    bytes_ += (count * sizeof(Item) + kAlignment - 1) / kAlignment * kAlignment;
    return begin;
  }

  /// Of all arrays.
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

}  // namespace longtail::device
