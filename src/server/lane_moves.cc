#include "server/lane_moves.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "server/replica_places.h"

namespace longtail::server {
namespace {

constexpr NodeId kFree{0};  // The lane of a place that has none.

template <typename Map>
auto* FindServer(Map& map, const std::string& name) {
  const auto found = std::ranges::find(map.servers, name, &ServerEntry::name);
  return found == map.servers.end() ? nullptr : &*found;
}

template <typename Server>
auto* FindPlace(Server& server, NodeId lane) {
  const auto found = std::ranges::find(server.lanes, lane, &LaneEntry::node);
  return found == server.lanes.end() ? nullptr : &*found;
}

std::size_t Used(const ServerEntry& server) {
  return server.lanes.size() -
         static_cast<std::size_t>(std::ranges::count(server.lanes, kFree, &LaneEntry::node));
}

std::uint64_t& EpochOf(ClusterMap& map, NodeId lane) {
  return map.lane_epochs[static_cast<std::size_t>(std::ranges::find(map.lanes, lane) -
                                                  map.lanes.begin())];
}

void Clear(LaneEntry& place) {
  place.node = kFree;
  place.role = ReplicaRole::kNone;
}

struct Servers {
  std::function<bool(const ServerEntry& server)> is_heard;
  std::function<bool(const ServerEntry& server)> is_current;  // And has the newest map.
  std::function<bool(const ServerEntry& server)> has_map;
};

enum class Progress { kWaits, kChanged, kDone };

const ServerEntry* LeaderOf(const ClusterMap& map, NodeId lane) {
  const auto leads = [lane](const LaneEntry& place) {
    return place.node == lane && place.role == ReplicaRole::kLeader;
  };
  const auto found = std::ranges::find_if(map.servers, [&](const ServerEntry& server) {
    return std::ranges::any_of(server.lanes, leads);
  });
  return found == map.servers.end() ? nullptr : &*found;
}

Progress Advance(ClusterMap& map, const LaneMove& move, const Servers& servers) {
  ServerEntry* const to = FindServer(map, move.to);
  ServerEntry* const from = FindServer(map, move.from);
  LaneEntry* const source = from == nullptr ? nullptr : FindPlace(*from, move.lane);
  if (to == nullptr || source == nullptr) return Progress::kDone;  // Nothing is left to move.
  LaneEntry* target = FindPlace(*to, move.lane);
  if (target == nullptr) {
    if (move.keeps) return Progress::kDone;
    target = FindPlace(*to, kFree);
    if (target == nullptr) return Progress::kWaits;
    // A cluster that was only just formed: its leaders begin their lanes under the first epoch, and
    // one that saw none but a later one would take itself for one that lost its lane.
    const ServerEntry* const leader = LeaderOf(map, move.lane);
    if (leader != nullptr && !servers.has_map(*leader)) return Progress::kWaits;
    target->node = move.lane;
    target->role = ReplicaRole::kJoining;
    ++EpochOf(map, move.lane);
    return Progress::kChanged;
  }
  const bool target_leads = target->role == ReplicaRole::kLeader;
  if (source->role == ReplicaRole::kLeader) {
    if (target->role != ReplicaRole::kFollower || !servers.is_heard(*to)) return Progress::kWaits;
    target->role = ReplicaRole::kSuccessor;
    return Progress::kChanged;
  }
  if (move.keeps) return Progress::kDone;
  // The source stays until who has its place knows that, and is there.
  if (target_leads ? !servers.is_current(*to)
                   : target->role != ReplicaRole::kFollower || !servers.is_heard(*to)) {
    return Progress::kWaits;
  }
  Clear(*source);
  ++EpochOf(map, move.lane);
  return Progress::kDone;
}

// Where a replica of the lane may go: of the servers that have none of it the one with the fewest.
const ServerEntry* FindTarget(const ClusterMap& map, NodeId lane, const std::string& from) {
  const ServerEntry* best = nullptr;
  for (const ServerEntry& server : map.servers) {
    if (server.name == from || server.is_drained || FindPlace(server, lane) != nullptr ||
        FindPlace(server, kFree) == nullptr) {
      continue;
    }
    if (best == nullptr || Used(server) < Used(*best)) best = &server;
  }
  return best;
}

void Plan(ClusterMap& map, LaneMove move, std::vector<LaneMove>& moves) {
  map = AfterMoves(std::move(map), {move});
  moves.push_back(std::move(move));
}

absl::Status NoPlace(NodeId lane, const std::string& where) {
  return absl::ResourceExhaustedError(
      absl::StrCat("lane ", static_cast<std::uint32_t>(lane), ": ", where,
                   " free place for it: want another server, or one with more lanes"));
}

absl::Status OnlyReads(const std::string& server) {
  return absl::FailedPreconditionError(
      absl::StrCat("server '", server, "' only reads: no lane moves to it or from it"));
}

// A move that makes servers more alike in how many replicas they have.
std::optional<LaneMove> EvenReplicas(const ClusterMap& map) {
  std::optional<LaneMove> best;
  std::size_t widest = 1;
  for (const ServerEntry& from : map.servers) {
    for (const ServerEntry& to : map.servers) {
      if (IsReader(from) || IsReader(to)) continue;
      if (Used(from) < Used(to) + 2 || Used(from) - Used(to) <= widest) continue;
      if (to.is_drained || FindPlace(to, kFree) == nullptr) continue;
      // One that it leads, if it leads more.
      const bool leads_more =
          CountRole(from, ReplicaRole::kLeader) > CountRole(to, ReplicaRole::kLeader);
      const LaneEntry* chosen = nullptr;
      for (const LaneEntry& place : from.lanes) {
        if (place.node == kFree || FindPlace(to, place.node) != nullptr) continue;
        if (chosen == nullptr || (place.role == ReplicaRole::kLeader) == leads_more) {
          chosen = &place;
        }
      }
      if (chosen == nullptr) continue;
      widest = Used(from) - Used(to);
      best = LaneMove{chosen->node, from.name, to.name, false};
    }
  }
  return best;
}

// A handover that makes servers more alike in how many lanes they lead.
std::optional<LaneMove> EvenLeaders(const ClusterMap& map) {
  for (const ServerEntry& from : map.servers) {
    for (const ServerEntry& to : map.servers) {
      if (to.is_drained) continue;
      if (CountRole(from, ReplicaRole::kLeader) < CountRole(to, ReplicaRole::kLeader) + 2) continue;
      for (const LaneEntry& place : from.lanes) {
        if (place.role != ReplicaRole::kLeader) continue;
        const LaneEntry* const other = FindPlace(to, place.node);
        if (other != nullptr && other->role == ReplicaRole::kFollower) {
          return LaneMove{place.node, from.name, to.name, true};
        }
      }
    }
  }
  return std::nullopt;
}

// What is asked of lanes, and of servers that lead them.
class Loads {
 public:
  explicit Loads(const std::vector<LaneLoad>& loads) {
    for (const LaneLoad& load : loads) {
      by_lane_[load.lane] = load.rows_pulled + load.rows_pushed;
      sum_ += by_lane_[load.lane];
    }
  }
  std::uint64_t sum() const { return sum_; }
  std::uint64_t Of(NodeId lane) const {
    const auto found = by_lane_.find(lane);
    return found == by_lane_.end() ? 0 : found->second;
  }
  std::uint64_t Of(const ServerEntry& server) const {
    std::uint64_t sum = 0;
    for (const LaneEntry& place : server.lanes) {
      if (place.role == ReplicaRole::kLeader) sum += Of(place.node);
    }
    return sum;
  }

 private:
  absl::btree_map<NodeId, std::uint64_t> by_lane_;
  std::uint64_t sum_ = 0;
};

// Who leads the lane at one server is to be the other: a handover if that follows it already, a
// move if it has a place; `frees`: a place is free there before.
std::optional<LaneMove> Bring(NodeId lane, const ServerEntry& from, const ServerEntry& to,
                              bool frees) {
  const LaneEntry* const there = FindPlace(to, lane);
  if (there != nullptr) {
    if (there->role != ReplicaRole::kFollower) return std::nullopt;
    return LaneMove{lane, from.name, to.name, true};
  }
  if (!frees && FindPlace(to, kFree) == nullptr) return std::nullopt;
  return LaneMove{lane, from.name, to.name, false};
}

// What takes most from the server that is asked for the most: a lane that goes, or one for which
// another comes. Nothing, if that is little.
std::vector<LaneMove> EvenLoad(const ClusterMap& map, const Loads& loads) {
  const ServerEntry* from = nullptr;
  std::uint64_t sum = 0;
  std::uint64_t servers = 0;
  for (const ServerEntry& server : map.servers) {
    if (IsReader(server) || server.is_drained) continue;
    sum += loads.Of(server);
    ++servers;
    if (from == nullptr || loads.Of(server) > loads.Of(*from)) from = &server;
  }
  if (from == nullptr) return {};
  const std::uint64_t most = loads.Of(*from);
  const std::uint64_t little = sum / servers / 10;
  std::uint64_t best = most;
  std::vector<LaneMove> moves;
  for (const ServerEntry& to : map.servers) {
    if (IsReader(to) || to.is_drained || &to == from) continue;
    const std::uint64_t theirs = loads.Of(to);
    for (const LaneEntry& goes : from->lanes) {
      if (goes.role != ReplicaRole::kLeader) continue;
      const std::optional<LaneMove> there = Bring(goes.node, *from, to, false);
      if (!there) continue;
      const std::uint64_t load = loads.Of(goes.node);
      const auto try_with = [&](std::uint64_t comes_load, std::optional<LaneMove> back) {
        if (load <= comes_load) return;
        const std::uint64_t left = std::max(most - load + comes_load, theirs + load - comes_load);
        const bool is_better = left < best || (left == best && !back && moves.size() > 1);
        if (!is_better || most - left <= little) return;
        best = left;
        moves = {*there};
        if (back) moves.push_back(*std::move(back));
      };
      // Alone only if servers do not come to differ in how many replicas they have.
      if (there->keeps || Used(*from) > Used(to)) try_with(0, std::nullopt);
      for (const LaneEntry& comes : to.lanes) {
        if (comes.role != ReplicaRole::kLeader) continue;
        std::optional<LaneMove> back = Bring(comes.node, to, *from, !there->keeps);
        if (back && back->keeps == there->keeps) try_with(loads.Of(comes.node), std::move(back));
      }
    }
  }
  return moves;
}

}  // namespace

ClusterMap AfterMoves(ClusterMap map, const std::vector<LaneMove>& moves) {
  for (const LaneMove& move : moves) {
    ServerEntry* const to = FindServer(map, move.to);
    ServerEntry* const from = FindServer(map, move.from);
    LaneEntry* const source = from == nullptr ? nullptr : FindPlace(*from, move.lane);
    LaneEntry* target = to == nullptr ? nullptr : FindPlace(*to, move.lane);
    if (target == nullptr && to != nullptr) target = FindPlace(*to, kFree);
    if (source == nullptr || target == nullptr) continue;
    target->node = move.lane;
    target->role = source->role == ReplicaRole::kLeader || target->role == ReplicaRole::kLeader
                       ? ReplicaRole::kLeader
                       : ReplicaRole::kFollower;
    source->role = ReplicaRole::kFollower;
    if (!move.keeps) Clear(*source);
  }
  return map;
}

absl::StatusOr<std::vector<LaneMove>> PlanMove(const ClusterMap& map, NodeId lane,
                                               const std::string& server) {
  const ServerEntry* const to = FindServer(map, server);
  if (to == nullptr) return absl::NotFoundError(absl::StrCat("there is no server '", server, "'"));
  if (IsReader(*to)) return OnlyReads(server);
  if (to->is_drained) {
    return absl::FailedPreconditionError(
        absl::StrCat("server '", server, "' is drained: want another, or start it again"));
  }
  for (const ServerEntry& from : map.servers) {
    const LaneEntry* const source = FindPlace(from, lane);
    if (source == nullptr || source->role != ReplicaRole::kLeader) continue;
    if (from.name == server) return std::vector<LaneMove>();
    const bool is_there = FindPlace(*to, lane) != nullptr;
    if (!is_there && FindPlace(*to, kFree) == nullptr) {
      return NoPlace(lane, absl::StrCat("server '", server, "' has no"));
    }
    return std::vector<LaneMove>{{lane, from.name, server, is_there}};
  }
  return absl::NotFoundError(absl::StrCat("there is no lane ", static_cast<std::uint32_t>(lane),
                                          ": want 1..", map.lanes.size()));
}

absl::StatusOr<std::vector<LaneMove>> PlanDrain(const ClusterMap& map, const std::string& server) {
  const ServerEntry* const from = FindServer(map, server);
  if (from == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no server '", server, "'"));
  }
  if (IsReader(*from)) return OnlyReads(server);
  ClusterMap next = map;
  std::vector<LaneMove> moves;
  for (const LaneEntry& place : from->lanes) {
    if (place.node == kFree) continue;
    const ServerEntry* const to = FindTarget(next, place.node, server);
    if (to == nullptr) return NoPlace(place.node, "no other server has a");
    Plan(next, {place.node, server, to->name, false}, moves);
  }
  return moves;
}

std::vector<LaneMove> PlanRebalance(const ClusterMap& map,
                                    const std::vector<LaneLoad>& lane_loads) {
  ClusterMap next = map;
  std::vector<LaneMove> moves;
  while (std::optional<LaneMove> move = EvenReplicas(next)) Plan(next, *std::move(move), moves);
  // Each makes them more alike, so there is an end; the bound is for a mistake here. Who leads goes
  // by one of them: the other would undo it.
  const Loads loads(lane_loads);
  for (std::size_t i = 0; loads.sum() == 0 && i < next.lanes.size(); ++i) {
    std::optional<LaneMove> move = EvenLeaders(next);
    if (!move) break;
    Plan(next, *std::move(move), moves);
  }
  for (std::size_t i = 0; i < next.lanes.size(); ++i) {
    const std::vector<LaneMove> even = EvenLoad(next, loads);
    if (even.empty()) break;
    for (const LaneMove& move : even) Plan(next, move, moves);
  }
  return moves;
}

void MarkDrained(ClusterMap& map, const std::string& server) {
  FindServer(map, server)->is_drained = true;
}

bool AdvanceMoves(ClusterMap& map, std::vector<LaneMove>& moves, const Hearing& hearing) {
  const Servers servers{
      .is_heard = [&](const ServerEntry& server) { return hearing.IsHeard(server); },
      .is_current =
          [&](const ServerEntry& server) {
            return hearing.IsHeard(server) && hearing.version(server) == map.version;
          },
      .has_map = [&](const ServerEntry& server) { return hearing.version(server) != 0; }};
  bool changed = false;
  std::size_t under_way = 0;
  for (std::size_t i = 0; i < moves.size();) {
    // The order of moves of one lane is that of the list.
    const bool is_first = std::ranges::find(moves, moves[i].lane, &LaneMove::lane) ==
                          moves.begin() + static_cast<std::ptrdiff_t>(i);
    if (!is_first || under_way == kMovesAtOnce) {
      ++i;
      continue;
    }
    const Progress progress = Advance(map, moves[i], servers);
    changed |= progress != Progress::kWaits;
    if (progress == Progress::kDone) {
      moves.erase(moves.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++under_way;
      ++i;
    }
  }
  return changed;
}

void CancelMoves(const ClusterMap& map, std::vector<LaneMove>& moves) {
  std::vector<LaneMove> begun;
  std::vector<NodeId> seen;
  for (LaneMove& move : moves) {
    // A later move of a lane was planned for when the earlier ones are done.
    if (std::ranges::find(seen, move.lane) != seen.end()) continue;
    seen.push_back(move.lane);
    const ServerEntry* const to = FindServer(map, move.to);
    if (to != nullptr && FindPlace(*to, move.lane) != nullptr) begun.push_back(std::move(move));
  }
  moves = std::move(begun);
}

bool ForgetServers(ClusterMap& map, const Hearing& hearing) {
  return std::erase_if(map.servers, [&](const ServerEntry& server) {
           return Used(server) == 0 && !hearing.IsHeard(server);
         }) != 0;
}

bool ForgetReaders(ClusterMap& map, const Hearing& hearing) {
  return std::erase_if(map.servers, [&](const ServerEntry& server) {
           return IsReader(server) && !hearing.IsHeard(server);
         }) != 0;
}

}  // namespace longtail::server
