// Memory for large arrays that are read at random, on huge pages where the system has them.
//
// A random read of a large table misses the TLB as well as the cache; with pages of 2 MiB that
// miss all but disappears. It is a hint: without huge pages everything works, slower.
#pragma once

#include <cstddef>
#include <limits>
#include <new>

namespace longtail::sparse {

/// Blocks of this size and more are aligned to it and asked to lie on huge pages.
inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

/// Memory for `size` bytes, aligned to a cache line, not initialised. Throws std::bad_alloc, as
/// operator new does, if there is none.
void* TakePages(std::size_t size);

/// Gives back what TakePages(size) gave.
void ReleasePages(void* memory, std::size_t size);

/// TakePages as an allocator for a std::vector.
template <typename T>
struct PageAllocator {
  using value_type = T;

  PageAllocator() = default;
  template <typename U>
  explicit PageAllocator(const PageAllocator<U>&) {}

  T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(TakePages(n * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t n) { ReleasePages(memory, n * sizeof(T)); }

  bool operator==(const PageAllocator&) const { return true; }
};

}  // namespace longtail::sparse
