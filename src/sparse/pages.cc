#include "sparse/pages.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace longtail::sparse {
namespace {

std::align_val_t AlignmentFor(std::size_t size) {
  return std::align_val_t{size >= kHugePageBytes ? kHugePageBytes : 64};
}

}  // namespace

void* TakePages(std::size_t size) {
  void* memory = ::operator new(size, AlignmentFor(size));
#if defined(__linux__)
  // Whole huge pages only: the rest of the last one may belong to somebody else. The answer does
  // not matter, so it is not read.
  const std::size_t huge = size / kHugePageBytes * kHugePageBytes;
  if (huge > 0) (void)madvise(memory, huge, MADV_HUGEPAGE);
#endif
  return memory;
}

void ReleasePages(void* memory, std::size_t size) {
  ::operator delete(memory, AlignmentFor(size));
}

}  // namespace longtail::sparse
