// What the coordinator does about servers and lanes once the cluster is formed.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "server/coordinator_core.h"
#include "server/lane_moves.h"
#include "server/replica_places.h"

namespace longtail::server {

// Once the cluster is formed, a server can only come back: as the process it was, as another one
// that has its lanes from its log, or as one that has nothing.
absl::Status CoordinatorCore::Rejoin(const JoinServer& m, absl::Time now) {
  const ServerEntry& server = m.server;
  const auto known = std::ranges::find(state_.map.servers, server.name, &ServerEntry::name);
  if (known == state_.map.servers.end()) return TakeServer(m, now);
  Heard& heard = servers_heard_[server.name];
  if (IsReader(*known) != IsReader(server)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "server '", server.name, IsReader(server) ? "' only reads: the one" : "': the reader",
        " of that name does not: want another name"));
  }
  if (known->incarnation != server.incarnation && IsReader(server)) {
    LONGTAIL_RETURN_IF_ERROR(CheckReader(server));
    *known = server;
    heard = {};
    ++state_.map.version;
  } else if (known->incarnation != server.incarnation) {
    LONGTAIL_RETURN_IF_ERROR(CheckLog(server));
    const bool comes_back = known->log != 0 && known->log == server.log;
    if (options_.replicas == 1 && !comes_back && CountRole(*known, ReplicaRole::kLeader) != 0) {
      const absl::Duration silent = now - heard.at;
      return absl::FailedPreconditionError(absl::StrCat(
          "server '", server.name, "' was another process when this cluster was formed, heard ",
          absl::FormatDuration(absl::Trunc(silent, absl::Milliseconds(1))),
          " ago: if it lives, its name is taken; else its rows went with it, for ",
          known->log == 0 ? "it kept no log" : "this one has not the log that it kept",
          ": start a new cluster and restore a checkpoint"));
    }
    const auto at = [this](const ServerEntry& other) { return HeardAt(other); };
    const auto version = [this](const ServerEntry& other) { return MapVersionOf(other); };
    LONGTAIL_RETURN_IF_ERROR(ReplaceServer(state_.map, server,
                                           {.at = at,
                                            .version = version,
                                            .now = now,
                                            .lease = options_.server_lease,
                                            .from_the_first = has_formed_}));
    heard = {};
    ++state_.map.version;
  }
  heard.at = now;
  return absl::OkStatus();
}

absl::Status CoordinatorCore::CheckReader(const ServerEntry& server) const {
  const bool fits = std::ranges::equal(server.lanes, state_.map.lanes, {}, &LaneEntry::node) &&
                    std::ranges::all_of(server.lanes, [](const LaneEntry& entry) {
                      return entry.role == ReplicaRole::kReader;
                    });
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("server '", server.name, "' reads ",
                                                 server.lanes.size(), " lanes: want all ",
                                                 state_.map.lanes.size(), ", in their order"));
}

// What is acknowledged is as safe as the least safe of its replicas.
absl::Status CoordinatorCore::CheckLog(const ServerEntry& server) const {
  const std::vector<ServerEntry>& others = is_formed() ? state_.map.servers : joining_;
  const auto other = std::ranges::find_if(others, [&](const ServerEntry& o) {
    return !IsReader(o) && (o.log != 0) != (server.log != 0);
  });
  if (other == others.end()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("server '", server.name, "' keeps ", server.log == 0 ? "no log" : "a log",
                   ", and '", other->name, "' ", other->log == 0 ? "none" : "one",
                   ": want all servers of a cluster alike"));
}

// Another server of a cluster that is formed: it has nothing yet.
absl::Status CoordinatorCore::TakeServer(const JoinServer& m, absl::Time now) {
  const bool is_reader = IsReader(m.server);
  LONGTAIL_RETURN_IF_ERROR(is_reader ? CheckReader(m.server) : CheckLog(m.server));
  if (state_.map.servers.size() == kServerCountMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("server '", m.server.name, "': want at most ", kServerCountMax, " servers"));
  }
  ServerEntry server = m.server;
  for (LaneEntry& place : server.lanes) {
    if (!is_reader) place = {NodeId{}, place.addresses, ReplicaRole::kNone};
  }
  servers_heard_[server.name] = {.at = now};
  state_.map.servers.push_back(std::move(server));
  ++state_.map.version;
  return absl::OkStatus();
}

absl::Time CoordinatorCore::HeardAt(const ServerEntry& server) const {
  const auto heard = servers_heard_.find(server.name);
  return heard == servers_heard_.end() ? absl::InfinitePast() : heard->second.at;
}

std::uint64_t CoordinatorCore::MapVersionOf(const ServerEntry& server) const {
  const auto heard = servers_heard_.find(server.name);
  return heard == servers_heard_.end() ? 0 : heard->second.map_version;
}

// What there is to do for lanes: leases of servers that lead and follow, replicas that have caught
// up, moves.
void CoordinatorCore::LookAfterLanes(const Heartbeat& m, absl::Time now, Effects& effects) {
  if (!is_formed()) return;
  const auto at = [this](const ServerEntry& server) { return HeardAt(server); };
  const auto version = [this](const ServerEntry& server) { return MapVersionOf(server); };
  const Hearing hearing{.at = at,
                        .version = version,
                        .now = now,
                        .lease = options_.server_lease,
                        .from_the_first = has_formed_};
  bool changed = FollowSilence(state_.map, hearing);
  for (const LaneEpoch& lane : m.caught_up) {
    changed |= TakeFollower(state_.map, m.server, lane.lane, lane.epoch);
  }
  for (const StuckReplica& stuck : m.stuck) {
    changed |= GiveUpReplica(state_.map, m.server, stuck);
  }
  changed |= AdvanceMoves(state_.map, state_.moves, hearing);
  changed |= ForgetReaders(state_.map, hearing);
  if (state_.map.servers.size() > state_.server_count) {
    // Not soon: it could not come back by itself.
    changed |= ForgetServers(state_.map,
                             {.at = at, .version = version, .now = now, .lease = options_.lease});
  }
  if (changed) {
    ++state_.map.version;
    Save(effects);
  }
  for (const ServerEntry& server : state_.map.servers) {
    const absl::Time over = HeardAt(server) + options_.server_lease;
    if (over > now) effects.WakeAt(over);
  }
}

void CoordinatorCore::On(NodeId source, const PlaceLanes& m, absl::Time now, Effects& effects) {
  absl::StatusOr<std::vector<LaneMove>> moves = Plan(m);
  if (!moves.ok()) {
    return Send(source, Acknowledgement{m.request, moves.status(), 0}, effects);
  }
  if (m.placing == Placing::kDrain) MarkDrained(state_.map, m.server);
  if (m.placing == Placing::kCancel) CancelMoves(state_.map, state_.moves);
  if (m.placing == Placing::kAway) {
    // As if it had been silent for its lease, which need not be waited for then.
    servers_heard_[m.server].at = now - std::max(options_.lease, options_.server_lease);
  }
  state_.moves.insert(state_.moves.end(), moves->begin(), moves->end());
  ++state_.map.version;
  when_stored_.push_back({kCoordinatorNode, source, Acknowledgement{m.request, {}, 0}});
  Save(effects);
  LookAfterLanes({}, now, effects);
}

void CoordinatorCore::On(NodeId source, const RollBack& m, absl::Time now, Effects& effects) {
  ClusterMap& map = state_.map;
  absl::Status refusal;
  if (m.id != 0 && map.rolled_back.id == m.id) {
    // Asked again: it is done, or is being written.
    if (stored_.map.rolled_back.id != m.id) {
      refusal = absl::UnavailableError("the rollback is being written down");
    }
    return Send(source, Acknowledgement{m.request, refusal, 0}, effects);
  }
  if (!is_formed()) {
    refusal = absl::UnavailableError(absl::StrCat("the cluster waits for ", WaitsFor()));
  } else if (state_.pending) {
    refusal = absl::UnavailableError(
        absl::StrCat("table '", state_.pending->name, "' is being made: want to be asked again"));
  } else if (m.checkpoint.empty()) {
    refusal = absl::InvalidArgumentError("rollback to checkpoint '': want its name");
  }
  if (!refusal.ok()) return Send(source, Acknowledgement{m.request, refusal, 0}, effects);
  map.rolled_back = {.checkpoint = m.checkpoint,
                     .step = m.step,
                     .first_session = SessionId{state_.next_session},
                     .id = m.id,
                     .at_us = static_cast<std::uint64_t>(absl::ToUnixMicros(now))};
  ++map.epoch;
  ++map.version;
  // Each lane's log goes another way from here.
  for (std::uint64_t& epoch : map.lane_epochs) ++epoch;
  state_.workers.clear();
  when_stored_.push_back({kCoordinatorNode, source, Acknowledgement{m.request, {}, 0}});
  Save(effects);
}

// Once a rollback is written: no lane needs to be told of sessions that it will not know.
void CoordinatorCore::ForgetSessions(Effects& effects) {
  const SessionId first = state_.map.rolled_back.first_session;
  while (!leaving_.empty() && leaving_.begin()->first < first) {
    for (const Asker& asker : leaving_.begin()->second.askers) {
      Send(asker.source, Acknowledgement{asker.request, {}, 0}, effects);
    }
    leaving_.erase(leaving_.begin());
  }
  absl::erase_if(workers_heard_, [&](const auto& heard) { return heard.first < first; });
}

absl::StatusOr<std::vector<LaneMove>> CoordinatorCore::Plan(const PlaceLanes& m) const {
  if (!is_formed()) {
    return absl::UnavailableError(absl::StrCat("the cluster waits for ", WaitsFor()));
  }
  const ClusterMap map = AfterMoves(state_.map, state_.moves);
  switch (m.placing) {
    case Placing::kMove:
      return PlanMove(map, m.lane, m.server);
    case Placing::kDrain:
      return PlanDrain(map, m.server);
    case Placing::kRebalance:
      return PlanRebalance(map, LoadsOfLanes());
    case Placing::kAway:
      if (std::ranges::find(map.servers, m.server, &ServerEntry::name) == map.servers.end()) {
        return absl::NotFoundError(absl::StrCat("there is no server '", m.server, "'"));
      }
      break;
    case Placing::kCancel:
      break;
  }
  return std::vector<LaneMove>();
}

}  // namespace longtail::server
