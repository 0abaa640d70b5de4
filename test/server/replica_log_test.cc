// A leader and a follower that keep logs, message by message: what they hold is what is durable.
// (test/sim has them with crashes, torn writes and a coordinator.)
#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/lane_log_names.h"
#include "protocol/store_write.h"
#include "protocol/wire.h"
#include "server/replica_core.h"
#include "server/request_builder.h"

namespace longtail::server {
namespace {

constexpr NodeId kLane{1};
constexpr NodeId kWorkerNode{50};
constexpr SessionId kSession{7};

// Two servers; the test says when entries become durable, and when blobs are stored.
class Pair {
 public:
  explicit Pair(ReplicaRole second) {
    map_.version = 1;
    map_.cluster = 9;
    map_.replicas = 2;
    map_.lanes = {kLane};
    map_.lane_of = {0};
    map_.lane_epochs = {1};
    for (std::size_t s = 0; s < 2; ++s) {
      const auto role = s == 0 ? ReplicaRole::kLeader : second;
      map_.servers.push_back({.name = s == 0 ? "a" : "b",
                              .incarnation = 1,
                              .host = "",
                              .lanes = {{.node = kLane, .addresses = {}, .role = role}},
                              .log = 5});
      ReplicaCore::Options options;
      options.server = map_.servers[s].name;
      options.incarnation = 1;
      options.first_log = 3;
      options.tail_bytes_kept = 0;
      replicas.push_back(std::make_unique<ReplicaCore>(options));
    }
    Tell(0);
    Send(CreateTable{1, TableId{0}, {.name = "t", .dim = 1}});
    Send(OpenSession{2, kSession, 0, 0});
  }

  void Tell(std::size_t s) {
    Effects effects;
    replicas[s]->OnMap(std::make_shared<const ClusterMap>(map_), absl::UnixEpoch(), effects);
    Take(s, effects);
  }
  void Send(Message message) {
    Effects effects;
    replicas[0]->Step({kWorkerNode, kLane, std::move(message)}, absl::UnixEpoch(), effects);
    Take(0, effects);
  }
  void Push(std::uint64_t sequence, std::uint64_t request) {
    const auto push = test::MakePush(kSession, 0,
                                     {{.partition = PartitionId{0},
                                       .sequence = sequence,
                                       .keys = {11, 12},
                                       .gradients = {-1, -1}}});
    push->request = request;
    Send(std::shared_ptr<const PushRequest>(push));
  }
  // What replicas say to one another, until they have nothing more to say.
  void Talk() {
    while (!network_.empty()) {
      const auto [to, message] = std::move(network_.front());
      network_.pop_front();
      std::string bytes;
      Encode(message, bytes);
      Effects effects;
      replicas[to]->Step(
          {NodeId{static_cast<std::uint32_t>(101 - to)}, kLane, *Decode(AsBytes(bytes))},
          absl::UnixEpoch(), effects);
      Take(to, effects);
    }
  }
  // All that was handed to that log is durable.
  void Sync(std::size_t s) {
    Effects effects;
    replicas[s]->OnLogged(logs[s].log, log_ends[s], absl::UnixEpoch(), effects);
    Take(s, effects);
    Talk();
  }
  // So are blobs.
  void Store(std::size_t s) {
    while (!writes_[s].empty()) {
      const StoreWrite write = std::move(writes_[s].front());
      writes_[s].pop_front();
      Effects effects;
      replicas[s]->OnStored(
          CarryOutWrite(write,
                        [](const std::string&, const std::string&) { return absl::OkStatus(); }),
          absl::UnixEpoch(), effects);
      Take(s, effects);
    }
    Talk();
  }

  std::vector<std::unique_ptr<ReplicaCore>> replicas;
  std::vector<std::uint64_t> acknowledged;  // Requests.
  LogBegin logs[2];                         // The newest that each began,
  std::uint64_t log_ends[2] = {0, 0};       // and where the entries handed to it end.
  std::vector<std::uint64_t> bases[2];

 private:
  void Take(std::size_t from, Effects& effects) {
    if (effects.log_begin) {
      logs[from] = *effects.log_begin;
      log_ends[from] = logs[from].header.first;
    }
    for (const LogEntry& entry : effects.log) {
      CHECK(entry.number == log_ends[from]);
      ++log_ends[from];
    }
    if (effects.log_base) bases[from].push_back(*effects.log_base);
    for (StoreWrite& write : effects.writes) writes_[from].push_back(std::move(write));
    for (Envelope& envelope : effects.sends) {
      if (envelope.target == kWorkerNode) {
        const auto* const ack = std::get_if<Acknowledgement>(&envelope.body);
        if (ack != nullptr && ack->status.ok()) acknowledged.push_back(ack->request);
      } else {
        network_.push_back({1 - from, std::move(envelope.body)});
      }
    }
  }

  struct Said {
    std::size_t to = 0;
    Message message;
  };
  ClusterMap map_;
  std::deque<Said> network_;
  std::deque<StoreWrite> writes_[2];
};

using Requests = std::vector<std::uint64_t>;

TEST_CASE("a push is acknowledged once both logs have it", "[server][replica][log]") {
  Pair pair(ReplicaRole::kFollower);
  pair.Tell(1);
  pair.Talk();
  pair.Sync(0);
  pair.Sync(1);
  CHECK(pair.acknowledged == Requests{1, 2});
  pair.acknowledged.clear();
  const std::size_t first = GENERATE(0U, 1U);

  pair.Push(0, 21);
  pair.Talk();
  CHECK(pair.replicas[1]->lane()->log_end() == pair.replicas[0]->lane()->log_end());
  CHECK(pair.acknowledged.empty());
  pair.Sync(first);
  CHECK(pair.acknowledged.empty());
  pair.Sync(1 - first);
  CHECK(pair.acknowledged == Requests{21});
  CHECK(pair.logs[0].prefix == LaneLogPrefix("a", kLane, 3));
  CHECK(pair.logs[0].is_whole);
}

TEST_CASE("a log that an image begins counts once a base stands for that",
          "[server][replica][log]") {
  Pair pair(ReplicaRole::kJoining);
  pair.Sync(0);
  for (std::uint64_t i = 0; i < 100; ++i) pair.Push(i, 100 + i);
  pair.Sync(0);
  CHECK(pair.acknowledged.size() == 102);  // Nobody is waited for.

  pair.Tell(1);
  pair.Talk();

  CHECK(pair.logs[1].prefix == LaneLogPrefix("b", kLane, 4));
  CHECK_FALSE(pair.logs[1].is_whole);
  CHECK(pair.logs[1].header.first == 103);
  CHECK(pair.replicas[1]->gauges().caught_up().epoch == 0);
  // It follows meanwhile, and is not waited for.
  pair.Push(100, 300);
  pair.Talk();
  pair.Sync(0);
  pair.Sync(1);
  CHECK(pair.acknowledged.back() == 300);
  CHECK(pair.replicas[1]->gauges().caught_up().epoch == 0);

  pair.Store(1);

  CHECK(pair.bases[1] == std::vector<std::uint64_t>{103});
  pair.Push(101, 301);
  pair.Talk();
  pair.Sync(0);
  CHECK(pair.acknowledged.back() == 300);  // Now it is.
  pair.Sync(1);
  CHECK(pair.acknowledged.back() == 301);
  CHECK(pair.replicas[1]->gauges().caught_up().epoch == 1);
}

}  // namespace
}  // namespace longtail::server
