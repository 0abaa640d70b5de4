// Plans of moves, and their steps.
#include "server/lane_moves.h"

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
  map.version = 1;
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
  const auto version = [&](const ServerEntry&) { return are_current ? map.version : 0; };
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

}  // namespace
}  // namespace longtail::server
