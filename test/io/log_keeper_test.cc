// Who keeps a server's logs: what is needed for any moment of the time stays, all else goes.
#include "io/log_keeper.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "protocol/lane_base.h"
#include "protocol/lane_log_names.h"
#include "sim/memory_store.h"

namespace longtail {
namespace {

using Names = std::vector<std::string>;

absl::Time At(std::int64_t seconds) {
  return absl::FromUnixSeconds(1'800'000'000 + seconds);
}

struct Logs {
  sim::MemoryStore store;

  static std::string Prefix(std::uint64_t log) { return LaneLogPrefix("s", NodeId{1}, log); }
  void Segment(std::uint64_t log, std::uint64_t first) {
    CHECK(store.Write(LaneLogName(Prefix(log), first), "x").ok());
  }
  void Base(std::uint64_t log, std::uint64_t end, absl::Time time) {
    LaneBase base;
    base.lane = 1;
    base.log_end = end;
    base.time_us = static_cast<std::uint64_t>(absl::ToUnixMicros(time));
    base.map.lanes = {NodeId{1}};
    base.map.lane_of = {0};
    CHECK(store.Write(LaneBaseName(Prefix(log), end), EncodeLaneBase(base)).ok());
    CHECK(store.Write(LaneBaseRows(Prefix(log), end) + "/p00000-0000.snapshot", "x").ok());
  }
  Names All() { return *store.List(""); }
  bool Has(const std::string& name) { return store.Read(name).ok(); }
  std::uint64_t Prune(absl::Time horizon) {
    LogPruning pruning(store, "s");
    const auto count = pruning.Run(horizon);
    INFO(count.status().ToString());
    REQUIRE(count.ok());
    return *count;
  }
};

TEST_CASE_METHOD(Logs, "the newest base that is old enough stays, and all behind it",
                 "[io][lane_log]") {
  for (const std::uint64_t first : {0U, 10U, 20U, 30U, 40U}) Segment(3, first);
  Base(3, 15, At(100));
  Base(3, 30, At(200));
  Base(3, 40, At(300));
  const std::size_t all = All().size();

  CHECK(Prune(At(99)) == 0);  // Nothing of before the first base is superfluous.
  CHECK(Prune(At(100)) == 1);
  CHECK_FALSE(Has(LaneLogName(Prefix(3), 0)));
  CHECK(Prune(At(199)) == 0);
  CHECK(Prune(At(250)) == 4);
  CHECK(FindLaneBases(All(), Prefix(3)) == std::vector<std::uint64_t>{30, 40});
  CHECK(FindLaneLogFrom(All(), Prefix(3), 30).segments == std::vector<std::uint64_t>{30, 40});
  // The newest one stays, however old.
  CHECK(Prune(At(100'000)) == 3);
  CHECK(FindLaneBases(All(), Prefix(3)) == std::vector<std::uint64_t>{40});
  CHECK(All().size() == all - 8);
}

TEST_CASE_METHOD(Logs, "a log that is over goes when that is long enough ago, but for its mark",
                 "[io][lane_log]") {
  Segment(3, 0);
  Segment(3, 10);
  Base(3, 10, At(50));
  CHECK(store.Write(LaneLogGone(Prefix(3)), LaneLogGoneText(At(500))).ok());
  Segment(5, 20);
  Base(5, 20, At(400));
  Segment(6, 30);  // Not whole yet: its base is under way.
  CHECK(store.Write(LaneBaseRows(Prefix(6), 30) + "/p00000-0000.snapshot", "x").ok());

  CHECK(Prune(At(499)) == 1);  // What its own base stands for.
  CHECK(Has(LaneLogName(Prefix(3), 10)));
  CHECK(Prune(At(500)) == 3);
  CHECK(All() ==
        Names{LaneLogGone(Prefix(3)), LaneBaseName(Prefix(5), 20), LaneLogName(Prefix(5), 20),
              LaneBaseRows(Prefix(5), 20) + "/p00000-0000.snapshot", LaneLogName(Prefix(6), 30),
              LaneBaseRows(Prefix(6), 30) + "/p00000-0000.snapshot"});
  CHECK(Prune(At(100'000)) == 0);
}

TEST_CASE_METHOD(Logs, "a base that is damaged is said to be, and the others do",
                 "[io][lane_log]") {
  for (const std::uint64_t first : {0U, 10U, 20U}) Segment(3, first);
  Base(3, 10, At(100));
  Base(3, 20, At(200));
  CHECK(store.Write(LaneBaseName(Prefix(3), 20), "LTLBASE1").ok());
  LogPruning pruning(store, "s");
  const absl::Status status = pruning.Run(At(300)).status();
  CHECK(std::string(status.message()).find(LaneBaseName(Prefix(3), 20)) != std::string::npos);
  CHECK_FALSE(Has(LaneLogName(Prefix(3), 0)));
  CHECK(Has(LaneLogName(Prefix(3), 10)));
}

TEST_CASE_METHOD(Logs, "a keeper does so by itself, and ends when it is to", "[io][lane_log]") {
  Segment(3, 0);
  Segment(3, 10);
  Base(3, 10, absl::Now() - absl::Seconds(10));
  {
    const LogKeeper keeper({.store = &store, .server = "s", .keep = absl::Seconds(5)});
    absl::SleepFor(absl::Milliseconds(300));
  }  // (The store is for one thread at a time.)
  CHECK_FALSE(Has(LaneLogName(Prefix(3), 0)));
  CHECK(Has(LaneLogName(Prefix(3), 10)));
}

}  // namespace
}  // namespace longtail
