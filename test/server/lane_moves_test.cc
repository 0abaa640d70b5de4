// Plans of moves, and their steps.
#include "server/lane_moves.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"

namespace longtail::server {
namespace {

// Servers a, b … by what is in their places: "L1 F2 -" leads lane 1, follows lane 2 and has one
// free place.
ClusterMap MapOf(const std::vector<std::string>& servers) {
  ClusterMap map;
  map.version = 2;
  std::uint32_t lanes = 0;
  for (const std::string& words : servers) {
    ServerEntry server{.name = std::string(1, static_cast<char>('a' + map.servers.size())),
                       .incarnation = 1,
                       .host = "",
                       .lanes = {}};
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == ' ') continue;
      LaneEntry place{.node = {}, .addresses = {}, .role = ReplicaRole::kNone};
      if (words[i] != '-') {
        place.role = words[i] == 'L' ? ReplicaRole::kLeader : ReplicaRole::kFollower;
        place.node = NodeId{static_cast<std::uint32_t>(words[++i] - '0')};
        lanes = std::max(lanes, static_cast<std::uint32_t>(place.node));
      }
      server.lanes.push_back(place);
    }
    map.servers.push_back(std::move(server));
  }
  for (std::uint32_t lane = 1; lane <= lanes; ++lane) map.lanes.push_back(NodeId{lane});
  map.lane_epochs.assign(lanes, 1);
  return map;
}

std::string Text(const ClusterMap& map) {
  std::string text;
  for (const ServerEntry& server : map.servers) {
    absl::StrAppend(&text, text.empty() ? "" : " | ");
    for (const LaneEntry& place : server.lanes) {
      constexpr char kLetters[] = "LFJ-S";
      const std::string role(1, kLetters[static_cast<int>(place.role)]);
      absl::StrAppend(
          &text, &place == server.lanes.data() ? "" : " ", role,
          place.node == NodeId{} ? "" : absl::StrCat(static_cast<std::uint32_t>(place.node)));
    }
  }
  return text;
}

std::string Text(const std::vector<LaneMove>& moves) {
  std::string text;
  for (const LaneMove& move : moves) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", static_cast<std::uint32_t>(move.lane), " ",
                    move.from, move.keeps ? "=>" : "->", move.to);
  }
  return text;
}

// All are heard, and have the newest map unless told otherwise.
bool Step(ClusterMap& map, std::vector<LaneMove>& moves, bool are_current = true,
          bool are_heard = true) {
  const auto at = [](const ServerEntry&) { return absl::UnixEpoch(); };
  const auto version = [&](const ServerEntry&) { return are_current ? map.version : 1; };
  const absl::Duration lease = are_heard ? absl::Seconds(1) : absl::ZeroDuration();
  return AdvanceMoves(map, moves,
                      {.at = at, .version = version, .now = absl::UnixEpoch(), .lease = lease});
}

TEST_CASE("a lane moves: the target joins, follows, takes over, and the source goes",
          "[server][moves]") {
  ClusterMap map = MapOf({"L1 L2", "- -"});
  std::vector<LaneMove> moves = PlanMove(map, NodeId{2}, "b").value();
  CHECK(Text(moves) == "2 a->b");
  CHECK(Step(map, moves));
  CHECK(Text(map) == "L1 L2 | J2 -");
  CHECK(map.lane_epochs == std::vector<std::uint64_t>{1, 2});
  CHECK_FALSE(Step(map, moves));  // It gets what the lane has.
  CHECK(TakeFollower(map, "b", NodeId{2}, 2));
  CHECK_FALSE(Step(map, moves, true, false));  // It may be gone.
  CHECK(Step(map, moves));
  CHECK(Text(map) == "L1 L2 | S2 -");
  CHECK_FALSE(Step(map, moves));  // The source takes nothing more, and waits for it.
  CHECK(TakeFollower(map, "a", NodeId{2}, 2));
  CHECK(Text(map) == "L1 F2 | L2 -");
  CHECK(map.lane_epochs == std::vector<std::uint64_t>{1, 3});
  CHECK_FALSE(Step(map, moves, false));  // It does not know yet.
  CHECK(Step(map, moves));
  CHECK(Text(map) == "L1 - | L2 -");
  CHECK(moves.empty());
}

TEST_CASE("a lane stays until its leader has a map, under whose epoch it begins",
          "[server][moves]") {
  ClusterMap map = MapOf({"L1", "L2", "-"});
  std::vector<LaneMove> moves = {{NodeId{2}, "b", "c"}};
  std::uint64_t version = 0;
  const auto at = [](const ServerEntry&) { return absl::UnixEpoch(); };
  const auto version_of = [&](const ServerEntry& server) {
    return server.name == "b" ? version : map.version;
  };
  const auto advance = [&] {
    return AdvanceMoves(
        map, moves,
        {.at = at, .version = version_of, .now = absl::UnixEpoch(), .lease = absl::Seconds(1)});
  };
  CHECK_FALSE(advance());
  CHECK(Text(map) == "L1 | L2 | -");
  CHECK(map.lane_epochs == std::vector<std::uint64_t>{1, 1});
  version = 1;
  CHECK(advance());
  CHECK(Text(map) == "L1 | L2 | J2");
  CHECK(map.lane_epochs == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("a lane is handed over to one that follows", "[server][moves]") {
  ClusterMap map = MapOf({"L1", "F1"});
  std::vector<LaneMove> moves = PlanMove(map, NodeId{1}, "b").value();
  CHECK(Text(moves) == "1 a=>b");
  CHECK(Step(map, moves));
  CHECK(Text(map) == "L1 | S1");
  CHECK(TakeFollower(map, "a", NodeId{1}, 1));
  CHECK(Step(map, moves));  // It is done.
  CHECK(Text(map) == "F1 | L1");
  CHECK(moves.empty());
}

TEST_CASE("what cannot be is refused with what is missing", "[server][moves]") {
  const ClusterMap map = MapOf({"L1 L2", "F1"});
  CHECK(PlanMove(map, NodeId{1}, "a").value().empty());
  CHECK(absl::IsNotFound(PlanMove(map, NodeId{1}, "x").status()));
  CHECK(PlanMove(map, NodeId{9}, "b").status().message() == "there is no lane 9: want 1..2");
  CHECK(PlanMove(map, NodeId{2}, "b").status().message() ==
        "lane 2: server 'b' has no free place for it: want another server, or one with more "
        "lanes");
  CHECK(PlanDrain(map, "a").status().message() ==
        "lane 1: no other server has a free place for it: want another server, or one with more "
        "lanes");
  CHECK(absl::IsNotFound(PlanDrain(map, "x").status()));
}

TEST_CASE("a drained server's replicas go where there is most room, and nothing comes back",
          "[server][moves]") {
  ClusterMap map = MapOf({"L1 L2 -", "L3 - -", "F1 - - -"});
  const std::vector<LaneMove> moves = PlanDrain(map, "a").value();
  CHECK(Text(moves) == "1 a->b, 2 a->c");  // c has lane 1 already.
  MarkDrained(map, "a");
  const ClusterMap after = AfterMoves(map, moves);
  CHECK(Text(after) == "- - - | L3 L1 - | F1 L2 - -");
  CHECK(PlanRebalance(after).empty());
  CHECK(absl::IsFailedPrecondition(PlanMove(after, NodeId{1}, "a").status()));
  CHECK(PlanDrain(after, "b").status().message().find("lane 1: no other server has a free") == 0);
}

TEST_CASE("servers share what there is, and what is led", "[server][moves]") {
  const ClusterMap map = MapOf({"L1 L2 L3 L4", "- - - -", "- -"});
  const std::vector<LaneMove> moves = PlanRebalance(map);
  CHECK(moves.size() == 2);
  const ClusterMap after = AfterMoves(map, moves);
  for (const ServerEntry& server : after.servers) {
    CHECK(CountRole(server, ReplicaRole::kLeader) >= 1);
  }
  // After a fail-over one leads all.
  CHECK(Text(PlanRebalance(MapOf({"L1 L2 L3", "F1 F2 F3"}))) == "1 a=>b");
}

TEST_CASE("moves that have not begun are taken back, with what rests on them", "[server][moves]") {
  ClusterMap map = MapOf({"L1 L2 L3", "- - -", "-"});
  std::vector<LaneMove> moves = {{NodeId{1}, "a", "b", false},
                                 {NodeId{1}, "b", "c", false},
                                 {NodeId{2}, "a", "b", false},
                                 {NodeId{3}, "a", "b", false}};
  CHECK(Step(map, moves));
  CHECK(Text(map) == "L1 L2 L3 | J1 J2 - | -");  // Two at a time.
  CancelMoves(map, moves);
  CHECK(Text(moves) == "1 a->b, 2 a->b");
}

TEST_CASE("from any map any plan ends where it says", "[server][moves][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 300));
  CAPTURE(seed);
  Rng rng(seed);
  ClusterMap map;
  map.version = 2;
  map.replicas = static_cast<std::uint32_t>(1 + rng.Below(3));
  const std::size_t servers = map.replicas + rng.Below(3);
  const std::size_t lanes = map.replicas * (1 + rng.Below(3));
  for (std::size_t s = 0; s < servers; ++s) {
    map.servers.push_back({.name = absl::StrCat("s", s),
                           .incarnation = 1,
                           .host = "",
                           .lanes = std::vector<LaneEntry>(lanes)});
  }
  FormReplicas(map);
  for (ServerEntry& server : map.servers) {
    server.lanes.resize(server.lanes.size() + rng.Below(6),
                        {.node = {}, .addresses = {}, .role = ReplicaRole::kNone});
  }
  std::vector<LaneMove> moves;
  for (int i = 0; i < 4; ++i) {
    const ClusterMap now = AfterMoves(map, moves);
    const std::string server = absl::StrCat("s", rng.Below(servers));
    std::vector<LaneMove> more;
    if (rng.Below(3) == 0) {
      more = PlanRebalance(now);
    } else if (rng.Below(2) == 0) {
      const auto plan = PlanDrain(now, server);
      if (plan.ok()) more = *plan;
    } else {
      const NodeId lane{static_cast<std::uint32_t>(1 + rng.Below(map.lanes.size()))};
      const auto plan = PlanMove(now, lane, server);
      if (plan.ok()) more = *plan;
    }
    moves.insert(moves.end(), more.begin(), more.end());
  }
  const ClusterMap want = AfterMoves(map, moves);
  for (int i = 0; i < 10'000 && !moves.empty(); ++i) {
    Step(map, moves);
    // Whoever joins or hands over is done some time.
    const std::string server = absl::StrCat("s", rng.Below(servers));
    for (std::size_t l = 0; l < map.lanes.size(); ++l) {
      TakeFollower(map, server, map.lanes[l], map.lane_epochs[l]);
    }
  }
  REQUIRE(moves.empty());
  for (const NodeId lane : map.lanes) {
    for (std::size_t s = 0; s < servers; ++s) {
      const auto count = [&](const ClusterMap& m, ReplicaRole role) {
        return std::ranges::count_if(m.servers[s].lanes, [&](const LaneEntry& place) {
          return place.node == lane && place.role == role;
        });
      };
      CHECK(count(map, ReplicaRole::kLeader) == count(want, ReplicaRole::kLeader));
      CHECK(count(map, ReplicaRole::kFollower) == count(want, ReplicaRole::kFollower));
    }
  }
}

std::vector<LaneLoad> Loads(const std::vector<std::uint64_t>& by_lane) {
  std::vector<LaneLoad> loads;
  for (std::size_t i = 0; i < by_lane.size(); ++i) {
    loads.push_back({.lane = NodeId{static_cast<std::uint32_t>(i + 1)},
                     .rows = 1,
                     .rows_pulled = by_lane[i] / 2,
                     .rows_pushed = by_lane[i] - by_lane[i] / 2});
  }
  return loads;
}

// Of the server that is asked for the most.
std::uint64_t Most(const ClusterMap& map, const std::vector<LaneLoad>& loads) {
  std::uint64_t most = 0;
  for (const ServerEntry& server : map.servers) {
    std::uint64_t load = 0;
    for (const LaneEntry& place : server.lanes) {
      if (place.role != ReplicaRole::kLeader) continue;
      const LaneLoad& lane = loads[static_cast<std::uint32_t>(place.node) - 1];
      load += lane.rows_pulled + lane.rows_pushed;
    }
    most = std::max(most, load);
  }
  return most;
}

std::uint64_t Sum(const std::vector<LaneLoad>& loads) {
  std::uint64_t sum = 0;
  for (const LaneLoad& load : loads) sum += load.rows_pulled + load.rows_pushed;
  return sum;
}

TEST_CASE("rebalancing evens out what lanes are asked for", "[server][moves]") {
  const auto plan = [](const std::vector<std::string>& servers,
                       const std::vector<std::uint64_t>& loads) {
    return Text(PlanRebalance(MapOf(servers), Loads(loads)));
  };
  // Two hot lanes on one server: one goes, and one that is cold comes for it.
  CHECK(plan({"L1 L2 -", "L3 L4 -"}, {100, 90, 10, 10}) == "1 a->b, 3 b->a");
  // Where both have the lanes already, only who leads them changes.
  CHECK(plan({"L1 L2 F3 F4", "F1 F2 L3 L4"}, {100, 90, 10, 10}) == "2 a=>b");
  // Without a free place nothing can be exchanged; and little is not worth a move.
  CHECK(plan({"L1 L2", "L3 L4"}, {100, 90, 10, 10}).empty());
  CHECK(plan({"L1 L2 -", "L3 L4 -"}, {100, 98, 100, 99}).empty());
  CHECK(plan({"L1 L2 -", "L3 L4 -"}, {0, 0, 0, 0}).empty());
  // One that is new gets as many as the other has.
  CHECK(plan({"L1 L2 L3 L4", "- - - -"}, {70, 10, 10, 10}) == "4 a->b, 3 a->b");
  CHECK(plan({"L1 L2 L3 L4", "- - - -"}, {10, 10, 10, 70}) == "4 a->b, 3 a->b");
  // A lane that is hotter than all others stays alone, as far as numbers allow.
  CHECK(plan({"L1 L2 L3 F4 F5", "L4 L5 F1 F2 F3"}, {90, 10, 10, 10, 10}) == "2 a=>b, 3 a=>b");
}

TEST_CASE("a plan for what lanes are asked for takes from the busiest, and comes to an end",
          "[server][moves]") {
  const std::uint64_t seed = GENERATE(range(0ULL, 300ULL));
  CAPTURE(seed);
  Rng rng(seed);
  const std::size_t servers = 2 + rng.Below(4);
  std::vector<std::string> words(servers);
  std::vector<std::uint64_t> by_lane;
  for (std::uint32_t lane = 1; lane <= 9; ++lane) {
    const std::size_t leads = rng.Below(servers);
    absl::StrAppend(&words[leads], "L", lane);
    if (rng.Below(2) == 0) absl::StrAppend(&words[(leads + 1) % servers], "F", lane);
    by_lane.push_back(rng.Below(3) == 0 ? rng.Below(1000) : rng.Below(30));
  }
  for (std::string& server : words) {
    for (std::uint64_t i = 0, n = rng.Below(4); i < n; ++i) server += '-';
    if (server.empty()) server = "-";
  }
  const ClusterMap map = MapOf(words);
  const std::vector<LaneLoad> loads = Loads(by_lane);
  const ClusterMap by_load = AfterMoves(map, PlanRebalance(map, loads));
  CHECK(Most(by_load, loads) <=
        Most(AfterMoves(map, PlanRebalance(map)), loads) + Sum(loads) / servers / 10);
  CHECK(Text(PlanRebalance(by_load, loads)).empty());  // It would be the same tomorrow.
  for (const NodeId lane : map.lanes) {
    std::size_t leaders = 0;
    for (const ServerEntry& server : by_load.servers) {
      leaders += static_cast<std::size_t>(std::ranges::count_if(server.lanes, [&](const auto& p) {
        return p.node == lane && p.role == ReplicaRole::kLeader;
      }));
    }
    CHECK(leaders == 1);
  }
}

}  // namespace
}  // namespace longtail::server
