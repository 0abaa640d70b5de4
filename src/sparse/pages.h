// Memory for large arrays that are read at random, on huge pages where the system has them.
//
// A random read of a large table misses the TLB as well as the cache; with pages of 2 MiB that
// miss all but disappears. It is a hint: without huge pages everything works, slower.
#pragma once

#include <cstddef>

namespace longtail::sparse {

/// Blocks of this size and more are aligned to it and asked to lie on huge pages.
inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

/// Memory for `size` > 0 bytes, aligned to a cache line: all zero from kHugePageBytes on, below
/// that not initialised. The system gives it as it is touched. Throws std::bad_alloc, as operator
/// new does, if there is none.
void* TakePages(std::size_t size);

/// Gives back what TakePages(size) gave.
void ReleasePages(void* memory, std::size_t size);

/// Gives the whole pages among `size` bytes at `memory` back to the system, so that they cost
/// nothing until they are touched again, when they are zero. Their content is lost; the rest of the
/// range keeps its own. Returns how many bytes were given back: 0 where the system cannot.
std::size_t DropPages(void* memory, std::size_t size);

}  // namespace longtail::sparse
