// Who leads and who follows, change by change.
#include "server/replica_places.h"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"

namespace longtail::server {
namespace {

// Servers a, b, c … with one lane each, as the map has their places: L leads, F follows, J joins,
// - none of these.
struct Cluster {
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  explicit Cluster(std::size_t servers, std::uint32_t replicas, std::size_t lanes = 1) {
    map.replicas = replicas;
    for (std::size_t s = 0; s < servers; ++s) {
      ServerEntry server{.name = std::string(1, static_cast<char>('a' + s)),
                         .incarnation = 1,
                         .host = "h",
                         .lanes = {}};
      server.lanes.resize(lanes * replicas);
      heard[server.name] = now;
      map.servers.push_back(std::move(server));
    }
    FormReplicas(map);
  }
  Hearing hearing() const {
    return {.at = at,
            .version = version,
            .now = now,
            .lease = absl::Seconds(2),
            .from_the_first = from_the_first};
  }
  bool Look() { return FollowSilence(map, hearing()); }
  void Pass(absl::Duration time, const std::string& who_is_heard) {
    now += time;
    for (const char name : who_is_heard) heard[std::string(1, name)] = now;
  }
  // "a: L1 F3; b: …"
  std::string Roles() const {
    std::string text;
    for (const ServerEntry& server : map.servers) {
      absl::StrAppend(&text, text.empty() ? "" : "; ", server.name, ":");
      for (const LaneEntry& lane : server.lanes) {
        constexpr char kLetters[] = "LFJ-";
        absl::StrAppend(&text, " ", std::string(1, kLetters[static_cast<int>(lane.role)]),
                        static_cast<std::uint32_t>(lane.node));
      }
    }
    return text;
  }

  ClusterMap map;
  absl::Time now = absl::UnixEpoch();
  std::map<std::string, absl::Time> heard;
  std::function<absl::Time(const ServerEntry&)> at = [this](const ServerEntry& server) {
    return heard.at(server.name);
  };
  std::function<std::uint64_t(const ServerEntry&)> version = [this](const ServerEntry& server) {
    return without_map.count(server.name) != 0 ? 0 : 1;
  };
  std::set<std::string> without_map;
  bool from_the_first = true;
};

TEST_CASE("each lane's replicas are on as many servers", "[server][replica]") {
  CHECK(Cluster(3, 2).Roles() == "a: L1 F3; b: L2 F1; c: L3 F2");
  CHECK(Cluster(2, 2, 2).Roles() == "a: L1 L2 F3 F4; b: L3 L4 F1 F2");
  CHECK(Cluster(3, 3).Roles() == "a: L1 F3 F2; b: L2 F1 F3; c: L3 F2 F1");
  const Cluster cluster(3, 2);
  CHECK(cluster.map.lanes.size() == 3);
  CHECK(cluster.map.lane_epochs == std::vector<std::uint64_t>{1, 1, 1});
  CHECK(CheckPlaces(cluster.map.servers[0], 2).ok());
  CHECK(std::string(CheckPlaces(cluster.map.servers[0], 3).message()).find("--replicas 3") !=
        std::string::npos);
}

TEST_CASE("the lanes of a silent server go to their followers, and those it followed go on",
          "[server][replica]") {
  Cluster cluster(3, 2);
  CHECK_FALSE(cluster.Look());
  cluster.Pass(absl::Seconds(1.9), "ac");
  CHECK_FALSE(cluster.Look());
  cluster.Pass(absl::Seconds(0.2), "ac");
  CHECK(cluster.Look());
  CHECK(cluster.Roles() == "a: L1 F3; b: -2 -1; c: L3 L2");
  CHECK(cluster.map.lane_epochs == std::vector<std::uint64_t>{2, 2, 1});
  CHECK_FALSE(cluster.Look());
  // It was only silent: it joins, and follows once a leader of this time counts it.
  cluster.Pass(absl::Seconds(1), "abc");
  CHECK(cluster.Look());
  CHECK(cluster.Roles() == "a: L1 F3; b: J2 J1; c: L3 L2");
  CHECK(cluster.map.lane_epochs == std::vector<std::uint64_t>{3, 3, 1});
  CHECK_FALSE(TakeFollower(cluster.map, "b", NodeId{2}, 2));
  CHECK(TakeFollower(cluster.map, "b", NodeId{2}, 3));
  CHECK_FALSE(TakeFollower(cluster.map, "b", NodeId{2}, 3));
  CHECK_FALSE(TakeFollower(cluster.map, "b", NodeId{3}, 1));
  CHECK(cluster.Roles() == "a: L1 F3; b: F2 J1; c: L3 L2");
}

TEST_CASE("who joins does not lead, and a lane that nobody else has waits for its leader",
          "[server][replica]") {
  Cluster cluster(2, 2);
  cluster.Pass(absl::Seconds(3), "a");
  cluster.Look();
  cluster.Pass(absl::Seconds(1), "ab");
  cluster.Look();
  CHECK(cluster.Roles() == "a: L1 L2; b: J2 J1");
  cluster.Pass(absl::Seconds(3), "b");
  cluster.Look();
  CHECK(cluster.Roles() == "a: L1 L2; b: J2 J1");
}

TEST_CASE("a follower is not given up for silence that began before its leader's",
          "[server][replica]") {
  Cluster cluster(2, 2);
  cluster.Pass(absl::Seconds(1), "a");  // b was heard last a second before a.
  cluster.Pass(absl::Seconds(1.5), "");
  CHECK(cluster.Look());
  CHECK(cluster.Roles() == "a: L1 L2; b: -2 F1");  // b may be the last that has lane 1.
  cluster.Pass(absl::Seconds(1), "");
  CHECK_FALSE(cluster.Look());
  cluster.Pass(absl::Seconds(1), "b");
  CHECK(cluster.Look());
  CHECK(cluster.Roles() == "a: -1 L2; b: J2 L1");
}

TEST_CASE("another process of a name has nothing: it joins, unless its lanes went with it",
          "[server][replica]") {
  Cluster cluster(3, 2);
  ServerEntry next = cluster.map.servers[1];
  next.incarnation = 2;
  next.lanes[0].addresses = {"tcp://h:9"};
  CHECK(ReplaceServer(cluster.map, next, cluster.hearing()).ok());
  CHECK(cluster.Roles() == "a: L1 F3; b: -2 -1; c: L3 L2");
  CHECK(cluster.map.servers[1].incarnation == 2);
  CHECK(cluster.map.servers[1].lanes[0].addresses == next.lanes[0].addresses);
  cluster.Look();
  CHECK(cluster.Roles() == "a: L1 F3; b: J2 J1; c: L3 L2");

  const ClusterMap before = cluster.map;  // c leads what b has not yet.
  ServerEntry c = cluster.map.servers[2];
  c.incarnation = 2;
  const absl::Status refused = ReplaceServer(cluster.map, c, cluster.hearing());
  CHECK(absl::IsFailedPrecondition(refused));
  CHECK(std::string(refused.message()).find("'c' led lane 2, of which no other") !=
        std::string::npos);
  CHECK(cluster.map == before);
  c.lanes.pop_back();
  CHECK(absl::IsInvalidArgument(ReplaceServer(cluster.map, c, cluster.hearing())));
}

TEST_CASE("another process with the log of one that ended goes on in its places",
          "[server][replica]") {
  Cluster cluster(3, 2);
  for (ServerEntry& server : cluster.map.servers) server.log = 5;
  cluster.Pass(absl::Seconds(30), "");
  cluster.Look();  // All are silent: nobody has more than another.
  const std::string roles = cluster.Roles();
  CHECK(roles == "a: L1 F3; b: L2 F1; c: L3 F2");
  ServerEntry next = cluster.map.servers[1];
  next.incarnation = 2;
  next.lanes[0].addresses = {"tcp://h:9"};
  CHECK(ReplaceServer(cluster.map, next, cluster.hearing()).ok());

  // What it leads, it leads anew: others may have what it did not write down.
  CHECK(cluster.Roles() == roles);
  CHECK(cluster.map.lane_epochs == std::vector<std::uint64_t>{1, 2, 1});
  CHECK(cluster.map.servers[1].lanes[0].addresses == next.lanes[0].addresses);
  // With another log it has nothing, and nobody else is there.
  next.incarnation = 3;
  next.log = 6;
  CHECK(absl::IsFailedPrecondition(ReplaceServer(cluster.map, next, cluster.hearing())));
}

TEST_CASE("a leader goes on without a follower that it alone does not reach", "[server][replica]") {
  Cluster cluster(3, 2);
  for (std::uint64_t s = 0; s < 3; ++s) cluster.map.servers[s].incarnation = 1 + s;
  const StuckReplica b{{NodeId{1}, 1}, 2};
  CHECK_FALSE(GiveUpReplica(cluster.map, "c", b));                      // It does not lead lane 1,
  CHECK_FALSE(GiveUpReplica(cluster.map, "a", {{NodeId{1}, 2}, 2}));    // not in that epoch,
  CHECK_FALSE(GiveUpReplica(cluster.map, "a", {{NodeId{1}, 1}, 3}));    // without that follower,
  CHECK_FALSE(GiveUpReplica(cluster.map, "a", {{NodeId{1}, 1}, 1}));    // itself,
  CHECK_FALSE(GiveUpReplica(cluster.map, "a", {{NodeId{700}, 1}, 2}));  // and there is no such one.
  CHECK(cluster.Roles() == "a: L1 F3; b: L2 F1; c: L3 F2");
  CHECK(GiveUpReplica(cluster.map, "a", b));
  CHECK(cluster.Roles() == "a: L1 F3; b: L2 J1; c: L3 F2");
  CHECK(cluster.map.lane_epochs == std::vector<std::uint64_t>{2, 1, 1});
  CHECK_FALSE(GiveUpReplica(cluster.map, "a", b));  // The epoch is over.
  CHECK_FALSE(cluster.Look());
  // It does not lead: it may lack what was acknowledged since.
  cluster.Pass(absl::Seconds(3), "bc");
  cluster.Look();
  CHECK(cluster.Roles() == "a: L1 -3; b: L2 J1; c: L3 F2");
}

TEST_CASE("of two followers the one whose server leads less takes over", "[server][replica]") {
  Cluster cluster(3, 3);
  cluster.Pass(absl::Seconds(3), "bc");
  cluster.Look();  // b takes lane 1.
  CHECK(cluster.Roles() == "a: -1 -3 -2; b: L2 L1 F3; c: L3 F2 F1");
  Cluster other(3, 3);
  other.map.servers[1].lanes[1].role = ReplicaRole::kJoining;
  other.Pass(absl::Seconds(3), "bc");
  other.Look();
  CHECK(other.Roles() == "a: -1 -3 -2; b: L2 J1 F3; c: L3 F2 L1");
}

TEST_CASE("in its first epoch a lane stays until who is to lead it has had a map",
          "[server][replica]") {
  // b never answers. Under a second epoch a, which saw no first one, could not lead.
  Cluster cluster(2, 2);
  cluster.without_map = {"a", "b"};
  cluster.Pass(absl::Seconds(3), "a");
  CHECK_FALSE(cluster.Look());
  CHECK(cluster.map.lane_epochs == std::vector<std::uint64_t>{1, 1});

  cluster.without_map = {"b"};
  CHECK(cluster.Look());
  CHECK(cluster.Roles() == "a: L1 L2; b: -2 -1");
}

TEST_CASE("of the followers one that has had a map leads a lane in its first epoch",
          "[server][replica]") {
  Cluster cluster(3, 3);
  cluster.without_map = {"a", "b"};
  cluster.Pass(absl::Seconds(3), "bc");
  CHECK(cluster.Look());
  CHECK(cluster.Roles() == "a: -1 -3 F2; b: L2 F1 F3; c: L3 F2 L1");

  // A coordinator that was started again cannot know who had one.
  cluster.from_the_first = false;
  CHECK(cluster.Look());
  CHECK(cluster.Roles() == "a: -1 -3 -2; b: L2 F1 F3; c: L3 F2 L1");
}

}  // namespace
}  // namespace longtail::server
