// The coordinator's rules, event by event: no threads, no sockets, a clock of our own.
#include "server/coordinator_core.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/version.h"
#include "protocol/sample_messages.h"
#include "server/coordinator_bench.h"

namespace longtail::server {
namespace {

using Bench = test::CoordinatorBench;

constexpr NodeId kAsker = Bench::kAsker;
constexpr NodeId kOther{0x80000002};

ServerEntry Server(const std::string& name, std::uint64_t incarnation = 1, std::size_t lanes = 1) {
  return Bench::Server(name, incarnation, lanes);
}

bool Says(const absl::Status& status, const std::string& text) {
  INFO(status.ToString());
  return std::string(status.message()).find(text) != std::string::npos;
}

TEST_CASE("a cluster is formed when its last server joins", "[server][coordinator]") {
  Bench bench({.servers = 2, .partitions = 8});
  const auto first = bench.Ask<MapReply>(kAsker, JoinServer{7, Server("b", 1, 2)});
  CHECK(first.request == 7);
  CHECK(first.map == nullptr);
  CHECK(first.waits_for == "1 of 2 servers; here: b");
  CHECK(bench.writes == 0);

  const auto second = bench.Ask<MapReply>(kOther, JoinServer{8, Server("a")});
  REQUIRE(second.map != nullptr);
  CHECK(bench.writes == 1);
  CHECK(second.map->servers[0].name == "a");  // By name, whoever came first.
  CHECK(second.map->lanes == std::vector<NodeId>{NodeId{1}, NodeId{2}, NodeId{3}});
  CHECK(second.map->lane_of == std::vector<std::uint32_t>{0, 0, 0, 1, 1, 1, 2, 2});
  CHECK(*bench.Ask<MapReply>(kAsker, JoinServer{9, Server("b", 1, 2)}).map == *second.map);
  CHECK(*bench.Ask<MapReply>(kAsker, MapRequest{10}).map == *second.map);
}

TEST_CASE("a server that stopped asking is not waited for", "[server][coordinator]") {
  Bench bench({.servers = 2, .lease = absl::Seconds(10)});
  bench.Say(kAsker, JoinServer{1, Server("gone")});
  bench.now += absl::Seconds(11);
  bench.Say(kAsker, JoinServer{1, Server("a")});
  CHECK_FALSE(bench.core->is_formed());
  bench.Say(kAsker, JoinServer{1, Server("b")});
  REQUIRE(bench.core->is_formed());
  CHECK(bench.core->state().map.servers[1].name == "b");
}

TEST_CASE("a server's name is its own while it asks", "[server][coordinator]") {
  Bench bench({.servers = 2, .lease = absl::Seconds(10)});
  bench.Say(kAsker, JoinServer{1, Server("a", 1)});
  bench.now += absl::Seconds(9);
  const auto taken = bench.Ask<MapReply>(kAsker, JoinServer{1, Server("a", 2)});
  CHECK(absl::IsUnavailable(taken.status));  // It may be the next life of the first.
  CHECK(Says(taken.status, "server name 'a' is taken by another process, unless that is silent"));
  bench.now += absl::Seconds(2);
  CHECK(bench.Ask<MapReply>(kAsker, JoinServer{1, Server("a", 2)}).status.ok());
  bench.Say(kAsker, JoinServer{1, Server("b")});
  REQUIRE(bench.core->is_formed());
  CHECK(bench.core->state().map.servers[0].incarnation == 2);
}

TEST_CASE("servers that do not belong are refused by name", "[server][coordinator]") {
  Bench bench({.servers = 1, .partitions = 2});
  CHECK(Says(bench.Ask<MapReply>(kAsker, JoinServer{1, Server("a", 1, 3)}).status,
             "server 'a' with 3 lanes makes 3: want at most 2, one for each partition"));
  CHECK(Says(bench.Ask<MapReply>(kAsker, JoinServer{1, Server("", 1, 1)}).status, "want a name"));
  bench.Form(1);
  CHECK(Says(bench.Ask<MapReply>(kAsker, JoinServer{1, Server("s0", 2)}).status,
             "server 's0' was another process when this cluster was formed"));
}

TEST_CASE("a server that has its rows from its log takes its place again",
          "[server][coordinator]") {
  Bench bench({.servers = 2, .partitions = 8, .cluster = 99});
  for (const char* const name : {"s0", "s1"}) {
    ServerEntry server = Server(name, 1, 2);
    server.log = 7;
    bench.Say(kAsker, JoinServer{1, server});
  }
  REQUIRE(bench.core->is_formed());
  const ClusterMap before = bench.core->state().map;
  CHECK(before.cluster == 99);
  ServerEntry again = Server("s1", 2, 2);
  again.log = 7;
  again.lanes[0].addresses = {"tcp://elsewhere:5"};
  const std::size_t writes = bench.writes;

  const auto reply = bench.Ask<MapReply>(kOther, JoinServer{1, again, 99});

  REQUIRE(reply.map != nullptr);
  CHECK(bench.writes == writes + 1);
  CHECK(reply.map->version == before.version + 1);
  CHECK(reply.map->lanes == before.lanes);
  CHECK(reply.map->lane_of == before.lane_of);
  CHECK(reply.map->servers[0] == before.servers[0]);
  CHECK(reply.map->servers[1].incarnation == 2);
  CHECK(reply.map->servers[1].lanes[0].node == before.servers[1].lanes[0].node);
  CHECK(reply.map->servers[1].lanes[0].addresses == std::vector<std::string>{"tcp://elsewhere:5"});
  // Asked again, it is there; the one it follows has no place any more.
  CHECK(bench.Ask<MapReply>(kOther, JoinServer{2, again, 99}).map->version == before.version + 1);
  Heartbeat late{.request = 1,
                 .session = {},
                 .server = "s1",
                 .incarnation = 1,
                 .map_version = 1,
                 .rows = 0,
                 .bytes = 0};
  CHECK(absl::IsNotFound(bench.Ask<MapReply>(kAsker, late).status));
  late.incarnation = 2;
  CHECK(bench.Ask<MapReply>(kAsker, late).map->version == before.version + 1);
}

TEST_CASE("a log of another cluster or of other lanes is refused by name",
          "[server][coordinator]") {
  Bench bench({.servers = 1, .partitions = 8, .cluster = 99});
  CHECK(Says(bench.Ask<MapReply>(kAsker, JoinServer{1, Server("s0"), 99}).status,
             "server 's0' has the log of another cluster"));  // Of one that was never formed.
  ServerEntry server = Server("s0", 1, 2);
  server.log = 7;
  bench.Say(kAsker, JoinServer{1, server});
  CHECK(Says(bench.Ask<MapReply>(kAsker, JoinServer{1, Server("s0", 2, 2), 98}).status,
             "server 's0' has the log of another cluster: want that one's coordinator"));
  ServerEntry more = Server("s0", 2, 3);
  more.log = 7;
  CHECK(Says(bench.Ask<MapReply>(kAsker, JoinServer{1, more, 99}).status,
             "server 's0' has places for 3 replicas of lanes: it had 2, want as many"));
  CHECK(bench.core->state().map.version == 1);
}

TEST_CASE("a table is there once every lane has it", "[server][coordinator]") {
  Bench bench({.servers = 2});
  CHECK(absl::IsUnavailable(
      bench.Ask<TableReply>(kAsker, DefineTable{1, test::SampleSpec(1)}).status));
  bench.Form(2);
  const auto told = bench.Say(kAsker, DefineTable{5, test::SampleSpec(1)});
  REQUIRE(told.size() == 2);
  CHECK(std::get<CreateTable>(told[0].body).table == TableId{0});
  CHECK(bench.core->state().pending == test::SampleSpec(1));
  CHECK(bench.core->state().map.tables.empty());

  const auto first = bench.AcknowledgeAll({told[0]});
  CHECK(first.empty());
  bench.now += absl::Seconds(2);  // The other lane is told again.
  const auto again = bench.Tick();
  REQUIRE(again.size() == 1);
  CHECK(again[0].target == told[1].target);
  const auto answers = bench.AcknowledgeAll(again);
  REQUIRE(answers.size() == 1);
  CHECK(std::get<TableReply>(answers[0].body).request == 5);
  CHECK(bench.core->state().map.version == 2);

  // The same again, and another spec of that name.
  CHECK(bench.Ask<TableReply>(kOther, DefineTable{6, test::SampleSpec(1)}).status.ok());
  CHECK(absl::IsAlreadyExists(
      bench.Ask<TableReply>(kOther, DefineTable{6, test::SampleSpec(2)}).status));
}

TEST_CASE("a lane that refuses a table ends its creation", "[server][coordinator]") {
  Bench bench({.servers = 1});
  bench.Form(1);
  const auto told = bench.Say(kAsker, DefineTable{5, test::SampleSpec(1)});
  const auto answers = bench.AcknowledgeAll(told, absl::ResourceExhaustedError("no memory"));
  REQUIRE(answers.size() == 1);
  CHECK(absl::IsResourceExhausted(std::get<TableReply>(answers[0].body).status));
  CHECK(bench.core->state().map.tables.empty());
  CHECK_FALSE(bench.core->state().pending.has_value());
}

TEST_CASE("a coordinator that comes back ends what it began", "[server][coordinator]") {
  CoordinatorCore::Options options{.servers = 1, .workers = 2, .lease = absl::Seconds(10)};
  Bench before(options);
  before.Form(1);
  before.Say(kAsker, JoinWorker{1, "w", 77, 1});
  before.Say(kAsker, DefineTable{5, test::SampleSpec(1)});
  const std::string blob = EncodeCoordinatorState(before.core->state());

  Bench after(*CoordinatorCore::Resume(
      options, *DecodeCoordinatorState("s", std::as_bytes(std::span(blob)))));
  after.now = before.now + absl::Hours(1);
  const auto told = after.Tick();  // The lane hears of the table again; the worker keeps its place.
  REQUIRE(told.size() == 1);
  CHECK(std::get<CreateTable>(told[0].body).spec == test::SampleSpec(1));
  after.AcknowledgeAll(told);
  CHECK(after.core->state().map.tables.size() == 1);
  CHECK(after.Ask<WorkerPlace>(kAsker, JoinWorker{2, "w", 77, 1}).session == SessionId{1});
  CHECK(after.Ask<WorkerPlace>(kAsker, JoinWorker{2, "x", 78, kAnyRank}).session == SessionId{2});

  options.servers = 3;
  CHECK(Says(CoordinatorCore::Resume(options, before.core->state()).status(),
             "servers 3: this coordinator's state says 1"));
}

TEST_CASE("workers get ranks, once each", "[server][coordinator]") {
  Bench bench({.servers = 1, .workers = 2});
  CHECK(absl::IsUnavailable(bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "w", 5, 0}).status));
  bench.Form(1);
  const auto first = bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "w", 5, 1});
  CHECK(first.rank == 1);
  CHECK(bench.Ask<WorkerPlace>(kAsker, JoinWorker{2, "w", 5, 1}).session == first.session);
  CHECK(Says(bench.Ask<WorkerPlace>(kAsker, JoinWorker{3, "x", 6, 1}).status,
             "worker rank 1 belongs to 'w' until it leaves or is silent for 10s"));
  CHECK(Says(bench.Ask<WorkerPlace>(kAsker, JoinWorker{3, "x", 6, 2}).status,
             "worker rank 2: this cluster has 2 workers, want 0..1"));
  CHECK(bench.Ask<WorkerPlace>(kAsker, JoinWorker{3, "x", 6, kAnyRank}).rank == 0);
  CHECK(Says(bench.Ask<WorkerPlace>(kAsker, JoinWorker{4, "y", 7, kAnyRank}).status,
             "all 2 workers of this cluster are connected"));
}

TEST_CASE("a worker that falls silent leaves, and lanes are told until they know",
          "[server][coordinator]") {
  Bench bench({.servers = 1, .workers = 2, .lease = absl::Seconds(10)});
  bench.Form(1, 2);
  const auto place = bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "w", 5, 0});
  const auto other = bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "x", 6, 1});
  bench.now += absl::Seconds(9);
  const auto beat = [&](SessionId session) {
    return bench.Ask<MapReply>(kAsker, Heartbeat{.request = 3, .session = session, .server = {}})
        .status;
  };
  CHECK(beat(other.session).ok());
  bench.now += absl::Seconds(2);
  const auto told = bench.Tick();
  REQUIRE(told.size() == 2);
  CHECK(std::get<CloseSession>(told[0].body).session == place.session);
  CHECK(absl::IsNotFound(beat(place.session)));
  CHECK(beat(other.session).ok());
  bench.AcknowledgeAll({told[0]});
  CHECK(bench.core->state().workers.size() == 2);  // A lane does not know yet.
  bench.now += absl::Seconds(1);
  const auto again = bench.Tick();
  REQUIRE(again.size() == 1);
  bench.AcknowledgeAll(again);
  CHECK(bench.core->state().workers.size() == 1);
  CHECK(bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "z", 9, 0}).status.ok());
}

TEST_CASE("who leaves is answered when every lane knows", "[server][coordinator]") {
  Bench bench({.servers = 1});
  bench.Form(1);
  const auto place = bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "w", 5, 0});
  const auto told = bench.Say(kAsker, LeaveWorker{8, place.session});
  REQUIRE(told.size() == 1);
  const auto answers = bench.AcknowledgeAll(told);
  REQUIRE(answers.size() == 1);
  CHECK(std::get<Acknowledgement>(answers[0].body).request == 8);
  CHECK(bench.Ask<Acknowledgement>(kAsker, LeaveWorker{9, place.session}).status.ok());
}

TEST_CASE("workers that are silent for a lease are counted, those that leave are not",
          "[server][coordinator]") {
  Bench bench({.servers = 1, .workers = 2});
  bench.Form(1);
  const auto first = bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "w", 5, 0});
  const auto second = bench.Ask<WorkerPlace>(kAsker, JoinWorker{2, "v", 6, 1});
  REQUIRE(second.status.ok());
  bench.AcknowledgeAll(bench.Say(kAsker, LeaveWorker{8, first.session}));
  CHECK(bench.core->workers_given_up() == 0);
  bench.now += absl::Seconds(11);
  Effects effects;
  for (int i = 0; i < 3; ++i) bench.core->Tick(bench.now, effects);
  CHECK(bench.core->workers_given_up() == 1);
}

TEST_CASE("what cannot be written has not happened", "[server][coordinator]") {
  Bench bench({.servers = 1, .workers = 2});
  bench.store_works = false;
  const auto refused = bench.Ask<MapReply>(kAsker, JoinServer{1, Server("a")});
  CHECK(Says(refused.status, "the coordinator cannot write its state: disk full"));
  CHECK_FALSE(bench.core->is_formed());
  bench.store_works = true;
  bench.Form(1);

  bench.store_works = false;
  CHECK(absl::IsResourceExhausted(bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "w", 5, 0}).status));
  CHECK(absl::IsResourceExhausted(
      bench.Ask<TableReply>(kAsker, DefineTable{1, test::SampleSpec(1)}).status));
  CHECK(bench.core->state().workers.empty());
  CHECK_FALSE(bench.core->state().pending.has_value());
  bench.store_works = true;
  CHECK(bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "w", 5, 0}).status.ok());
}

TEST_CASE("a coordinator says who it is, before it has a cluster, too", "[server][coordinator]") {
  Bench bench({.servers = 1, .partitions = 16, .workers = 1, .lease = absl::Seconds(10)});
  const auto about = bench.Ask<AboutReply>(kAsker, AboutRequest{1});
  CHECK(about.name == "coordinator");
  CHECK(about.version == ProgramVersion());
  CHECK(about.time_us == static_cast<std::uint64_t>(absl::ToUnixMicros(bench.now)));
}

TEST_CASE("members are listed, and who is late", "[server][coordinator]") {
  Bench bench({.servers = 1, .partitions = 16, .workers = 1, .lease = absl::Seconds(10)});
  CHECK(bench.Ask<MembersReply>(kAsker, MembersRequest{1}).waits_for == "1 of 1 servers");
  bench.Form(1, 2);
  bench.Say(kAsker, Heartbeat{.request = 1,
                              .session = {},
                              .server = "s0",
                              .incarnation = 1,
                              .map_version = 1,
                              .rows = 12,
                              .bytes = 34});
  bench.Say(kAsker, JoinWorker{1, "w", 5, 0});
  bench.now += absl::Seconds(11);
  const auto reply = bench.Ask<MembersReply>(kAsker, MembersRequest{2});
  REQUIRE(reply.members.size() == 2);
  CHECK(reply.members[0].partitions == 16);
  CHECK(reply.members[0].rows == 12);
  CHECK(reply.members[0].silent_ms == 11000);
  CHECK(reply.members[0].is_late);
  CHECK(reply.members[0].problem == "silent; its lanes were at tcp://s0:0");
  CHECK(reply.members[1].kind == MemberKind::kWorker);
}

TEST_CASE("options out of range are refused", "[server][coordinator]") {
  CHECK(Says(CoordinatorCore::Make({.servers = 0}).status(), "servers 0: want 1.."));
  CHECK(Says(CoordinatorCore::Make({.partitions = 3}).status(), "partitions 3: want a power of"));
  CHECK(Says(CoordinatorCore::Make({.workers = 0}).status(), "workers 0: want 1.."));
  CHECK(Says(CoordinatorCore::Make({.lease = absl::ZeroDuration()}).status(), "lease"));
}

// --- Replicas and moves --------------------------------------------------------------------------

Heartbeat Beat(const Bench& bench, const std::string& server, std::uint64_t incarnation = 1,
               std::vector<LaneEpoch> caught_up = {}) {
  return {.request = 5,
          .session = {},
          .server = server,
          .incarnation = incarnation,
          .map_version = bench.core->state().map.version,
          .rows = 0,
          .bytes = 0,
          .caught_up = std::move(caught_up)};
}

ReplicaRole RoleOf(const Bench& bench, std::size_t server, std::size_t place) {
  return bench.core->state().map.servers[server].lanes[place].role;
}

TEST_CASE("rates are of a server's last seconds, and of none that is late or began anew",
          "[server][coordinator]") {
  Bench bench({.servers = 1, .partitions = 16, .workers = 1, .lease = absl::Seconds(10)});
  bench.Form(1, 2);
  const auto beat = [&](absl::Duration later, std::uint64_t pulled, std::uint64_t pushed) {
    bench.now += later;
    Heartbeat heartbeat = Beat(bench, "s0");
    heartbeat.rows_pulled = pulled;
    heartbeat.rows_pushed = pushed;
    bench.Say(kAsker, heartbeat);
  };
  const auto rates = [&] {
    const auto reply = bench.Ask<MembersReply>(kAsker, MembersRequest{2});
    return std::pair(reply.members[0].rows_pulled_per_second,
                     reply.members[0].rows_pushed_per_second);
  };
  using Rates = std::pair<std::uint64_t, std::uint64_t>;
  beat(absl::Seconds(1), 5000, 7000);
  CHECK(rates() == Rates{0, 0});  // Since when is not known.
  beat(absl::Seconds(1.9), 6000, 8000);
  CHECK(rates() == Rates{0, 0});
  beat(absl::Seconds(0.6), 7500, 7100);
  CHECK(rates() == Rates{1000, 40});
  beat(absl::Seconds(4), 7500, 7500);
  CHECK(rates() == Rates{0, 100});
  beat(absl::Seconds(2), 300, 8500);
  CHECK(rates() == Rates{0, 500});
  bench.now += absl::Seconds(11);
  CHECK(rates() == Rates{0, 0});
}

TEST_CASE("tables are what the servers last told of them, together", "[server][coordinator]") {
  Bench bench({.servers = 2, .partitions = 16, .workers = 1});
  bench.Form(2, 1);
  const auto tell = [&](const std::string& server, std::vector<std::uint64_t> rows) {
    Heartbeat heartbeat = Beat(bench, server);
    for (const std::uint64_t n : rows) {
      heartbeat.tables.emplace_back().rows = n;
      heartbeat.tables.back().rows_by_count = {{1, n}};
    }
    bench.Say(kAsker, heartbeat);
  };
  const auto tables = [&] { return bench.Ask<MembersReply>(kAsker, MembersRequest{2}).tables; };
  CHECK(tables().empty());
  tell("s0", {5});
  tell("s1", {7, 1});  // A table so new that the other has not told of it.
  REQUIRE(tables().size() == 2);
  CHECK(tables()[0].rows == 12);
  CHECK(tables()[0].rows_by_count == std::vector<std::pair<std::uint32_t, std::uint64_t>>{{1, 12}});
  CHECK(tables()[1].rows == 1);
  tell("s0", {});  // Nothing new.
  CHECK(tables()[0].rows == 12);
  tell("s0", {0, 0});  // All its lanes went elsewhere.
  CHECK(tables()[0].rows == 7);
}

TEST_CASE("a silent server's lanes go to their followers, and it joins them when it comes back",
          "[server][coordinator][replica]") {
  Bench bench({.servers = 2, .partitions = 8, .replicas = 2});
  bench.Form(2, 2);
  const ClusterMap formed = bench.core->state().map;
  CHECK(formed.lanes.size() == 2);
  CHECK(formed.lane_of == std::vector<std::uint32_t>{0, 0, 0, 0, 1, 1, 1, 1});
  bench.now += absl::Seconds(1.5);
  bench.Say(kAsker, Beat(bench, "s1"));
  bench.Tick();
  CHECK(bench.core->state().map == formed);
  bench.now += absl::Seconds(1);
  // What cannot be written down has not happened.
  bench.store_works = false;
  bench.Tick();
  CHECK(bench.core->state().map == formed);
  bench.store_works = true;
  const std::vector<Envelope> news = bench.Tick();  // Unasked, to who says that it lives.
  REQUIRE(news.size() == 1);
  CHECK(news[0].target == kAsker);
  CHECK(*std::get<MapReply>(news[0].body).map == bench.core->state().map);
  CHECK(RoleOf(bench, 1, 0) == ReplicaRole::kLeader);
  CHECK(RoleOf(bench, 1, 1) == ReplicaRole::kLeader);
  CHECK(RoleOf(bench, 0, 0) == ReplicaRole::kNone);
  // It comes back as another process, at another address, without a log.
  const auto joined = bench.Ask<MapReply>(kOther, JoinServer{1, Server("s0", 2, 2)});
  CHECK(joined.status.ok());
  bench.Say(kOther, Beat(bench, "s0", 2));
  CHECK(RoleOf(bench, 0, 0) == ReplicaRole::kJoining);
  const std::vector<std::uint64_t> epochs = bench.core->state().map.lane_epochs;
  bench.Say(kOther, Beat(bench, "s0", 2, {{NodeId{1}, epochs[0]}, {NodeId{2}, epochs[1] - 1}}));
  CHECK(RoleOf(bench, 0, 0) == ReplicaRole::kFollower);
  CHECK(RoleOf(bench, 0, 1) == ReplicaRole::kJoining);
  // One that leads what nobody else has may not lose it.
  const auto refused = bench.Ask<MapReply>(kOther, JoinServer{1, Server("s1", 2, 2)});
  CHECK(Says(refused.status, "server 's1' led lane 2, of which no other server"));
}

TEST_CASE("servers of a replicated cluster have as many places, a multiple of the replicas",
          "[server][coordinator][replica]") {
  Bench bench({.servers = 2, .partitions = 8, .replicas = 2});
  CHECK(Says(bench.Ask<MapReply>(kAsker, JoinServer{1, Server("a", 1, 3)}).status,
             "has places for 3 replicas of lanes: this cluster keeps 2 of each"));
  CHECK(bench.Ask<MapReply>(kAsker, JoinServer{1, Server("a", 1, 2)}).status.ok());
  CHECK(Says(bench.Ask<MapReply>(kAsker, JoinServer{1, Server("b", 1, 4)}).status,
             "want as many in each"));
  CHECK(Says(CoordinatorCore::Make({.servers = 1, .replicas = 2}).status(),
             "replicas 2: want 1..1, each on a server of its own"));
}

TEST_CASE("a server joins a cluster that is formed, and gets lanes when an operator says so",
          "[server][coordinator][moves]") {
  Bench bench({.servers = 1, .partitions = 8});
  bench.Form(1, 2);
  CHECK(bench.Ask<MapReply>(kOther, JoinServer{1, Server("t", 1, 2)}).status.ok());
  CHECK(RoleOf(bench, 1, 0) == ReplicaRole::kNone);
  const auto move = [&](Placing placing, std::uint32_t lane, const std::string& server) {
    return bench.Ask<Acknowledgement>(kAsker, PlaceLanes{9, placing, NodeId{lane}, server}).status;
  };
  CHECK(Says(move(Placing::kMove, 7, "t"), "there is no lane 7"));
  CHECK(move(Placing::kMove, 2, "t").ok());
  CHECK(move(Placing::kMove, 2, "t").ok());  // Asked again it is the same move.
  CHECK(bench.core->state().moves.size() == 1);
  CHECK(RoleOf(bench, 1, 0) == ReplicaRole::kNone);
  bench.Say(kAsker, Beat(bench, "s0"));  // The leader has a map.
  CHECK(RoleOf(bench, 1, 0) == ReplicaRole::kJoining);
  CHECK(bench.Ask<MembersReply>(kAsker, MembersRequest{1}).moves_left == 1);
  bench.Say(kOther, Beat(bench, "t", 1, {{NodeId{2}, 2}}));
  bench.Say(kAsker, Beat(bench, "s0", 1, {{NodeId{2}, 2}}));  // It has handed over.
  bench.Say(kOther, Beat(bench, "t"));
  bench.Say(kOther, Beat(bench, "t"));
  CHECK(RoleOf(bench, 1, 0) == ReplicaRole::kLeader);
  CHECK(RoleOf(bench, 0, 1) == ReplicaRole::kNone);
  CHECK(bench.core->state().moves.empty());
  // A server that has nothing and is gone is forgotten.
  CHECK(move(Placing::kDrain, 0, "t").ok());
  CHECK(bench.core->state().map.servers[1].is_drained);
  CHECK(bench.core->state().moves.size() == 1);
}

TEST_CASE("nobody waits for a server that says it ends, until it is heard again",
          "[server][coordinator][replica]") {
  Bench bench({.servers = 2, .partitions = 8, .replicas = 2});
  bench.Form(2, 2);
  REQUIRE(RoleOf(bench, 0, 0) == ReplicaRole::kLeader);
  REQUIRE(RoleOf(bench, 0, 1) == ReplicaRole::kFollower);
  bench.Say(kOther, Beat(bench, "s1"));
  const auto say_away = [&](const std::string& server) {
    return bench
        .Ask<Acknowledgement>(
            kAsker,
            PlaceLanes{.request = 9, .placing = Placing::kAway, .lane = {}, .server = server})
        .status;
  };
  CHECK(Says(say_away("s7"), "there is no server 's7'"));
  CHECK(RoleOf(bench, 0, 1) == ReplicaRole::kFollower);

  CHECK(say_away("s0").ok());
  CHECK(RoleOf(bench, 0, 0) == ReplicaRole::kNone);
  CHECK(RoleOf(bench, 0, 1) == ReplicaRole::kNone);
  CHECK(RoleOf(bench, 1, 0) == ReplicaRole::kLeader);
  CHECK(RoleOf(bench, 1, 1) == ReplicaRole::kLeader);

  bench.Say(kAsker, Beat(bench, "s0"));
  CHECK(RoleOf(bench, 0, 0) == ReplicaRole::kJoining);
}

TEST_CASE("all servers keep logs, or none does", "[server][coordinator]") {
  Bench bench({.servers = 2, .partitions = 8});
  ServerEntry a = Server("a");
  a.log = 77;
  bench.Say(kAsker, JoinServer{1, a});
  CHECK(Says(bench.Ask<MapReply>(kOther, JoinServer{1, Server("b")}).status,
             "server 'b' keeps no log, and 'a' one: want all servers of a cluster alike"));
  ServerEntry b = Server("b");
  b.log = 78;
  bench.Say(kOther, JoinServer{1, b});
  REQUIRE(bench.core->is_formed());
  CHECK(Says(bench.Ask<MapReply>(kOther, JoinServer{1, Server("c")}).status, "want all servers"));
  // Lanes move as anywhere else.
  ServerEntry c = Server("c");
  c.log = 79;
  CHECK(bench.Ask<MapReply>(kOther, JoinServer{1, c}).status.ok());
  CHECK(bench.Ask<Acknowledgement>(kAsker, PlaceLanes{9, Placing::kDrain, {}, "a"}).status.ok());
}

TEST_CASE("a server that comes back with its log leads anew what it led", "[server][coordinator]") {
  Bench bench({.servers = 1, .partitions = 8});
  ServerEntry server = Server("a");
  server.log = 77;
  bench.Say(kAsker, JoinServer{1, server});
  const NodeId lane = bench.core->state().map.lanes[0];
  ++server.incarnation;
  server.lanes[0].addresses = {"tcp://elsewhere:1"};

  const MapReply back = bench.Ask<MapReply>(kAsker, JoinServer{2, server});

  REQUIRE(back.map != nullptr);
  CHECK(back.map->lane_epochs[0] == 2);
  const ServerEntry& entry = back.map->servers[0];
  CHECK(entry.lanes[0].node == lane);
  CHECK(entry.lanes[0].role == ReplicaRole::kLeader);
  CHECK(entry.lanes[0].addresses == server.lanes[0].addresses);

  server.log = 78;  // Its disk was lost.
  ++server.incarnation;
  CHECK(Says(bench.Ask<MapReply>(kAsker, JoinServer{3, server}).status,
             "this one has not the log that it kept"));
}

TEST_CASE("a server that only reads joins a formed cluster, and is forgotten when it is silent",
          "[server][coordinator]") {
  Bench bench({.servers = 1, .partitions = 8, .server_lease = absl::Seconds(2)});
  ServerEntry reader = Server("r", 1, 2);
  for (std::uint32_t i = 0; i < 2; ++i) {
    reader.lanes[i].node = NodeId{1 + i};
    reader.lanes[i].role = ReplicaRole::kReader;
  }
  CHECK(absl::IsUnavailable(bench.Ask<MapReply>(kOther, JoinServer{1, reader}).status));
  bench.Form(1, 2);
  const std::vector<std::uint64_t> epochs = bench.core->state().map.lane_epochs;
  ServerEntry wrong = reader;
  wrong.lanes.pop_back();
  CHECK(
      Says(bench.Ask<MapReply>(kOther, JoinServer{1, wrong}).status, "reads 1 lanes: want all 2"));

  const MapReply joined = bench.Ask<MapReply>(kOther, JoinServer{1, reader});

  REQUIRE(joined.map != nullptr);
  REQUIRE(joined.map->servers.size() == 2);
  CHECK(joined.map->servers[1] == reader);
  CHECK(joined.map->lane_epochs == epochs);  // Nobody is led anew for it.
  CHECK(
      Says(bench.Ask<Acknowledgement>(kAsker, PlaceLanes{9, Placing::kMove, NodeId{1}, "r"}).status,
           "server 'r' only reads"));
  CHECK(bench.Ask<Acknowledgement>(kAsker, PlaceLanes{9, Placing::kRebalance, {}, ""}).status.ok());
  CHECK(bench.core->state().moves.empty());
  ServerEntry other = Server("r", 3, 2);
  CHECK(Says(bench.Ask<MapReply>(kOther, JoinServer{1, other}).status, "want another name"));

  ++reader.incarnation;  // Another process of that name takes its place.
  CHECK(bench.Ask<MapReply>(kOther, JoinServer{2, reader}).map->servers[1] == reader);
  bench.now += absl::Seconds(3);
  bench.Tick();
  CHECK(bench.core->state().map.servers.size() == 1);
}

}  // namespace
}  // namespace longtail::server
