// A leader and its followers, message by message: what is acknowledged when, and who may lead.
// (test/sim has them with crashes, lost messages and a coordinator.)
#include "server/replica_core.h"

#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/version.h"
#include "protocol/wire.h"
#include "server/replica_bench.h"
#include "server/request_builder.h"

namespace longtail::server {
namespace {

using Bench = test::ReplicaBench;

constexpr NodeId kLane = Bench::kLane;
constexpr SessionId kSession = Bench::kSession;
constexpr std::uint32_t kPartitions = Bench::kPartitions;

NodeId PlaceOf(std::size_t server) {
  return Bench::PlaceOf(server);
}

using Requests = std::vector<std::uint64_t>;

TEST_CASE("a push is acknowledged once every follower has it", "[server][replica]") {
  Bench bench(3);
  bench.Push(0, 0, 11);
  CHECK(bench.Acknowledged().empty());
  CHECK(bench.Weight(0) == 4);
  bench.is_cut[2] = true;
  bench.Settle();
  CHECK(bench.Weight(1) == 4);
  CHECK(bench.Acknowledged().empty());  // c lacks it.
  bench.is_cut[2] = false;
  bench.Pass(absl::Seconds(1));  // It asks again.
  CHECK(bench.Weight(2) == 4);
  CHECK(bench.Acknowledged() == Requests{11});
  bench.Push(0, 0, 12);  // A repeat is acknowledged, and counts once.
  bench.Settle();
  CHECK(bench.Acknowledged() == Requests{11, 12});
  CHECK(bench.Weight(0) == 4);
  CHECK(bench.replicas[1]->lane()->log_end() == bench.replicas[0]->lane()->log_end());
}

TEST_CASE("a leader goes on without a follower once the map does", "[server][replica]") {
  Bench bench(2);
  bench.is_cut[1] = true;
  bench.Push(0, 0, 11);
  bench.Settle();
  CHECK(bench.Acknowledged().empty());
  bench.SetRole(1, ReplicaRole::kNone);
  bench.NextEpoch();
  bench.NextMap();
  bench.Tell(0);
  CHECK(bench.Acknowledged() == Requests{11});
}

TEST_CASE("a leader that was replaced acknowledges nothing, and takes over what its successor has",
          "[server][replica]") {
  Bench bench(2);
  bench.Push(0, 0, 11);
  bench.Settle();
  bench.is_cut[0] = true;
  bench.SetRole(0, ReplicaRole::kNone);
  bench.SetRole(1, ReplicaRole::kLeader);
  bench.NextEpoch();
  bench.NextMap();
  bench.Tell(1);
  bench.answers.clear();
  bench.Push(0, 1, 12);  // To the old one, which does not know.
  bench.Settle();
  CHECK(bench.Acknowledged().empty());
  CHECK(bench.Weight(0) == 5);
  bench.Push(1, 1, 13);  // To the new one.
  bench.Push(1, 2, 14);
  CHECK(bench.Acknowledged() == Requests{13, 14});
  // The old one has what nobody was told of. It learns, and becomes what the new one is.
  bench.is_cut[0] = false;
  bench.SetRole(0, ReplicaRole::kJoining);
  bench.NextEpoch();
  bench.NextMap();
  bench.TellAll();
  bench.Settle();
  CHECK(bench.replicas[0]->gauges().images() == 1);
  CHECK(bench.Weight(0) == 6);
  bench.answers.clear();
  bench.Push(0, 3, 15);
  REQUIRE(bench.answers.size() == 1);
  CHECK(absl::IsUnavailable(bench.answers[0].status));
}

TEST_CASE("who joins is counted only once it has all that was acknowledged", "[server][replica]") {
  Bench bench(2);
  for (std::uint64_t i = 0; i < 20; ++i) bench.Push(0, i, 11 + i);
  bench.Settle();
  // Another process of b, which has nothing, and whose leader still has the log from its beginning.
  bench.SetRole(1, ReplicaRole::kJoining);
  bench.NextEpoch();
  bench.NextMap();
  bench.Restart(1);
  bench.Tell(0);
  bench.is_cut[0] = true;  // It asks, and hears nothing yet.
  bench.Tell(1);
  bench.Settle();
  CHECK(bench.replicas[1]->gauges().caught_up().epoch == 0);
  bench.is_cut[0] = false;
  bench.Pass(absl::Seconds(1));
  CHECK(bench.Weight(1) == 23);
  bench.Pass(absl::Milliseconds(300));  // Its leader has nothing more.
  CHECK(bench.replicas[1]->gauges().caught_up().epoch == 2);
  CHECK(bench.replicas[1]->gauges().caught_up().lane == kLane);
  CHECK(bench.replicas[1]->gauges().images() == 0);
  // From then on nothing is acknowledged that it has not, whatever the map says.
  bench.answers.clear();
  bench.is_cut[1] = true;
  bench.Push(0, 20, 40);
  bench.Settle();
  CHECK(bench.Acknowledged().empty());
}

TEST_CASE("an answer to a first question says nothing of what was acknowledged before",
          "[server][replica]") {
  // (The simulation found a replica that was counted with an empty log, and led.)
  Bench bench(2);
  bench.Push(0, 0, 11);
  bench.Settle();
  bench.SetRole(1, ReplicaRole::kJoining);
  bench.NextEpoch();
  bench.NextMap();
  bench.Restart(1);
  bench.Tell(0);
  Effects effects;
  bench.replicas[0]->Step({PlaceOf(1), kLane,
                           FollowLane{.request = 1,
                                      .lane = kLane,
                                      .server = "b",
                                      .incarnation = bench.IncarnationOf(1),
                                      .epoch = 2}},
                          bench.now, effects);
  REQUIRE(effects.sends.size() == 1);
  const auto& entries = std::get<LaneEntries>(effects.sends[0].body);
  CHECK_FALSE(entries.frames.empty());
  CHECK_FALSE(entries.is_counted);
}

TEST_CASE("a replica too far behind gets an image, while pushes go on, and can lead at once",
          "[server][replica]") {
  Bench bench(2, 0);  // Keeps no entries that all have.
  std::uint64_t sequence = 0;
  for (; sequence < 20; ++sequence) {
    bench.Push(0, sequence, 11);
    bench.Settle();
  }
  bench.SetRole(1, ReplicaRole::kJoining);
  bench.NextEpoch();
  bench.NextMap();
  bench.Restart(1);
  bench.Tell(0);
  bench.Tell(1);
  // One message at a time, with a push between any two.
  for (int i = 0; i < 200 && bench.replicas[1]->gauges().caught_up().epoch != 2; ++i) {
    bench.Push(0, sequence++, 11);
    bench.Settle();
    bench.Pass(absl::Milliseconds(300));
  }
  CHECK(bench.replicas[1]->gauges().images() == 1);
  CHECK(bench.replicas[1]->gauges().caught_up().epoch == 2);
  CHECK(bench.replicas[1]->problem() == "");
  CHECK(bench.Weight(1) == bench.Weight(0));
  bench.is_cut[0] = true;
  bench.SetRole(0, ReplicaRole::kNone);
  bench.SetRole(1, ReplicaRole::kLeader);
  bench.NextEpoch();
  bench.NextMap();
  bench.Tell(1);
  bench.answers.clear();
  bench.Push(1, sequence, 12);
  CHECK(bench.Acknowledged() == Requests{12});
  CHECK(bench.Weight(1) == 3 + static_cast<float>(sequence + 1));
}

TEST_CASE("a follower that is waited for and gets no further is named, and one that moves is not",
          "[server][replica]") {
  Bench bench(3);
  const auto pass = [&](int looks) {
    for (int i = 0; i < looks; ++i) bench.Pass(absl::Milliseconds(200));
  };
  const auto stuck = [&] { return bench.replicas[0]->gauges().stuck(); };
  bench.is_cut[2] = true;
  pass(30);
  CHECK(stuck() == StuckReplica{});  // Nobody waits for anything.
  bench.Push(0, 0, 11);
  bench.Settle();
  CHECK(bench.Acknowledged().empty());
  bench.Pass(absl::Seconds(10));  // The leader stood still: it has not looked.
  pass(10);
  CHECK(stuck() == StuckReplica{});
  pass(10);
  CHECK(stuck() == StuckReplica{{kLane, 1}, bench.IncarnationOf(2)});

  // The coordinator has it join anew.
  bench.SetRole(2, ReplicaRole::kJoining);
  bench.NextEpoch();
  bench.NextMap();
  bench.TellAll();
  bench.Settle();
  CHECK(bench.Acknowledged() == Requests{11});
  CHECK(stuck() == StuckReplica{});
  // The link is whole again.
  bench.is_cut[2] = false;
  pass(10);
  CHECK(bench.Weight(2) == bench.Weight(0));
  CHECK(bench.replicas[2]->gauges().caught_up() == LaneEpoch{kLane, 2});
  CHECK(stuck() == StuckReplica{});
}

TEST_CASE("a replica that asks and hears nothing is not waited for", "[server][replica]") {
  Bench bench(2);
  bench.Push(0, 0, 11);
  bench.Settle();
  bench.is_cut[1] = true;
  bench.SetRole(1, ReplicaRole::kJoining);
  bench.NextEpoch();
  bench.NextMap();
  bench.Tell(0);
  const std::uint64_t held = bench.replicas[1]->lane()->log_end();
  for (std::uint64_t i = 0; i < 3; ++i) {
    Effects effects;
    bench.replicas[0]->Step({PlaceOf(1), kLane,
                             FollowLane{.request = 1000 + i,
                                        .lane = kLane,
                                        .server = "b",
                                        .incarnation = bench.IncarnationOf(1),
                                        .epoch = 2,
                                        .last_epoch = 1,
                                        .next = held,
                                        .held = held}},
                            bench.now, effects);
    bench.Push(0, 1 + i, 12 + i);
    bench.Settle();
  }
  CHECK(bench.Acknowledged() == Requests{11, 12, 13, 14});
}

TEST_CASE("what a follower lacks has a bound, behind which pushes wait", "[server][replica]") {
  Bench bench(2);
  bench.is_cut[1] = true;
  std::uint64_t sequence = 0;
  // (1 GiB of entries by default: here each push is refused once the bound is passed.)
  ReplicaCore::Options options;
  options.server = "a";
  options.incarnation = 1;
  options.tail_bytes_max = 1000;
  bench.replicas[0] = std::make_unique<ReplicaCore>(options);
  bench.NextMap();
  bench.Tell(0);
  bench.Send(0, CreateTable{1, TableId{0}, {.name = "t", .dim = 1}});
  bench.Send(0, OpenSession{2, kSession, 0, 0});
  bench.answers.clear();
  while (bench.answers.empty() && sequence < 100) bench.Push(0, sequence++, 11);
  REQUIRE(bench.answers.size() == 1);
  CHECK(sequence > 2);
  CHECK(absl::IsUnavailable(bench.answers[0].status));
  CHECK(std::string(bench.answers[0].status.message()).find("follower 'b' lacks") !=
        std::string::npos);
}

TEST_CASE("a lane whose first leader is lost before anybody followed it goes on, empty",
          "[server][replica]") {
  Bench bench(2);
  bench.Restart(0);  // Nobody has heard anything yet.
  bench.Restart(1);
  bench.NextMap();
  bench.is_cut[0] = true;
  bench.Tell(1);
  bench.SetRole(0, ReplicaRole::kNone);
  bench.SetRole(1, ReplicaRole::kLeader);
  bench.NextEpoch();
  bench.NextMap();
  bench.Tell(1);
  CHECK(bench.replicas[1]->leads());
  bench.answers.clear();
  bench.Send(1, OpenSession{12, kSession, 0, 0});
  CHECK(bench.Acknowledged() == Requests{12});
}

TEST_CASE("a replica that does not have a lane does not lead it", "[server][replica]") {
  Bench bench(2);
  bench.SetRole(0, ReplicaRole::kNone);
  bench.SetRole(1, ReplicaRole::kLeader);
  bench.NextEpoch();
  bench.NextMap();
  bench.Restart(1);
  bench.Tell(1);
  CHECK_FALSE(bench.replicas[1]->leads());
  CHECK(bench.replicas[1]->problem() == "it is to lead a lane that it does not have");
  bench.answers.clear();
  bench.Push(1, 0, 11);
  REQUIRE(bench.answers.size() == 1);
  CHECK(absl::IsUnavailable(bench.answers[0].status));
}

TEST_CASE("a reader answers pulls once it has all there is, and is not waited for",
          "[server][replica]") {
  Bench bench(2);
  const auto pull = [&] {
    bench.answers.clear();
    bench.pulled.clear();
    auto request = std::make_shared<PullRequest>();
    request->request = 77;
    request->epoch = 1;
    const std::vector<Key> keys = test::KeysOf(PartitionId{0}, kPartitions, 1);
    PullSection section;
    section.partition = PartitionId{0};
    section.table = TableId{0};
    section.dim = 1;
    section.keys = keys;
    request->sections.push_back(section);
    bench.Send(1, std::shared_ptr<const PullRequest>(request));
  };
  bench.Restart(1);
  bench.SetRole(1, ReplicaRole::kReader);
  bench.NextMap();
  bench.TellAll();
  pull();  // It has nothing yet.
  REQUIRE(bench.answers.size() == 1);
  CHECK(absl::IsUnavailable(bench.answers[0].status));
  bench.Settle();
  bench.answers.clear();
  bench.is_cut[1] = true;
  bench.Push(0, 0, 11);
  bench.Settle();
  CHECK(bench.Acknowledged() == Requests{11});

  pull();  // It answers with what it has.
  CHECK(bench.pulled == std::vector<float>{3});
  bench.is_cut[1] = false;
  bench.Pass(absl::Seconds(1));
  pull();
  CHECK(bench.pulled == std::vector<float>{4});
  CHECK(bench.replicas[1]->gauges().caught_up().epoch == 0);
  // It takes no pushes.
  bench.answers.clear();
  bench.Push(1, 1, 12);
  REQUIRE(bench.answers.size() == 1);
  CHECK(absl::IsUnavailable(bench.answers[0].status));
}

TEST_CASE("a reader that may be too far behind answers nothing", "[server][replica]") {
  Bench bench(2, 1 << 20, absl::Seconds(5));
  bench.Restart(1);
  bench.SetRole(1, ReplicaRole::kReader);
  bench.NextMap();
  bench.TellAll();
  bench.Settle();
  bench.Pass(absl::Seconds(1));
  bench.is_cut[0] = true;
  for (int i = 0; i < 2; ++i) {
    bench.answers.clear();
    bench.pulled.clear();
    auto request = std::make_shared<PullRequest>();
    request->request = 77;
    request->epoch = 1;
    bench.Send(1, std::shared_ptr<const PullRequest>(request));
    CHECK(bench.answers.size() == static_cast<std::size_t>(i));
    bench.Pass(absl::Seconds(9));
  }
}

TEST_CASE("whatever it leads, a replica says who it is", "[server][replica]") {
  Bench bench(2);
  for (const std::size_t server : {std::size_t{0}, std::size_t{1}}) {
    Effects effects;
    bench.replicas[server]->Step({Bench::kWorkerNode, Bench::kLane, AboutRequest{9}},
                                 absl::FromUnixMicros(5'000'007), effects);
    REQUIRE(effects.sends.size() == 1);
    CHECK(effects.sends[0].target == Bench::kWorkerNode);
    const auto& about = std::get<AboutReply>(effects.sends[0].body);
    CHECK(about.request == 9);
    CHECK(about.name == Bench::Name(server));
    CHECK(about.version == ProgramVersion());
    CHECK(about.time_us == 5'000'007);
  }
}

}  // namespace
}  // namespace longtail::server
