#include "sparse/pages.h"

#include <cstddef>
#include <cstdint>
#include <new>

#include "base/page_toucher.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace longtail::sparse {
namespace {

constexpr std::size_t kLineBytes = 64;

std::uintptr_t RoundUp(std::uintptr_t value, std::uintptr_t unit) {
  return (value + unit - 1) / unit * unit;
}

void* TakeSmall(std::size_t size) {
  return ::operator new (size, std::align_val_t{kLineBytes});
}

}  // namespace

#if defined(__linux__)

// More is mapped than is wanted, and what sticks out on both sides of the aligned part unmapped.
void* TakePages(std::size_t size) {
  if (size < kHugePageBytes) return TakeSmall(size);
  const std::size_t whole = RoundUp(size, kHugePageBytes);
  if (whole < size) throw std::bad_alloc();
  void* mapped = mmap(nullptr, whole + kHugePageBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  char* first = static_cast<char*>(mapped);
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(mapped);
  const std::size_t before = RoundUp(address, kHugePageBytes) - address;
  if (before > 0) munmap(first, before);
  munmap(first + before + whole, kHugePageBytes - before);
  // Whole huge pages only, so that the end of a block costs what is used of it. The answer does not
  // matter, so it is not read.
  (void)madvise(first + before, size / kHugePageBytes * kHugePageBytes, MADV_HUGEPAGE);
  return first + before;
}

void ReleasePages(void* memory, std::size_t size) {
  if (size < kHugePageBytes) {
    ::operator delete (memory, std::align_val_t{kLineBytes});
  } else {
    ForgetTouches(memory, size);
    munmap(memory, RoundUp(size, kHugePageBytes));
  }
}

std::size_t DropPages(void* memory, std::size_t size) {
  constexpr std::uintptr_t kPage = 4096;  // Where pages are larger the call below may refuse.
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = RoundUp(address, kPage);
  const std::uintptr_t last = (address + size) / kPage * kPage;
  if (last <= first) return 0;
  char* whole = static_cast<char*>(memory) + (first - address);
  return madvise(whole, last - first, MADV_DONTNEED) == 0 ? last - first : 0;
}

#else

void* TakePages(std::size_t size) {
  return TakeSmall(size);
}

void ReleasePages(void* memory, std::size_t) {
  ::operator delete (memory, std::align_val_t{kLineBytes});
}

std::size_t DropPages(void*, std::size_t) {
  return 0;
}

#endif

}  // namespace longtail::sparse
