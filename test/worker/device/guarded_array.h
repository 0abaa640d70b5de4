// An array whose last item ends where a page ends that may not be touched: whoever writes or reads
// behind it is stopped, with or without a sanitizer.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace longtail::device {

template <typename T>
class GuardedArray {
 public:
  GuardedArray() = default;
  /// Items are bytes of 0xEE at first: numbers that nobody expects.
  explicit GuardedArray(std::size_t size) : size_(size) {
    constexpr std::size_t kPage = 4096;
    bytes_ = (size * sizeof(T) + kPage - 1) / kPage * kPage + kPage;
    pages_ = static_cast<std::byte*>(
        mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(pages_ + bytes_ - kPage, kPage, PROT_NONE);
    std::byte* const data = pages_ + bytes_ - kPage - size * sizeof(T);
    std::memset(data, 0xEE, size * sizeof(T));
    data_ = reinterpret_cast<T*>(data);
  }
  GuardedArray(const std::vector<T>& values) : GuardedArray(values.size()) {  // NOLINT
    std::copy(values.begin(), values.end(), data_);
  }
  ~GuardedArray() {
    if (pages_ != nullptr) munmap(pages_, bytes_);
  }
  GuardedArray(GuardedArray&& other) noexcept { *this = std::move(other); }
  GuardedArray& operator=(GuardedArray&& other) noexcept {
    std::swap(pages_, other.pages_);
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) const { return data_[i]; }
  std::vector<T> values() const { return {data_, data_ + size_}; }

 private:
  std::byte* pages_ = nullptr;
  std::size_t bytes_ = 0;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace longtail::device
