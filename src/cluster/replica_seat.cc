#include "cluster/replica_seat.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cluster/lane_routes.h"
#include "protocol/lane_leader.h"

namespace longtail {
namespace {

const char* RoleName(ReplicaRole role) {
  switch (role) {
    case ReplicaRole::kLeader:
      return "leader";
    case ReplicaRole::kFollower:
      return "follower";
    case ReplicaRole::kJoining:
      return "joining";
    case ReplicaRole::kSuccessor:
      return "successor";
    case ReplicaRole::kNone:
      return "none";
  }
  return "";
}

}  // namespace

ReplicaSeat::ReplicaSeat(Options options, std::unique_ptr<ZmqEndpoint> endpoint)
    : options_(std::move(options)),
      endpoint_(std::move(endpoint)),
      core_(options_.replica),
      loop_(core_, *endpoint_,
            CoreLoop::Options{.name = absl::StrCat("lane-", options_.replica.seat),
                              .store = options_.store}) {}

void ReplicaSeat::Follow(const std::shared_ptr<const ClusterMap>& map) {
  for (const ServerEntry& server : map->servers) {
    if (server.name != options_.replica.server || options_.replica.seat >= server.lanes.size()) {
      continue;
    }
    // Before the replica asks its leader.
    const std::optional<LaneLeader> leader =
        FindLeader(*map, server.lanes[options_.replica.seat].node);
    if (!leader || leader->server == &server) continue;
    const absl::Status connected = endpoint_->Connect(
        leader->entry->node, RouteTo(*leader->server, *leader->entry, options_.host));
    if (!connected.ok()) {
      options_.log.Error("leader_address_refused", {{"reason", std::string(connected.message())}});
    }
  }
  loop_.Do([&](absl::Time now, Effects& effects) {
    core_.OnMap(map, now, effects);
    LogChange(*map);
  });
}

void ReplicaSeat::LogChange(const ClusterMap& map) {
  if (std::exchange(role_, core_.role()) == core_.role()) return;
  options_.log.Info("replica", {{"server", options_.replica.server},
                                {"place", options_.replica.seat},
                                {"address", options_.address},
                                {"lane", static_cast<std::uint32_t>(core_.lane_node())},
                                {"role", RoleName(core_.role())},
                                {"epoch", core_.epoch()},
                                {"entries", core_.lane() == nullptr ? 0 : core_.lane()->log_end()},
                                {"map", map.version}});
}

void ReplicaSeat::AddTo(Heartbeat& heartbeat) {
  const server::ReplicaGauges& gauges = core_.gauges();
  heartbeat.rows += gauges.rows;
  const std::uint64_t epoch = gauges.caught_up_epoch;
  if (epoch != 0) heartbeat.caught_up.push_back({NodeId{gauges.lane.load()}, epoch});
  if (const std::uint64_t images = gauges.images; std::exchange(images_, images) != images) {
    options_.log.Info(
        "replica_gets_image",
        {{"server", options_.replica.server}, {"lane", gauges.lane.load()}, {"images", images}});
  }
  if (const std::uint64_t n = gauges.problems; std::exchange(problems_, n) != n) {
    std::string problem;
    loop_.Do([&](absl::Time, Effects&) { problem = core_.problem(); });
    options_.log.Error("replica_cannot_follow",
                       {{"server", options_.replica.server}, {"reason", problem}});
  }
}

}  // namespace longtail
