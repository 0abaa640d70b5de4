#include "base/page_toucher.h"

#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace longtail {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSize = std::size_t{8} << 20;

// Memory of small pages, so that what lies beside a touched one stays as it is.
class Memory {
 public:
  Memory()
      : bytes_(static_cast<std::byte*>(
            mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    (void)madvise(bytes_, kSize, MADV_NOHUGEPAGE);
  }
  ~Memory() {
    ForgetTouches(bytes_, kSize);
    munmap(bytes_, kSize);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  std::byte* bytes() const { return bytes_; }

  // How many pages of `size` bytes from `at` on have memory.
  std::size_t PagesThere(std::size_t at, std::size_t size) const {
    std::vector<unsigned char> pages(size / kPage);
    if (mincore(bytes_ + at, size, pages.data()) != 0) return 0;
    std::size_t count = 0;
    for (const unsigned char page : pages) count += page & 1U;
    return count;
  }

 private:
  std::byte* const bytes_;
};

bool CanTouch() {
  const Memory memory;
  return madvise(memory.bytes(), kPage, 23) == 0;  // MADV_POPULATE_WRITE
}

TEST_CASE("memory that was asked for is there soon, and nothing beside it", "[base][pages]") {
  if (!CanTouch()) {
    WARN("this kernel cannot touch memory on request");
    return;
  }
  const Memory memory;
  TouchSoon(memory.bytes() + 3 * kPage - 1, 5'000'000);
  const std::size_t want = (5'000'000 - 1) / kPage;  // Whole ones.
  const absl::Time until = absl::Now() + absl::Seconds(20);
  while (memory.PagesThere(0, kSize) < want && absl::Now() < until) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  CHECK(memory.PagesThere(3 * kPage, want * kPage) == want);
  CHECK(memory.PagesThere(0, kSize) == want);
}

TEST_CASE("touching changes no byte, also of what is written meanwhile", "[base][pages]") {
  const Memory memory;
  TouchSoon(memory.bytes(), kSize);
  for (std::size_t at = 0; at < kSize; at += 1000) memory.bytes()[at] = std::byte{7};
  TouchSoon(memory.bytes(), kSize);
  ForgetTouches(memory.bytes(), kSize);
  bool is_kept = true;
  for (std::size_t at = 0; at < kSize; ++at) {
    is_kept &= memory.bytes()[at] == (at % 1000 == 0 ? std::byte{7} : std::byte{0});
  }
  CHECK(is_kept);
}

TEST_CASE("what is forgotten is not touched any more, whoever gets its place", "[base][pages]") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 50; ++i) {
        const Memory memory;
        TouchSoon(memory.bytes(), kSize);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 20; ++i) {
    const Memory memory;  // Most often where the one before was.
    absl::SleepFor(absl::Milliseconds(1));
    REQUIRE(memory.PagesThere(0, kSize) == 0);
    TouchSoon(memory.bytes(), kSize);
  }
}

}  // namespace
}  // namespace longtail
