#include "cluster/server_departure.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cluster/cluster_status.h"

namespace longtail {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(200);
constexpr absl::Duration kAnswerWithin = absl::Seconds(3);
// What was asked for is asked for again: it may be refused now and not later, or be cancelled.
constexpr absl::Duration kAskEvery = absl::Seconds(5);
// Some times as long as the coordinator's rates are of.
constexpr absl::Duration kWatchedFor = absl::Seconds(8);
constexpr NodeId kFree{0};  // The lane of a place that has none.

const ServerEntry* FindServer(const ClusterStatus& status, const std::string& name) {
  if (status.map == nullptr) return nullptr;
  const auto found = std::ranges::find(status.map->servers, name, &ServerEntry::name);
  return found == status.map->servers.end() ? nullptr : &*found;
}

std::uint32_t CountRole(const ServerEntry& server, ReplicaRole role) {
  return static_cast<std::uint32_t>(std::ranges::count(server.lanes, role, &LaneEntry::role));
}

// Lanes that have to go elsewhere before the server may end.
std::vector<NodeId> LanesLeft(const ClusterStatus& status, const ServerEntry& server,
                              Departure departure) {
  std::vector<NodeId> left;
  const bool has_replicas = status.map->replicas > 1;
  for (const LaneEntry& place : server.lanes) {
    if (place.node == kFree) continue;
    const bool leads = place.role == ReplicaRole::kLeader || place.role == ReplicaRole::kSuccessor;
    if (departure == Departure::kDrains || (has_replicas && leads)) left.push_back(place.node);
  }
  return left;
}

// Who may lead the lane at once: of those that have all of it the one that leads the fewest.
const ServerEntry* FindHeir(const ClusterMap& map, const std::string& server, NodeId lane) {
  const ServerEntry* heir = nullptr;
  for (const ServerEntry& other : map.servers) {
    const auto place = std::ranges::find(other.lanes, lane, &LaneEntry::node);
    if (other.name == server || other.is_drained || place == other.lanes.end() ||
        place->role != ReplicaRole::kFollower) {
      continue;
    }
    if (heir == nullptr ||
        CountRole(other, ReplicaRole::kLeader) < CountRole(*heir, ReplicaRole::kLeader)) {
      heir = &other;
    }
  }
  return heir;
}

// Whether it has a place for what it has not all of, or is not there yet.
bool CatchesUp(const ServerEntry* server) {
  return server == nullptr || std::ranges::any_of(server->lanes, [](const LaneEntry& place) {
           return place.node != kFree &&
                  (place.role == ReplicaRole::kJoining || place.role == ReplicaRole::kNone);
         });
}

absl::Status Rebalance(const std::string& coordinator) {
  return AskToPlace(coordinator,
                    {.request = 0, .placing = Placing::kRebalance, .lane = {}, .server = {}},
                    kAnswerWithin);
}

absl::Status AskToGo(const std::string& coordinator, const ClusterStatus& status,
                     const std::string& server, Departure departure,
                     const std::vector<NodeId>& left) {
  if (departure == Departure::kDrains) {
    return AskToPlace(coordinator,
                      {.request = 0, .placing = Placing::kDrain, .lane = {}, .server = server},
                      kAnswerWithin);
  }
  absl::Status refusal;
  for (const NodeId lane : left) {
    const ServerEntry* const heir = FindHeir(*status.map, server, lane);
    if (heir == nullptr) {
      refusal.Update(absl::UnavailableError(absl::StrCat("lane ", static_cast<std::uint32_t>(lane),
                                                         ": no follower has all of it yet")));
      continue;
    }
    refusal.Update(AskToPlace(
        coordinator, {.request = 0, .placing = Placing::kMove, .lane = lane, .server = heir->name},
        kAnswerWithin));
  }
  return refusal;
}

}  // namespace

absl::Status LeaveCluster(const std::string& coordinator, const std::string& server,
                          Departure departure, absl::Duration timeout,
                          const std::function<bool()>& is_over) {
  const absl::Time deadline = absl::Now() + timeout;
  absl::Time ask_at = absl::InfinitePast();
  bool has_asked = false;
  std::string what = "the cluster's map was not read";
  while (!is_over()) {
    const absl::StatusOr<ClusterStatus> status = ReadClusterStatus(coordinator, kAnswerWithin);
    absl::Status refusal = status.status();
    if (status.ok()) {
      const ServerEntry* const mine = FindServer(*status, server);
      if (mine == nullptr) return absl::OkStatus();  // Not formed, or it has been forgotten.
      const std::vector<NodeId> left = LanesLeft(*status, *mine, departure);
      if (left.empty()) {
        // Who leads what it led was chosen for having room. It has left, evened out or not.
        if (departure == Departure::kDrains && has_asked) (void)Rebalance(coordinator);
        return absl::OkStatus();
      }
      what = absl::StrCat(left.size(), left.size() == 1 ? " lane is" : " lanes are", " left");
      if (absl::Now() >= ask_at) {
        refusal = AskToGo(coordinator, *status, server, departure, left);
        if (refusal.ok()) ask_at = absl::Now() + kAskEvery;
        has_asked = true;
      }
    }
    if (!refusal.ok()) absl::StrAppend(&what, ": ", std::string(refusal.message()));
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat("server '", server, "' leaves: after ",
                                                      absl::FormatDuration(timeout), " ", what));
    }
    absl::SleepFor(kLookEvery);
  }
  return absl::CancelledError(absl::StrCat("server '", server, "' leaves: ended before it has"));
}

absl::Status SayAway(const std::string& coordinator, const std::string& server) {
  return AskToPlace(coordinator,
                    {.request = 0, .placing = Placing::kAway, .lane = {}, .server = server},
                    kAnswerWithin);
}

absl::Status TakeShare(const std::string& coordinator, const std::string& server,
                       absl::Duration timeout, const std::function<bool()>& is_over) {
  const absl::Time deadline = absl::Now() + timeout;
  absl::Time ask_at = absl::InfinitePast();
  bool was_asked = false;
  std::string what = "the cluster's map was not read";
  for (; !is_over(); absl::SleepFor(kLookEvery)) {
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat("server '", server,
                                                      "' takes its share: after ",
                                                      absl::FormatDuration(timeout), " ", what));
    }
    if (absl::Now() < ask_at) continue;
    const absl::StatusOr<ClusterStatus> status = ReadClusterStatus(coordinator, kAnswerWithin);
    if (!status.ok()) {
      what = std::string(status.status().message());
      continue;
    }
    if (CatchesUp(FindServer(*status, server))) {
      what = "it has not caught up in its lanes";
      continue;
    }
    const absl::Status asked = Rebalance(coordinator);
    if (!asked.ok()) {
      what = std::string(asked.message());
      continue;
    }
    if (was_asked) return asked;
    // What lanes are asked for while servers come and go says little; once more, in peace.
    was_asked = true;
    what = "it was asked for once";
    ask_at = absl::Now() + kWatchedFor;
  }
  return absl::CancelledError(absl::StrCat("server '", server, "' ends"));
}

}  // namespace longtail
