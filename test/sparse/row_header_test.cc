// The fourteen bytes of a row's header: what they keep exactly, and what they round.
#include "sparse/row_header.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>

#include "base/random.h"

namespace longtail::sparse {
namespace {

TEST_CASE("a header gives back what was written, and nothing beside it", "[sparse][header]") {
  Rng rng(4);
  std::array<std::byte, kRowHeaderBytes + 2> bytes{};
  for (int round = 0; round < 1000; ++round) {
    const Key key = rng.Next();
    const RowTouch touch{.count_code = static_cast<std::uint32_t>(rng.Next() & 0xFFFFFF),
                         .step_code = static_cast<std::uint32_t>(rng.Next() & 0xFFFFFF)};
    bytes.front() = std::byte{0x5A};
    bytes.back() = std::byte{0xA5};

    SetKey(bytes.data() + 1, key);
    SetTouch(bytes.data() + 1, touch);

    REQUIRE(KeyAt(bytes.data() + 1) == key);
    REQUIRE(TouchAt(bytes.data() + 1).count_code == touch.count_code);
    REQUIRE(TouchAt(bytes.data() + 1).step_code == touch.step_code);
    REQUIRE(bytes.front() == std::byte{0x5A});
    REQUIRE(bytes.back() == std::byte{0xA5});
  }
}

TEST_CASE("counts below 2^23 are exact, and those that have a code keep it", "[sparse][header]") {
  Rng rng(5);
  for (int round = 0; round < 1000; ++round) {
    const auto exact = static_cast<std::uint32_t>(rng.Below(kExactCountEnd));
    REQUIRE(CountOf(CountCode(exact, rng.Next())) == exact);
    const auto code = static_cast<std::uint32_t>(rng.Below(kLastCountCode + 1));
    REQUIRE(CountCode(CountOf(code), rng.Next()) == code);
  }
  CHECK(CountOf(CountCode(kExactCountEnd - 1, 0)) == kExactCountEnd - 1);
  CHECK(CountOf(CountCode(kExactCountEnd, 511)) == kExactCountEnd);
  CHECK(CountOf(CountCode(0xFFFFFFFF, 511)) == 0xFFFFFFFF);
  CHECK(AddSaturating(0xFFFFFFF0, 0x10) == 0xFFFFFFFF);
  CHECK(AddSaturating(0xFFFFFFF0, 0xF) == 0xFFFFFFFF);
}

// Method: a count is raised one by one past the exact range, as training would. Its expectation is
// exact; the deviation allowed is five standard errors of the sum of rounded steps.
TEST_CASE("a count beyond 2^23 grows by what is added, on the average", "[sparse][header]") {
  constexpr std::uint32_t kAdded = 200'000;
  constexpr int kRuns = 40;
  double sum = 0;
  for (int run = 0; run < kRuns; ++run) {
    Rng rng(static_cast<std::uint64_t>(run));
    std::uint32_t code = CountCode(kExactCountEnd - 1000, 0);
    for (std::uint32_t i = 0; i < kAdded; ++i) code = CountCode(CountOf(code) + 1, rng.Next());
    sum += CountOf(code);
  }

  const double want = kExactCountEnd - 1000 + kAdded;
  const double error = std::sqrt(511.0 * kAdded / kRuns);
  CHECK(std::abs(sum / kRuns - want) < 5 * error);
  CHECK(std::sqrt(512.0 * kExactCountEnd) / kExactCountEnd < 0.008);
}

TEST_CASE("a last step is exact within its window, and at the window's end beyond it",
          "[sparse][header]") {
  Rng rng(6);
  for (int round = 0; round < 1000; ++round) {
    const auto newest = static_cast<std::uint32_t>(kStepWindow + rng.Below(0xFE000000));
    const auto behind = static_cast<std::uint32_t>(rng.Below(kStepWindow));
    const auto later = static_cast<std::uint32_t>(rng.Below(kStepWindow - behind));

    REQUIRE(StepOf(StepCode(newest - behind, newest), newest) == newest - behind);
    REQUIRE(StepOf(StepCode(newest - behind, newest), newest + later) == newest - behind);
    REQUIRE(StepOf(StepCode(newest - kStepWindow, newest), newest) == newest - kStepWindow + 1);
  }
}

}  // namespace
}  // namespace longtail::sparse
