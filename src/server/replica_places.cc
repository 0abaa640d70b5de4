#include "server/replica_places.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace longtail::server {
namespace {

struct Place {
  ServerEntry* server = nullptr;
  LaneEntry* entry = nullptr;
};

// Replicas of a lane, by server. Those that only read are none.
std::vector<Place> PlacesOf(ClusterMap& map, NodeId lane) {
  std::vector<Place> places;
  for (ServerEntry& server : map.servers) {
    for (LaneEntry& entry : server.lanes) {
      if (entry.node != lane || entry.role == ReplicaRole::kReader) continue;
      places.push_back({&server, &entry});
    }
  }
  return places;
}

bool IsInSync(const Place& place) {
  return place.entry->role == ReplicaRole::kFollower ||
         place.entry->role == ReplicaRole::kSuccessor;
}

// Whether the server can lead the lane in a next epoch. Of a cluster that was only just formed, one
// that saw no map of the first epoch would take itself for one that lost the lane.
bool MayLead(const ServerEntry& server, std::uint64_t epoch, const Hearing& hearing) {
  return epoch != kFirstEpoch || !hearing.from_the_first || hearing.version(server) != 0;
}

// Of the followers that are heard, the one whose server leads the fewest lanes.
const Place* Successor(const std::vector<Place>& places, std::uint64_t epoch,
                       const Hearing& hearing) {
  const Place* best = nullptr;
  for (const Place& place : places) {
    if (!IsInSync(place) || !hearing.IsHeard(*place.server)) continue;
    if (!MayLead(*place.server, epoch, hearing)) continue;
    if (best == nullptr || CountRole(*place.server, ReplicaRole::kLeader) <
                               CountRole(*best->server, ReplicaRole::kLeader)) {
      best = &place;
    }
  }
  return best;
}

// Without those that are silent. Whether anything changed.
bool FollowSilenceOf(std::vector<Place> places, std::uint64_t& epoch, const Hearing& hearing) {
  auto leader =
      std::ranges::find(places, ReplicaRole::kLeader, [](const Place& p) { return p.entry->role; });
  if (leader == places.end()) return false;
  bool changed = false;
  if (!hearing.IsHeard(*leader->server)) {
    const Place* const successor = Successor(places, epoch, hearing);
    if (successor != nullptr) {
      leader->entry->role = ReplicaRole::kNone;
      successor->entry->role = ReplicaRole::kLeader;
      leader = places.begin() + (successor - places.data());
      changed = true;
    }
  }
  if (!MayLead(*leader->server, epoch, hearing)) return false;
  for (const Place& place : places) {
    ReplicaRole& role = place.entry->role;
    if (role == ReplicaRole::kLeader) continue;
    const bool is_there = hearing.IsHeard(*place.server);
    // A follower is given up only while another has all: it may be the last that does.
    const bool leader_is_there =
        hearing.at(*leader->server) >= hearing.at(*place.server) + hearing.lease;
    if (!is_there && role != ReplicaRole::kNone && (leader_is_there || !IsInSync(place))) {
      role = ReplicaRole::kNone;
      changed = true;
    } else if (is_there && role == ReplicaRole::kNone) {
      role = ReplicaRole::kJoining;
      changed = true;
    }
  }
  if (changed) ++epoch;
  return changed;
}

}  // namespace

bool IsReader(const ServerEntry& server) {
  return !server.lanes.empty() && server.lanes[0].role == ReplicaRole::kReader;
}

std::uint32_t CountRole(const ServerEntry& server, ReplicaRole role) {
  return static_cast<std::uint32_t>(std::ranges::count(server.lanes, role, &LaneEntry::role));
}

absl::Status CheckPlaces(const ServerEntry& server, std::uint32_t replicas) {
  if (server.lanes.size() % replicas == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("server '", server.name, "' has places for ", server.lanes.size(),
                   " replicas of lanes: ", "this cluster keeps ", replicas,
                   " of each, want a multiple (serve --replicas ", replicas, ")"));
}

void FormReplicas(ClusterMap& map) {
  const std::size_t servers = map.servers.size();
  const std::size_t places = map.servers[0].lanes.size();
  const std::size_t lanes = places / map.replicas;  // That each leads.
  map.lanes.clear();
  for (std::size_t i = 0; i < servers * lanes; ++i) {
    map.lanes.push_back(NodeId{static_cast<std::uint32_t>(i + 1)});
  }
  map.lane_epochs.assign(map.lanes.size(), 1);
  for (std::size_t s = 0; s < servers; ++s) {
    for (std::size_t i = 0; i < places; ++i) {
      const std::size_t copy = i / lanes;
      const std::size_t owner = (s + servers - copy) % servers;
      map.servers[s].lanes[i].node = map.lanes[owner * lanes + i % lanes];
      map.servers[s].lanes[i].role = copy == 0 ? ReplicaRole::kLeader : ReplicaRole::kFollower;
    }
  }
}

bool FollowSilence(ClusterMap& map, const Hearing& hearing) {
  bool changed = false;
  for (std::size_t i = 0; i < map.lanes.size(); ++i) {
    changed |= FollowSilenceOf(PlacesOf(map, map.lanes[i]), map.lane_epochs[i], hearing);
  }
  return changed;
}

absl::Status ReplaceServer(ClusterMap& map, const ServerEntry& server, const Hearing& hearing) {
  ClusterMap next = map;
  const auto known = std::ranges::find(next.servers, server.name, &ServerEntry::name);
  if (known->lanes.size() != server.lanes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("server '", server.name, "' has places for ", server.lanes.size(),
                     " replicas of lanes: it had ", known->lanes.size(), ", want as many"));
  }
  // With its log it has what it held, and what its places are still holds.
  const bool comes_back = known->log != 0 && known->log == server.log;
  if (!comes_back) {
    // The one that ended is heard no more, whenever that was.
    const auto at = [&](const ServerEntry& other) {
      return other.name == server.name ? absl::InfinitePast() : hearing.at(other);
    };
    FollowSilence(next, {.at = at,
                         .version = hearing.version,
                         .now = hearing.now,
                         .lease = hearing.lease,
                         .from_the_first = hearing.from_the_first});
  }
  for (std::size_t i = 0; i < known->lanes.size(); ++i) {
    LaneEntry& entry = known->lanes[i];
    entry.addresses = server.lanes[i].addresses;
    if (entry.role == ReplicaRole::kLeader && !comes_back) {
      return absl::FailedPreconditionError(absl::StrCat(
          "server '", server.name, "' led lane ", static_cast<std::uint32_t>(entry.node),
          ", of which no other server that is heard has all: its rows went with it; ",
          "start a new cluster and restore a checkpoint"));
    }
    if (!comes_back) {
      // It may have been the last with all of a lane that nobody leads now.
      entry.role = ReplicaRole::kNone;
    } else if (entry.role == ReplicaRole::kLeader) {
      // Followers may have entries of its that its log has not: it leads anew.
      ++next.lane_epochs[static_cast<std::size_t>(std::ranges::find(next.lanes, entry.node) -
                                                  next.lanes.begin())];
    }
  }
  known->incarnation = server.incarnation;
  known->is_drained = false;
  known->host = server.host;
  known->log = server.log;
  map = std::move(next);
  return absl::OkStatus();
}

bool GiveUpReplica(ClusterMap& map, const std::string& leader, const StuckReplica& stuck) {
  const auto number =
      static_cast<std::size_t>(std::ranges::find(map.lanes, stuck.lane.lane) - map.lanes.begin());
  if (number >= map.lane_epochs.size() || map.lane_epochs[number] != stuck.lane.epoch) return false;
  const std::vector<Place> places = PlacesOf(map, stuck.lane.lane);
  const auto says =
      std::ranges::find(places, leader, [](const Place& p) { return p.server->name; });
  const auto gone = std::ranges::find(places, stuck.incarnation,
                                      [](const Place& p) { return p.server->incarnation; });
  if (says == places.end() || says->entry->role != ReplicaRole::kLeader || gone == places.end() ||
      gone == says || gone->entry->role == ReplicaRole::kNone) {
    return false;
  }
  // The leader lives and has all. Under the next epoch it waits for this one no more.
  gone->entry->role = ReplicaRole::kJoining;
  ++map.lane_epochs[number];
  return true;
}

bool TakeFollower(ClusterMap& map, const std::string& server, NodeId lane, std::uint64_t epoch) {
  const auto number =
      static_cast<std::size_t>(std::ranges::find(map.lanes, lane) - map.lanes.begin());
  if (number >= map.lane_epochs.size() || map.lane_epochs[number] != epoch) return false;
  const std::vector<Place> places = PlacesOf(map, lane);
  const auto sender =
      std::ranges::find(places, server, [](const Place& p) { return p.server->name; });
  if (sender == places.end()) return false;
  if (sender->entry->role == ReplicaRole::kJoining) {
    sender->entry->role = ReplicaRole::kFollower;
    return true;
  }
  const auto successor = std::ranges::find(places, ReplicaRole::kSuccessor,
                                           [](const Place& p) { return p.entry->role; });
  if (sender->entry->role != ReplicaRole::kLeader || successor == places.end()) return false;
  sender->entry->role = ReplicaRole::kFollower;
  successor->entry->role = ReplicaRole::kLeader;
  ++map.lane_epochs[number];
  return true;
}

}  // namespace longtail::server
