#include "sim/sim_replicas.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "io/lane_log_writer.h"
#include "protocol/coordinator_state.h"
#include "protocol/lane_leader.h"
#include "protocol/lane_log_names.h"
#include "server/replica_places.h"

namespace longtail::sim {
namespace {

constexpr std::uint32_t kFirstPlace = 1000;
constexpr std::uint32_t kPlacesMax = 16;
constexpr std::uint32_t kFirstServer = 2000;
constexpr NodeId kWorkers{3000};
constexpr absl::Duration kBeatEvery = absl::Milliseconds(100);
constexpr absl::Duration kLease = absl::Seconds(1);

std::string NameOf(std::size_t server) {
  return absl::StrCat("s", server);
}

}  // namespace

SimReplicas::SimReplicas(ClusterMap& map, std::uint64_t seed, std::size_t key_list_bytes_max,
                         bool keep_logs, bool has_reader)
    : rng_(seed),
      key_list_bytes_max_(key_list_bytes_max),
      keep_logs_(keep_logs),
      keeps_history_(keep_logs && Mix64(seed) % 2 == 0),
      store_fails_(rng_.Below(2) == 0) {
  map.replicas = static_cast<std::uint32_t>(1 + rng_.Below(3));
  const std::size_t servers = map.replicas + rng_.Below(2);
  const std::size_t drawn = 1 + rng_.Below(2);
  const std::size_t lanes = drawn * servers > map.lane_of.size() ? 1 : drawn;  // None is empty.
  for (std::size_t s = 0; s < servers; ++s) {
    ServerEntry server{.name = NameOf(s), .incarnation = 1, .host = "", .lanes = {}};
    server.lanes.resize(lanes * map.replicas);
    map.servers.push_back(std::move(server));
  }
  server::FormReplicas(map);
  // Places for what moves there; sometimes a server that has nothing yet.
  for (ServerEntry& server : map.servers) {
    server.lanes.resize(server.lanes.size() + rng_.Below(3),
                        {.node = NodeId{}, .addresses = {}, .role = ReplicaRole::kNone});
  }
  if (rng_.Below(2) == 0) {
    ServerEntry spare{.name = NameOf(servers), .incarnation = 1, .host = "", .lanes = {}};
    spare.lanes.resize(2 + rng_.Below(3),
                       {.node = NodeId{}, .addresses = {}, .role = ReplicaRole::kNone});
    map.servers.push_back(std::move(spare));
  }
  if (has_reader) {
    ServerEntry reader{
        .name = NameOf(map.servers.size()), .incarnation = 1, .host = "", .lanes = {}};
    for (const NodeId lane : map.lanes) {
      reader.lanes.push_back({.node = lane, .addresses = {}, .role = ReplicaRole::kReader});
    }
    map.servers.push_back(std::move(reader));
  }
  for (std::size_t p = 0; p < map.lane_of.size(); ++p) {
    map.lane_of[p] = static_cast<std::uint32_t>(p % map.lanes.size());
  }
  servers_.resize(map.servers.size());
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    servers_[s].disk = std::make_unique<MemoryStore>();
    for (std::size_t i = 0; i < map.servers[s].lanes.size(); ++i) {
      servers_[s].logs.push_back(std::make_unique<SimLog>(
          *servers_[s].disk, Mix64(seed + kPlacesMax * s + i), keeps_history_));
    }
  }
  map.version = 1;
  if (keep_logs_) {
    for (std::size_t s = 0; s < servers_.size(); ++s) {
      if (server::IsReader(map.servers[s])) continue;
      servers_[s].found = *server::OpenServerLog(*servers_[s].disk, NameOf(s), 1 + s, 0, Keeping());
      map.servers[s].log = servers_[s].found.id;
    }
  }
  first_map_ = workers_map_ = std::make_shared<const ClusterMap>(map);
  CoordinatorState state;
  state.server_count = static_cast<std::uint32_t>(servers);
  state.next_session = kSessionBehind;
  state.map = map;
  state_ = EncodeCoordinatorState(state);
  options_ = {.servers = state.server_count,
              .partitions = static_cast<std::uint32_t>(map.lane_of.size()),
              .workers = map.worker_count,
              .step_mode = map.step_mode,
              .staleness = map.staleness,
              .lease = absl::Hours(24),
              .cluster = map.cluster,
              .replicas = map.replicas,
              .server_lease = kLease};
  CrashCoordinator();
  Effects effects;
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    StartPlaces(s);
    OnMap(s, workers_map_, absl::UnixEpoch(), effects);
  }
  // The cluster begins once all have its tables.
  for (const NodeId lane : map.lanes) {
    const auto leader = static_cast<std::uint32_t>(LeaderNode(map, lane)) - kFirstPlace;
    server::ReplicaCore& core = *servers_[leader / kPlacesMax].places[leader % kPlacesMax];
    for (std::uint32_t t = 0; t < map.tables.size(); ++t) {
      const std::size_t first = effects.sends.size();
      core.Step({kWorkers, lane, CreateTable{1, TableId{t}, map.tables[t]}}, absl::UnixEpoch(),
                effects);
      AfterPlace(leader / kPlacesMax, leader % kPlacesMax, first, absl::UnixEpoch(), effects);
    }
  }
  const auto is_ready = [this] { return IsSettled() && AreSynced(); };
  for (std::size_t i = 0; !is_ready(); ++i) {
    if (i < effects.sends.size()) {
      const Envelope envelope = std::move(effects.sends[i]);
      if (IsHere(envelope.target)) Step(envelope, absl::UnixEpoch(), effects);
    } else {
      for (std::size_t s = 0; s < servers_.size(); ++s) {
        for (std::size_t place = 0; place < servers_[s].places.size(); ++place) {
          SimLog& log = *servers_[s].logs[place];
          if (log.is_idle()) continue;
          const std::size_t first = effects.sends.size();
          log.Tick(*servers_[s].places[place], log.next(), effects);
          AfterPlace(s, place, first, absl::UnixEpoch(), effects);
        }
      }
    }
  }
}

bool SimReplicas::AreSynced() const {
  return std::ranges::all_of(servers_, [](const Server& server) {
    return std::ranges::all_of(server.logs, [](const auto& log) { return log->is_idle(); });
  });
}

bool SimReplicas::IsHere(NodeId node) {
  const auto number = static_cast<std::uint32_t>(node);
  return node == kCoordinatorNode || number >= kFirstPlace;
}

NodeId SimReplicas::PlaceNode(std::size_t server, std::size_t place) const {
  return NodeId{static_cast<std::uint32_t>(kFirstPlace + server * kPlacesMax + place)};
}

NodeId SimReplicas::LeaderNode(const ClusterMap& map, NodeId lane) const {
  for (std::size_t s = 0; s < map.servers.size(); ++s) {
    const auto& lanes = map.servers[s].lanes;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      if (lanes[i].node == lane && lanes[i].role == ReplicaRole::kLeader) return PlaceNode(s, i);
    }
  }
  return PlaceNode(0, 0);
}

void SimReplicas::Address(Envelope& envelope) const {
  const auto target = static_cast<std::uint32_t>(envelope.target);
  if (target == 0 || target > workers_map_->lanes.size()) return;
  envelope.target = LeaderNode(*workers_map_, envelope.target);
}

void SimReplicas::Start(std::size_t s) {
  Server& server = servers_[s];
  if (KeepsLog(s)) {
    auto found = server::OpenServerLog(*server.disk, NameOf(s), rng_.Next() | 1, rng_.Below(4000),
                                       Keeping());
    if (!found.ok()) {
      wrong_ = absl::StrCat("server ", s, " does not come back: ", found.status().ToString());
      found = server::ServerLog();
    }
    server.found = *std::move(found);
  }
  StartPlaces(s);
}

bool SimReplicas::KeepsLog(std::size_t s) const {
  return keep_logs_ && !server::IsReader(first_map_->servers[s]);
}

void SimReplicas::StartPlaces(std::size_t s) {
  Server& server = servers_[s];
  server.places.clear();
  server.loads.assign(server.logs.size(), {});
  const bool reads = server::IsReader(first_map_->servers[s]);
  const auto gate = reads ? std::make_shared<server::EpochGate>(server.logs.size()) : nullptr;
  server.map = nullptr;
  server.up_at = absl::InfiniteFuture();
  for (std::uint32_t i = 0; i < server.logs.size(); ++i) {
    server::ReplicaCore::Options options;
    options.server = NameOf(s);
    options.incarnation = server.incarnation;
    options.seat = i;
    options.gate = gate;
    // So little that images are needed, and that they come in pieces.
    options.tail_bytes_kept = rng_.Below(4000);
    options.tail_bytes_max = 4000 + rng_.Below(20'000);
    options.answer_bytes_max = 200 + rng_.Below(4000);
    options.key_list_bytes_max = key_list_bytes_max_;
    if (KeepsLog(s)) {
      options.first_log = server.found.next_log + i;
      options.log_step = server.logs.size();
      options.comes_back = server.found.was_there;
      options.snapshot.slice_bytes = 1 + rng_.Below(200);
    }
    server.places.push_back(std::make_unique<server::ReplicaCore>(options));
  }
}

void SimReplicas::OnMap(std::size_t s, const std::shared_ptr<const ClusterMap>& map, absl::Time now,
                        Effects& effects) {
  Server& server = servers_[s];
  if (server.map != nullptr && map->version <= server.map->version) return;
  // Its lanes have their places from the first one.
  const bool is_first = std::exchange(server.map, map) == nullptr;
  for (server::LoggedLane& lane : server.found.lanes) {
    const auto& entries = map->servers[s].lanes;
    const auto place = std::ranges::find(entries, lane.lane, &LaneEntry::node) - entries.begin();
    if (static_cast<std::size_t>(place) == entries.size()) {
      const std::string prefix = LaneLogPrefix(NameOf(s), lane.lane, lane.log);
      static_cast<void>(keeps_history_ ? server::EndLaneLog(*server.disk, prefix, now)
                                       : RemoveLaneLog(*server.disk, prefix));
      continue;
    }
    const auto i = static_cast<std::size_t>(place);
    server.places[i]->TakeLane(std::move(lane));
    server.logs[i]->Begin(server.places[i]->Log());
  }
  if (is_first) server.found.lanes.clear();
  for (std::size_t i = 0; i < server.places.size(); ++i) {
    const std::size_t first = effects.sends.size();
    server.places[i]->OnMap(map, now, effects);
    AfterPlace(s, i, first, now, effects);
  }
}

// What a place sends to a lane goes to who leads that by its server's map.
void SimReplicas::AfterPlace(std::size_t s, std::size_t place, std::size_t first_send,
                             absl::Time now, Effects& effects) {
  Server& server = servers_[s];
  server.logs[place]->TakeEffects(*server.places[place], now, effects);
  NoteMoment(*server.places[place]);
  for (std::size_t i = first_send; i < effects.sends.size(); ++i) {
    Envelope& envelope = effects.sends[i];
    if (!std::holds_alternative<FollowLane>(envelope.body)) continue;
    envelope.source = PlaceNode(s, place);
    envelope.target = LeaderNode(*server.map, envelope.target);
  }
}

void SimReplicas::Beat(std::size_t s, absl::Time now, Effects& effects) {
  Server& server = servers_[s];
  const NodeId self{static_cast<std::uint32_t>(kFirstServer + s)};
  server.beat_at = now + kBeatEvery;
  if (server.map == nullptr || server.has_no_place) {
    ServerEntry entry = first_map_->servers[s];
    entry.incarnation = server.incarnation;
    entry.log = server.found.id;
    effects.sends.push_back({self, kCoordinatorNode, JoinServer{1, entry, 0}});
    return;
  }
  Heartbeat beat{.request = 1,
                 .session = {},
                 .server = NameOf(s),
                 .incarnation = server.incarnation,
                 .map_version = server.map->version,
                 .rows = 0,
                 .bytes = 0};
  for (const auto& place : server.places) {
    const LaneEpoch caught_up = place->gauges().caught_up();
    if (caught_up.epoch != 0) beat.caught_up.push_back(caught_up);
    const StuckReplica stuck = place->gauges().stuck();
    if (stuck.lane.epoch == 0) continue;
    beat.stuck.push_back(stuck);
    server.gave_up_at = now;  // For all that it knows: what it says of that may be under way.
  }
  effects.sends.push_back({self, kCoordinatorNode, std::move(beat)});
}

void SimReplicas::CrashCoordinator() {
  const auto state = DecodeCoordinatorState("state", AsBytes(state_));
  coordinator_ = *server::CoordinatorCore::Resume(options_, *state);
  coordinator_wake_ = absl::UnixEpoch();
}

void SimReplicas::AfterCoordinator(absl::Time now, Effects& effects) {
  while (!effects.writes.empty()) {
    const StoreWrite write = std::move(effects.writes.front());
    effects.writes.erase(effects.writes.begin());
    StoreAnswer answer{.ticket = write.ticket, .status = {}};
    if (store_fails_ && rng_.Below(10) == 0) {
      answer.status = absl::UnavailableError("the store is away");
    } else {
      state_ = write.bytes;
    }
    coordinator_->OnStored(answer, now, effects);
  }
  if (effects.wake_at) coordinator_wake_ = std::min(coordinator_wake_, *effects.wake_at);
  effects.wake_at.reset();
}

void SimReplicas::Step(const Envelope& event, absl::Time now, Effects& effects) {
  const auto node = static_cast<std::uint32_t>(event.target);
  const auto* const reply = std::get_if<MapReply>(&event.body);
  if (event.target == kCoordinatorNode) {
    const auto* const beat = std::get_if<Heartbeat>(&event.body);
    const auto s = static_cast<std::uint32_t>(event.source) - kFirstServer;
    if (beat != nullptr && beat->incarnation == servers_[s].incarnation) servers_[s].heard_at = now;
    coordinator_->Step(event, now, effects);
    AfterCoordinator(now, effects);
  } else if (event.target == kWorkers) {
    if (reply == nullptr || reply->map == nullptr) return;
    if (reply->map->version <= workers_map_->version) return;
    has_news_ |= HasNewAnswerer(*workers_map_, *reply->map);
    workers_map_ = reply->map;
  } else if (node >= kFirstServer) {
    Server& server = servers_[node - kFirstServer];
    if (reply != nullptr && absl::IsNotFound(reply->status)) server.has_no_place = true;
    if (reply != nullptr && absl::IsFailedPrecondition(reply->status)) {
      for (const NodeId lane : LedBy(node - kFirstServer)) {
        is_lost_ |= std::ranges::find(server.led, lane) == server.led.end();
      }
    }
    if (reply == nullptr || reply->map == nullptr || server.places.empty()) return;
    // An answer to the process that it was before is none to this one.
    const std::size_t number = node - kFirstServer;
    if (number >= reply->map->servers.size()) return;  // (A reader is the last one.)
    if (reply->map->servers[number].incarnation != server.incarnation) return;
    server.has_no_place = false;
    OnMap(node - kFirstServer, reply->map, now, effects);
  } else {
    const std::size_t s = (node - kFirstPlace) / kPlacesMax;
    const std::size_t place = (node - kFirstPlace) % kPlacesMax;
    if (servers_[s].places.empty() || servers_[s].map == nullptr) return;
    const std::size_t first = effects.sends.size();
    servers_[s].places[place]->Step(event, now, effects);
    AfterPlace(s, place, first, now, effects);
  }
}

void SimReplicas::Tick(absl::Time now, Effects& effects) {
  if (now >= coordinator_wake_) {
    coordinator_wake_ = absl::InfiniteFuture();
    coordinator_->Tick(now, effects);
    AfterCoordinator(now, effects);
  }
  if (now >= ask_at_) {
    ask_at_ = now + kBeatEvery;
    effects.sends.push_back({kWorkers, kCoordinatorNode, MapRequest{1}});
    if (checkpoint_ && epoch() == kFirstEpoch) {
      longtail::RollBack back{
          .request = 1, .checkpoint = "good", .step = checkpoint_step_, .id = 7};
      effects.sends.push_back({kWorkers, kCoordinatorNode, std::move(back)});
    }
  }
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    Server& server = servers_[s];
    if (now >= server.up_at) {
      Start(s);
      server.beat_at = now;
    }
    if (server.places.empty()) continue;
    if (now >= server.beat_at) Beat(s, now, effects);
    LoadSome(s, now, effects);
    for (std::size_t i = 0; i < server.places.size(); ++i) {
      if (now < server.logs[i]->next()) continue;
      const std::size_t first = effects.sends.size();
      server.logs[i]->Tick(*server.places[i], now, effects);
      if (server.logs[i]->TakeSynced() && rng_.Below(20) == 0) {
        server.places[i]->WriteBase(now, effects);
      }
      AfterPlace(s, i, first, now, effects);
    }
  }
}

absl::Time SimReplicas::next() const {
  absl::Time next = std::min(coordinator_wake_, ask_at_);
  for (const Server& server : servers_) {
    next = std::min(next, server.up_at);
    if (server.places.empty()) continue;
    next = std::min(next, server.beat_at);
    for (const auto& log : server.logs) next = std::min(next, log->next());
    for (const Server::Load& load : server.loads) next = std::min(next, load.at);
  }
  return next;
}

void SimReplicas::RollBack(std::vector<RowBlock> rows, std::uint64_t step) {
  checkpoint_ = std::move(rows);
  checkpoint_step_ = step;
}

// Places that want rows get them some time later, in pieces; or some of them, while the store
// fails.
void SimReplicas::LoadSome(std::size_t s, absl::Time now, Effects& effects) {
  Server& server = servers_[s];
  for (std::size_t i = 0; i < server.places.size(); ++i) {
    server::ReplicaCore& place = *server.places[i];
    Server::Load& load = server.loads[i];
    if (!place.wanted()) {
      load = {};
      continue;
    }
    if (load.ticket != place.wanted()->ticket) {
      load = {.ticket = place.wanted()->ticket, .at = now + absl::Milliseconds(rng_.Below(300))};
    }
    if (now < load.at) continue;
    const ClusterMap map = *place.wanted()->map;
    const bool fails = store_fails_ && rng_.Below(3) == 0;
    absl::Status status = fails ? absl::UnavailableError("the store is away") : absl::OkStatus();
    for (const RowBlock& rows : *checkpoint_) {
      RowBlock own{.table = rows.table, .value_count = rows.value_count};
      for (std::size_t k = 0; k < rows.keys.size(); ++k) {
        const PartitionId partition =
            PartitionOf(rows.keys[k], static_cast<std::uint32_t>(map.lane_of.size()));
        const NodeId lane = map.lanes[map.lane_of[static_cast<std::size_t>(partition)]];
        if (lane != place.lane_node() || (fails && rng_.Below(2) == 0)) continue;
        AppendRow(rows, k, own);
      }
      status.Update(place.TakeRows(load.ticket, own));
    }
    const std::size_t first = effects.sends.size();
    const std::uint64_t ticket = load.ticket;
    load = {};
    if (status.ok()) ++loads_;
    place.EndRows(ticket, status, now, effects);
    AfterPlace(s, i, first, now, effects);
    // (What it wants now is looked at with the next tick.)
    if (place.wanted()) load = {.ticket = place.wanted()->ticket, .at = now + absl::Seconds(1)};
  }
}

// Whether no other fails, and others have all that it has.
bool SimReplicas::MayLose(std::size_t s, absl::Time now) const {
  for (const Server& server : servers_) {
    if (server.places.empty() || server.map == nullptr) return false;
    // One that seems to be gone, too, would be a second loss; as would one that its leader gives
    // up.
    if (now > server.heard_at + kLease / 4) return false;
    if (now < server.gave_up_at + 3 * kLease) return false;
  }
  // What it leads or follows must be with another who may lead, for all that the coordinator knows.
  const ClusterMap& map = coordinator_->state().map;
  for (const ServerEntry& server : map.servers) {
    for (const LaneEntry& entry : server.lanes) {
      if (entry.role == ReplicaRole::kJoining) return false;
      if (entry.role == ReplicaRole::kNone && entry.node != NodeId{}) return false;
      // Of one replica there is no other.
      if (map.replicas == 1 && server.name == NameOf(s) && entry.node != NodeId{}) return false;
    }
  }
  return true;
}

bool SimReplicas::CrashServer(std::uint64_t victim, absl::Time now, absl::Time up_at) {
  const std::size_t s = static_cast<std::size_t>(victim) % servers_.size();
  if (!keep_logs_) {
    if (!MayLose(s, now)) return false;
    Crash(s, up_at);
    return true;
  }
  if (servers_[s].places.empty()) return false;
  const bool loses_disk = MayLose(s, now) && rng_.Below(4) == 0;
  Crash(s, up_at);
  if (loses_disk) {
    const std::vector<std::string> names = *servers_[s].disk->List("");
    for (const std::string& name : names) static_cast<void>(servers_[s].disk->Remove(name));
  }
  return true;
}

void SimReplicas::CrashAll(absl::Time up_at) {
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    if (servers_[s].places.empty()) continue;
    Crash(s, up_at + absl::Milliseconds(rng_.Below(500)));
  }
}

void SimReplicas::Crash(std::size_t s, absl::Time up_at) {
  Server& server = servers_[s];
  for (const auto& place : server.places) images_ += place->gauges().images();
  server.places.clear();
  for (const auto& log : server.logs) log->Crash();
  server.map = nullptr;
  server.led = LedBy(s);
  ++server.incarnation;
  server.up_at = up_at;
}

std::vector<NodeId> SimReplicas::LedBy(std::size_t s) const {
  std::vector<NodeId> lanes;
  for (const ServerEntry& server : coordinator_->state().map.servers) {
    if (server.name != NameOf(s)) continue;
    for (const LaneEntry& entry : server.lanes) {
      if (entry.role == ReplicaRole::kLeader) lanes.push_back(entry.node);
    }
  }
  return lanes;
}

void SimReplicas::PlaceSome(Effects& effects) {
  PlaceLanes place{.request = 1, .placing = static_cast<Placing>(rng_.Below(4)), .server = {}};
  place.lane = NodeId{static_cast<std::uint32_t>(1 + rng_.Below(workers_map_->lanes.size()))};
  place.server = NameOf(rng_.Below(servers_.size()));
  effects.sends.push_back({kWorkers, kCoordinatorNode, std::move(place)});
}

std::uint64_t SimReplicas::torn_writes() const {
  std::uint64_t torn = 0;
  for (const Server& server : servers_) {
    for (const auto& log : server.logs) torn += log->torn_writes();
  }
  return torn;
}

std::uint64_t SimReplicas::bases() const {
  std::uint64_t bases = 0;
  for (const Server& server : servers_) {
    for (const auto& log : server.logs) bases += log->bases();
  }
  return bases;
}

std::uint64_t SimReplicas::leaderships() const {
  std::uint64_t begun = 0;
  for (const std::uint64_t epoch : coordinator_->state().map.lane_epochs) begun += epoch - 1;
  return begun;
}

}  // namespace longtail::sim
