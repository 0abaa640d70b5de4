// A leader and its followers on servers a, b, c, whose messages a test delivers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "protocol/wire.h"
#include "server/replica_core.h"
#include "server/request_builder.h"

namespace longtail::test {

/// Servers a, b, c with a replica of the one lane each.
class ReplicaBench {
 public:
  static constexpr NodeId kLane{1};
  static constexpr NodeId kWorkerNode{50};
  static constexpr SessionId kSession{7};
  static constexpr std::uint32_t kPartitions = 4;

  static NodeId PlaceOf(std::size_t server) {
    return NodeId{static_cast<std::uint32_t>(100 + server)};
  }

  explicit ReplicaBench(std::size_t servers, std::size_t tail_bytes_kept = 1 << 20,
                        absl::Duration behind_max = absl::InfiniteDuration(),
                        std::shared_ptr<server::EpochGate> gate = nullptr) {
    options_.behind_max = behind_max;
    options_.gate = std::move(gate);
    map_.version = 1;
    map_.replicas = static_cast<std::uint32_t>(servers);
    map_.lanes = {kLane};
    map_.lane_of.assign(kPartitions, 0);
    map_.lane_epochs = {1};
    for (std::size_t s = 0; s < servers; ++s) {
      const auto role = s == 0 ? ReplicaRole::kLeader : ReplicaRole::kFollower;
      map_.servers.push_back({.name = Name(s),
                              .incarnation = 1 + 10 * s,
                              .host = "",
                              .lanes = {{.node = kLane, .addresses = {}, .role = role}}});
      options_.tail_bytes_kept = tail_bytes_kept;
      options_.answer_bytes_max = 300;
      replicas.push_back(Make(s));
    }
    TellAll();
    Send(0, CreateTable{1, TableId{0}, Spec()});
    Send(0, OpenSession{2, kSession, 0, 0});
    Settle();
    answers.clear();
  }

  static std::string Name(std::size_t server) {
    return std::string(1, static_cast<char>('a' + server));
  }
  // The server's next life.
  void Restart(std::size_t server) {
    ++map_.servers[server].incarnation;
    replicas[server] = Make(server);
  }
  std::uint64_t IncarnationOf(std::size_t server) const { return map_.servers[server].incarnation; }
  void SetRole(std::size_t server, ReplicaRole role) { map_.servers[server].lanes[0].role = role; }
  void NextEpoch() { ++map_.lane_epochs[0]; }
  // As the coordinator does it.
  void RollBack(SessionId first_session, std::vector<TableSpec> tables) {
    map_.rolled_back = {.checkpoint = "good", .step = 0, .first_session = first_session};
    map_.tables = std::move(tables);
    ++map_.epoch;
    ++map_.lane_epochs[0];
    ++map_.version;
  }
  void AddTable(TableSpec spec) {
    map_.tables.push_back(std::move(spec));
    ++map_.version;
  }
  // Gives a replica that wants rows one, and says that this was all, or not.
  void Load(std::size_t server, float weight, const absl::Status& status = {}) {
    server::ReplicaCore& replica = *replicas[server];
    const std::uint64_t ticket = replica.wanted()->ticket;
    const absl::Status taken =
        replica.TakeRows(ticket, {.table = TableId{0},
                                  .value_count = 1,
                                  .keys = KeysOf(PartitionId{0}, kPartitions, 1),
                                  .counts = {5},
                                  .last_steps = {0},
                                  .values = {weight}});
    Effects effects;
    replica.EndRows(ticket, taken.ok() ? status : taken, now, effects);
    Take(server, effects);
  }
  static TableSpec Spec() {
    return {.name = "t",
            .dim = 1,
            .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
            .initializer = ConstantSpec{.value = 3}};
  }
  void NextMap() { ++map_.version; }
  void Tell(std::size_t server) {
    Effects effects;
    replicas[server]->OnMap(std::make_shared<const ClusterMap>(map_), now, effects);
    Take(server, effects);
  }
  void TellAll() {
    for (std::size_t s = 0; s < replicas.size(); ++s) Tell(s);
  }

  void Send(std::size_t server, Message message, NodeId source = kWorkerNode) {
    Effects effects;
    replicas[server]->Step({source, kLane, std::move(message)}, now, effects);
    Take(server, effects);
  }
  void Push(std::size_t server, std::uint64_t sequence, std::uint64_t request,
            SessionId session = kSession) {
    const auto push = MakePush(session, 0,
                               {{.partition = PartitionId{0},
                                 .sequence = sequence,
                                 .keys = KeysOf(PartitionId{0}, kPartitions, 3),
                                 .gradients = {-1, -1, -1}}});
    push->request = request;
    push->epoch = session == kSession ? kFirstEpoch : map_.epoch;
    Send(server, std::shared_ptr<const PushRequest>(push));
  }

  // Delivers what replicas say to one another until they have nothing more to say; not to or from
  // those who are cut off. Time stands still, so nobody asks again.
  void Settle() {
    while (!network_.empty()) {
      const auto [from, to, message] = std::move(network_.front());
      network_.pop_front();
      if (is_cut[from] || is_cut[to]) continue;
      std::string bytes;  // As it travels.
      Encode(message, bytes);
      Effects effects;
      replicas[to]->Step({PlaceOf(from), kLane, *Decode(AsBytes(bytes))}, now, effects);
      Take(to, effects);
    }
  }
  void Pass(absl::Duration time) {
    now += time;
    for (std::size_t s = 0; s < replicas.size(); ++s) {
      Effects effects;
      replicas[s]->Tick(now, effects);
      Take(s, effects);
    }
    Settle();
  }

  // Requests that the worker was acknowledged, in order.
  std::vector<std::uint64_t> Acknowledged() const {
    std::vector<std::uint64_t> requests;
    for (const Acknowledgement& answer : answers) {
      if (answer.status.ok()) requests.push_back(answer.request);
    }
    return requests;
  }
  float Weight(std::size_t server) const {
    sparse::RowView row;
    const server::PartitionCore* const partition =
        replicas[server]->lane()->FindPartition(PartitionId{0});
    if (partition == nullptr || partition->table_count() == 0) return -1;
    const Key key = KeysOf(PartitionId{0}, kPartitions, 1)[0];
    return partition->table(TableId{0}).Find(key, &row) ? row.values[0] : 3;
  }

  std::vector<std::unique_ptr<server::ReplicaCore>> replicas;
  std::vector<Acknowledgement> answers;  // To the worker.
  std::vector<float> pulled;             // By it, last.
  std::vector<bool> is_cut = std::vector<bool>(8, false);
  absl::Time now = absl::UnixEpoch();

 private:
  struct Message_ {
    std::size_t from = 0;
    std::size_t to = 0;
    Message message;
  };

  std::unique_ptr<server::ReplicaCore> Make(std::size_t server) {
    options_.server = Name(server);
    options_.incarnation = map_.servers[server].incarnation;
    return std::make_unique<server::ReplicaCore>(options_);
  }
  std::size_t Leader() const {
    std::size_t s = 0;
    while (map_.servers[s].lanes[0].role != ReplicaRole::kLeader) ++s;
    return s;
  }
  void Take(std::size_t from, Effects& effects) {
    for (Envelope& envelope : effects.sends) {
      if (envelope.target == kWorkerNode) {
        if (const auto* ack = std::get_if<Acknowledgement>(&envelope.body)) {
          answers.push_back(*ack);
        }
        if (const auto* rows = std::get_if<PullReply>(&envelope.body)) {
          pulled.assign(rows->values.begin(), rows->values.end());
        }
        continue;
      }
      const std::size_t to =
          envelope.target == kLane ? Leader() : static_cast<std::uint32_t>(envelope.target) - 100;
      network_.push_back({from, to, std::move(envelope.body)});
    }
  }

  ClusterMap map_;
  server::ReplicaCore::Options options_;
  std::deque<Message_> network_;
};

}  // namespace longtail::test
