// The newest entries of a log: what a follower gets of them, and what is let go.
#include "server/lane_tail.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace longtail::server {
namespace {

void Append(LaneTail& tail, const std::string& text) {
  const auto kept = std::make_shared<std::string>(text);
  tail.Append(AsBytes(*kept), kept, 1000 + tail.end());
}

LaneEntries Copy(const LaneTail& tail, std::uint64_t from, std::size_t bytes_max) {
  LaneEntries answer;
  tail.Copy(from, bytes_max, answer);
  return answer;
}

TEST_CASE("a follower gets the entries it lacks, as many as fit, and one at the least",
          "[server][replica]") {
  LaneTail tail;
  tail.Reset(7);
  for (const char* text : {"aaaa", "bb", "cccccc"}) Append(tail, text);
  CHECK(tail.first() == 7);
  CHECK(tail.end() == 10);
  CHECK(tail.bytes() == 12);
  CHECK(tail.BytesFrom(8) == 8);
  CHECK(tail.BytesFrom(10) == 0);

  const LaneEntries all = Copy(tail, 7, 100);
  CHECK(all.first == 7);
  REQUIRE(all.frames.size() == 3);
  CHECK(AsText(all.frames[2]) == "cccccc");
  CHECK(all.times == std::vector<std::uint64_t>{1007, 1008, 1009});
  CHECK(Copy(tail, 7, 6).frames.size() == 2);
  CHECK(Copy(tail, 9, 1).frames.size() == 1);
  CHECK(Copy(tail, 10, 100).frames.empty());
}

TEST_CASE("what is let go is no longer needed, and beyond what is kept", "[server][replica]") {
  LaneTail tail;
  for (int i = 0; i < 10; ++i) Append(tail, "12345678");
  tail.Trim(4, 0);
  CHECK(tail.first() == 4);  // Those from 4 on are needed.
  tail.Trim(10, 25);
  CHECK(tail.bytes() == 32);  // Less than 25 are not left.
  tail.Trim(10, 0);
  CHECK(tail.first() == 10);
  CHECK(tail.bytes() == 0);
  Append(tail, "x");
  CHECK(tail.BytesFrom(10) == 1);
  const LaneEntries kept = Copy(tail, 10, 10);
  tail.Reset(3);
  CHECK(tail.end() == 3);
  CHECK(AsText(kept.frames[0]) == "x");  // An answer under way has what it needs.
}

}  // namespace
}  // namespace longtail::server
