// The files of a lane's log: which are read, and which can go.
#include "protocol/lane_log_names.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace longtail {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("names sort by number and are found again", "[protocol][lane_log]") {
  CHECK(LaneLogName("s/lane-0", 42) == "s/lane-0/00000000000000000042.log");
  CHECK(LaneBaseName("s/lane-0", 7) == "s/lane-0/00000000000000000007.base");
  CHECK(LaneBaseRows("s/lane-0", 7) == "s/lane-0/base-00000000000000000007");

  const Names names = {
      LaneLogName("p", 0),          LaneLogName("p", 900),
      LaneLogName("q", 5),          "p/17.log",
      "p/0000000000000000001x.log", "p/base-00000000000000000007/p00000-0000.snapshot"};
  const LaneLogFiles files = FindLaneLog(names, "p");
  CHECK_FALSE(files.base.has_value());
  CHECK(files.segments == std::vector<std::uint64_t>{0, 900});
}

TEST_CASE("a base makes what ends before it superfluous", "[protocol][lane_log]") {
  const Names names = {LaneLogName("p", 0),
                       LaneLogName("p", 10),
                       LaneLogName("p", 20),
                       LaneBaseName("p", 15),
                       LaneBaseName("p", 20),
                       LaneBaseRows("p", 15) + "/p00000-0000.snapshot",
                       LaneBaseRows("p", 20) + "/p00000-0000.snapshot",
                       LaneBaseRows("p", 33) + "/p00000-0000.snapshot"};  // Being written.
  const LaneLogFiles files = FindLaneLog(names, "p");
  CHECK(files.base == 20);
  CHECK(files.segments == std::vector<std::uint64_t>{20});

  CHECK(SuperfluousOf(names, "p", 20) == Names{LaneBaseName("p", 15),
                                               LaneBaseRows("p", 15) + "/p00000-0000.snapshot",
                                               LaneLogName("p", 0), LaneLogName("p", 10)});
  // What is kept is read from an older base on, too, or from the beginning.
  CHECK(FindLaneBases(names, "p") == std::vector<std::uint64_t>{15, 20});
  CHECK(FindLaneLogFrom(names, "p", 15).segments == std::vector<std::uint64_t>{10, 20});
  CHECK(FindLaneLogFrom(names, "p", std::nullopt).segments ==
        std::vector<std::uint64_t>{0, 10, 20});
  CHECK(SuperfluousOf(names, "p", 15) == Names{LaneLogName("p", 0)});

  // The last segment may go on behind the base.
  CHECK(SuperfluousOf(Names{LaneLogName("p", 0)}, "p", 20).empty());
  CHECK(FindLaneLog(Names{LaneLogName("p", 0), LaneBaseName("p", 20)}, "p").segments ==
        std::vector<std::uint64_t>{0});
}

TEST_CASE("a server's logs are found by lane and number", "[protocol][lane_log]") {
  CHECK(LaneLogPrefix("s", NodeId{7}, 3) == "s/lane-7/3");
  const Names names = {"s/log",
                       LaneLogName("s/lane-12/4", 0),
                       LaneLogGone("s/lane-12/4"),
                       LaneLogName("s/lane-7/3", 20),
                       LaneBaseName("s/lane-7/3", 25),
                       LaneLogName("s/lane-7/11", 40),
                       LaneBaseRows("s/lane-7/11", 40) + "/p00000-0000.snapshot",
                       "s/lane-7/00000000000000000000.log",
                       "s/lane-x/3/00000000000000000000.log",
                       LaneLogName("t/lane-7/3", 0)};
  CHECK(FindLaneLogs(names, "s") == std::vector<LaneLogKey>{{NodeId{7}, 3, true, false},
                                                            {NodeId{7}, 11, false, false},
                                                            {NodeId{12}, 4, true, true}});
}

TEST_CASE("a mark says since when a log is over", "[protocol][lane_log]") {
  const absl::Time since = absl::FromUnixMicros(1'800'000'000'123'456);
  CHECK(LaneLogGoneText(since) == "longtail log gone since microsecond 1800000000123456\n");
  CHECK(LaneLogGoneSince(LaneLogGoneText(since)) == since);
  CHECK(LaneLogGoneSince("") == absl::InfinitePast());
  CHECK(LaneLogGoneSince("longtail log gone since microsecond x") == absl::InfinitePast());
}

TEST_CASE("a log is removed so that what is left of it is whole or is none",
          "[protocol][lane_log]") {
  const Names names = {LaneLogName("p", 0),
                       LaneLogName("p", 10),
                       LaneBaseName("p", 5),
                       LaneBaseName("p", 15),
                       LaneBaseRows("p", 15) + "/p00000-0000.snapshot",
                       LaneLogGone("p"),
                       LaneLogName("q", 0)};
  CHECK(RemovalOf(names, "p") == Names{LaneBaseName("p", 5), LaneBaseName("p", 15),
                                       LaneLogName("p", 0), LaneLogName("p", 10),
                                       LaneBaseRows("p", 15) + "/p00000-0000.snapshot"});
}

}  // namespace
}  // namespace longtail
