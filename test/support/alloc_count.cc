#include "support/alloc_count.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LONGTAIL_TEST_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef LONGTAIL_TEST_COUNTS_ALLOCATIONS
#define LONGTAIL_TEST_COUNTS_ALLOCATIONS 1
#endif

#if !LONGTAIL_TEST_COUNTS_ALLOCATIONS

namespace longtail::test {

bool CountsAllocations() {
  return false;
}
std::uint64_t AllocationCount() {
  return 0;
}
std::uint64_t ReleaseCount() {
  return 0;
}

}  // namespace longtail::test

#else

namespace longtail::test {
namespace {

std::atomic<std::uint64_t> allocation_count{0};
std::atomic<std::uint64_t> release_count{0};

void* Take(std::size_t size, std::size_t alignment) {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) return std::malloc(size > 0 ? size : 1);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* TakeOrThrow(std::size_t size, std::size_t alignment) {
  void* memory = Take(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void Release(void* memory) {
  if (memory == nullptr) return;
  release_count.fetch_add(1, std::memory_order_relaxed);
  std::free(memory);
}

std::size_t Number(std::align_val_t alignment) {
  return static_cast<std::size_t>(alignment);
}

}  // namespace

bool CountsAllocations() {
  return true;
}

std::uint64_t AllocationCount() {
  return allocation_count.load();
}

std::uint64_t ReleaseCount() {
  return release_count.load();
}

}  // namespace longtail::test

// All of them, since a sanitizer's runtime brings its own for those left out.
using longtail::test::Number;
using longtail::test::Release;
using longtail::test::Take;
using longtail::test::TakeOrThrow;
using std::align_val_t;
using std::nothrow_t;
using std::size_t;

void* operator new(size_t size) {
  return TakeOrThrow(size, 1);
}
void* operator new[](size_t size) {
  return TakeOrThrow(size, 1);
}
void* operator new(size_t size, const nothrow_t&) noexcept {
  return Take(size, 1);
}
void* operator new[](size_t size, const nothrow_t&) noexcept {
  return Take(size, 1);
}
void* operator new(size_t size, align_val_t to) {
  return TakeOrThrow(size, Number(to));
}
void* operator new[](size_t size, align_val_t to) {
  return TakeOrThrow(size, Number(to));
}
void* operator new(size_t size, align_val_t to, const nothrow_t&) noexcept {
  return Take(size, Number(to));
}
void* operator new[](size_t size, align_val_t to, const nothrow_t&) noexcept {
  return Take(size, Number(to));
}
void operator delete(void* memory) noexcept {
  Release(memory);
}
void operator delete[](void* memory) noexcept {
  Release(memory);
}
void operator delete(void* memory, size_t) noexcept {
  Release(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  Release(memory);
}
void operator delete(void* memory, const nothrow_t&) noexcept {
  Release(memory);
}
void operator delete[](void* memory, const nothrow_t&) noexcept {
  Release(memory);
}
void operator delete(void* memory, align_val_t) noexcept {
  Release(memory);
}
void operator delete[](void* memory, align_val_t) noexcept {
  Release(memory);
}
void operator delete(void* memory, size_t, align_val_t) noexcept {
  Release(memory);
}
void operator delete[](void* memory, size_t, align_val_t) noexcept {
  Release(memory);
}
void operator delete(void* memory, align_val_t, const nothrow_t&) noexcept {
  Release(memory);
}
void operator delete[](void* memory, align_val_t, const nothrow_t&) noexcept {
  Release(memory);
}

#endif  // LONGTAIL_TEST_COUNTS_ALLOCATIONS
