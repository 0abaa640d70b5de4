#include "examples/online/progressive_scores.h"

#include <catch2/catch.hpp>

#include "base/random.h"

namespace longtail::examples {
namespace {

constexpr std::int64_t kHour = 3'600'000;

TEST_CASE("scores are told by hour and bucket, and hours are taken once they are over",
          "[online]") {
  ProgressiveScores scores;
  for (int i = 0; i < 10; ++i) {
    scores.Add(kHour + i, 0, i % 2 == 0, i % 2 == 0 ? 1 : -1);        // Ranked well, of no count.
    scores.Add(2 * kHour + i, 200, i % 2 == 0, i % 2 == 0 ? -1 : 1);  // Ranked wrongly.
  }
  CHECK(scores.TakeHoursBefore(2 * kHour - 1).empty());
  const auto first = scores.TakeHoursBefore(2 * kHour);
  REQUIRE(first.size() == 1);
  CHECK(first[0] ==
        "1970-01-01 01:00: 10 examples, 5 clicks, log loss 0.3133, AUC 1.0000 "
        "(0: 1.0000, 1: -, 2-4: -, 5-9: -, 10-99: -, 100+: -)");
  REQUIRE(scores.Hours().size() == 1);
  CHECK(scores.Hours()[0].find("AUC 0.0000 (0: -") != std::string::npos);
  CHECK(scores.total().examples == 20);
}

TEST_CASE("scores that were saved go on as if they had not been", "[online]") {
  Rng rng(1);
  ProgressiveScores scores;
  const auto add = [](ProgressiveScores& to, Rng& from) {
    for (int i = 0; i < 200; ++i) {
      to.Add(static_cast<std::int64_t>(from.Below(3 * kHour)), from.Below(300), from.Below(3) == 0,
             static_cast<double>(from.Below(1000)) / 100 - 5);
    }
  };
  add(scores, rng);
  auto loaded = ProgressiveScores::Load(scores.Save());
  REQUIRE(loaded.ok());
  CHECK(loaded->Save() == scores.Save());
  Rng a(2);
  Rng b(2);
  add(scores, a);
  add(*loaded, b);
  CHECK(loaded->Save() == scores.Save());
  CHECK(loaded->Hours() == scores.Hours());
  for (const char* const wrong :
       {"total 1 2\n", "x 0 0 0x0p+0 nan:0 nan:0 nan:0 nan:0 nan:0 nan:0\n",
        "total 0 0 0x0p+0 nan:0 nan:0 nan:0 nan:0 nan:0 bin:0\n",
        "total 0 0 0x0p+0 nan:0 nan:0 nan:0 nan:0 nan:0 nan:0,9999:1:1\n"}) {
    CAPTURE(wrong);
    CHECK(absl::IsDataLoss(ProgressiveScores::Load(wrong).status()));
  }
}

}  // namespace
}  // namespace longtail::examples
