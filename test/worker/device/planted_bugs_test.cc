// Mistakes of those who write kernels are seen: each is planted in the real ones, in a process of
// its own (planted_bugs.cc), and must end it with anything but success.
#include <catch2/catch.hpp>
#include <string>

#include "support/program.h"
#include "worker/device/emulator.h"

namespace longtail::device {
namespace {

using test::Outcome;
using test::RunProgram;

constexpr int kNoSuchBug = 2;

Outcome Plant(const char* bug) {
  return RunProgram({LONGTAIL_PLANTED_BUGS, bug}, absl::Minutes(2));
}

TEST_CASE("without a planted bug there is nothing to see", "[device][planted]") {
  const Outcome outcome = Plant("none");

  CHECK(outcome.said == "");
  CHECK(outcome.code == 0);
}

TEST_CASE("a planted bug is seen in every build", "[device][planted]") {
  const char* bug = GENERATE("missing_barrier", "missing_last_barrier", "wrong_mask",
                             "out_of_bounds", "out_of_shared", "missing_wait");
  CAPTURE(bug);

  const Outcome outcome = Plant(bug);

  CAPTURE(outcome.said);
  CHECK(outcome.code != 0);
  CHECK(outcome.code != kNoSuchBug);
}

TEST_CASE("the sanitizers name what a planted bug does", "[device][planted]") {
  struct Case {
    const char* bug;
    bool is_seen;
    const char* what;
  };
  const auto [bug, is_seen, what] = GENERATE(values<Case>({
      {"out_of_bounds", LONGTAIL_SIMT_ASAN != 0, "heap-buffer-overflow"},
      {"out_of_shared", LONGTAIL_SIMT_ASAN != 0, "heap-buffer-overflow"},
      {"missing_barrier", LONGTAIL_SIMT_TSAN != 0, "data race"},
      {"missing_last_barrier", LONGTAIL_SIMT_TSAN != 0, "data race"},
      {"missing_wait", LONGTAIL_SIMT_TSAN != 0, "data race"},
  }));
  CAPTURE(bug);
  if (!is_seen) return;  // Another build's sanitizer.

  const Outcome outcome = Plant(bug);

  CAPTURE(outcome.said);
  CHECK(outcome.code != 0);
  CHECK(outcome.said.find(what) != std::string::npos);
}

}  // namespace
}  // namespace longtail::device
