// Places where processes meet.
#include "server/barriers.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

namespace longtail::server {
namespace {

constexpr NodeId kAsker{0x80000001};
constexpr NodeId kOther{0x80000002};

std::vector<Envelope> Enter(Barriers& barriers, NodeId source, const EnterBarrier& m) {
  Effects effects;
  barriers.Enter(source, m, effects);
  return std::move(effects.sends);
}

TEST_CASE("a barrier opens when all are there, and can be used by others again",
          "[server][coordinator]") {
  Barriers barriers;
  CHECK(Enter(barriers, kAsker, {1, "b", 10, 2}).empty());
  CHECK(Enter(barriers, kAsker, {2, "b", 10, 2}).empty());  // A repeat.
  const auto open = Enter(barriers, kOther, {3, "b", 11, 2});
  REQUIRE(open.size() == 2);
  CHECK(open[0].target == kAsker);
  CHECK(std::get<Acknowledgement>(open[0].body).request == 2);
  CHECK(open[1].target == kOther);
  CHECK(Enter(barriers, kAsker, {4, "b", 10, 2}).size() == 1);
  CHECK(Enter(barriers, kAsker, {5, "b", 12, 2}).empty());  // Of a later run.
  CHECK(Enter(barriers, kAsker, {6, "b", 13, 2}).size() == 2);
}

TEST_CASE("those who want different numbers at one barrier are told", "[server][coordinator]") {
  Barriers barriers;
  CHECK(Enter(barriers, kAsker, {1, "b", 10, 2}).empty());
  const auto refused = Enter(barriers, kOther, {2, "b", 11, 3});
  REQUIRE(refused.size() == 1);
  CHECK(std::get<Acknowledgement>(refused[0].body).status ==
        absl::InvalidArgumentError("barrier 'b' of 3 participants: another came to it for 2"));
}

}  // namespace
}  // namespace longtail::server
