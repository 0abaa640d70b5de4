#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdio>
#include <new>
#include <vector>

#include "sparse/specs.h"
#include "sparse/table.h"
#include "support/alloc_count.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

TEST_CASE("warm pulls and pushes allocate nothing", "[sparse][table]") {
  if (!test::CountsAllocations()) {
    std::puts("[skip] the thread sanitizer keeps operator new for itself");
    return;
  }
  const std::size_t rule = GENERATE(range<std::size_t>(0, 7));
  CAPTURE(rule);
  Table table(test::SpecOf(test::Rules().at(rule), NormalSpec{}, 10));
  Rng rng(rule);
  const std::vector<Key> keys = test::Keys(rng, 200, 150);
  const std::vector<Key> absent = test::Keys(rng, 200, 100'000);
  const std::vector<std::uint32_t> counts = test::Counts(rng, 200, 4);
  const std::vector<float> gradients = test::Floats(rng, 2000, -1, 1);
  std::vector<float> rows(2000);
  table.Push(keys, counts, gradients, 1, 1);
  const std::uint64_t allocations = test::AllocationCount();
  const std::uint64_t releases = test::ReleaseCount();

  for (std::uint32_t step = 2; step < 1002; ++step) {
    table.Pull(absent, {.rows = rows.data(), .stride = 10});
    table.Pull(keys, {.rows = rows.data(), .stride = 10});
    table.Push(keys, counts, gradients, step, 1);
  }

  const std::uint64_t allocated = test::AllocationCount() - allocations;
  const std::uint64_t released = test::ReleaseCount() - releases;
  CHECK(allocated == 0);
  CHECK(released == 0);
}

TEST_CASE("the counter sees allocations of every kind", "[support]") {
  if (!test::CountsAllocations()) {
    std::puts("[skip] the thread sanitizer keeps operator new for itself");
    return;
  }
  const std::uint64_t allocations = test::AllocationCount();
  const std::uint64_t releases = test::ReleaseCount();

  // Called by name: a compiler may leave out a pair of new and delete expressions.
  void* plain = ::operator new(10);
  void* array = ::operator new[](10);
  void* wide = ::operator new (128, std::align_val_t{128});
  ::operator delete(plain);
  ::operator delete[](array);
  ::operator delete (wide, std::align_val_t{128});

  const std::uint64_t allocated = test::AllocationCount() - allocations;
  const std::uint64_t released = test::ReleaseCount() - releases;
  CHECK(allocated == 3);
  CHECK(released == 3);
}

}  // namespace
}  // namespace longtail::sparse
