// What the coordinator tells operators of the cluster's members.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/about_reply.h"
#include "server/coordinator_core.h"
#include "server/replica_places.h"

namespace longtail::server {
namespace {

// Rates are of so long, or a little longer.
constexpr absl::Duration kRatePeriod = absl::Seconds(2);

}  // namespace

void CoordinatorCore::Rates::Take(std::uint64_t pulled, std::uint64_t pushed, absl::Time now) {
  const absl::Duration time = now - counted_at;
  if (time < kRatePeriod) return;
  // (Less is done than before if a server began anew, or a lane left it.)
  const auto rate = [&](std::uint64_t before, std::uint64_t after) {
    if (after < before) return std::uint64_t{0};
    return static_cast<std::uint64_t>(static_cast<double>(after - before) /
                                      absl::ToDoubleSeconds(time));
  };
  if (counted_at != absl::InfinitePast()) {
    rows_pulled_per_second = rate(rows_pulled, pulled);
    rows_pushed_per_second = rate(rows_pushed, pushed);
  }
  rows_pulled = pulled;
  rows_pushed = pushed;
  counted_at = now;
}

void CoordinatorCore::TakeRates(const Heartbeat& m, absl::Time now, Heard& heard) {
  heard.rates.Take(m.rows_pulled, m.rows_pushed, now);
  for (const LaneLoad& load : m.loads) {
    if (std::ranges::find(state_.map.lanes, load.lane) == state_.map.lanes.end()) continue;
    LaneHeard& lane = lanes_heard_[load.lane];
    // What was asked of it where it was before holds until more is known.
    if (std::exchange(lane.incarnation, m.incarnation) != m.incarnation) {
      lane.rates.counted_at = absl::InfinitePast();
    }
    lane.rows = load.rows;
    lane.rates.Take(load.rows_pulled, load.rows_pushed, now);
  }
}

std::vector<LaneLoad> CoordinatorCore::LoadsOfLanes() const {
  std::vector<LaneLoad> loads;
  for (const auto& [lane, heard] : lanes_heard_) {
    loads.push_back({.lane = lane,
                     .rows = heard.rows,
                     .rows_pulled = heard.rates.rows_pulled_per_second,
                     .rows_pushed = heard.rates.rows_pushed_per_second});
  }
  return loads;
}

// Who is gone, and will come back with its rows or leave them to others, does not count.
std::vector<TableStatistics> CoordinatorCore::TablesOfServers() const {
  std::vector<TableStatistics> tables;
  for (const ServerEntry& server : state_.map.servers) {
    const auto heard = servers_heard_.find(server.name);
    if (heard == servers_heard_.end()) continue;
    // A table may be so new that not every server has told of it.
    tables.resize(std::max(tables.size(), heard->second.tables.size()));
    for (std::size_t t = 0; t < heard->second.tables.size(); ++t) {
      tables[t] += heard->second.tables[t];
    }
  }
  return tables;
}

void CoordinatorCore::On(NodeId source, const MembersRequest& m, absl::Time now, Effects& effects) {
  MembersReply reply = Members(now);
  reply.request = m.request;
  Send(source, std::move(reply), effects);
}

MembersReply CoordinatorCore::Members(absl::Time now) const {
  MembersReply reply{.request = 0,
                     .status = {},
                     .waits_for = WaitsFor(),
                     .map_version = state_.map.version,
                     .epoch = state_.map.epoch,
                     .moves_left = static_cast<std::uint32_t>(state_.moves.size()),
                     .members = {},
                     .lanes = LoadsOfLanes(),
                     .tables = TablesOfServers()};
  const auto member = [&](MemberKind kind, const std::string& name, std::uint32_t number,
                          absl::Time heard, absl::Duration lease) -> Member& {
    const absl::Duration silent = std::max(now - heard, absl::ZeroDuration());
    Member& entry = reply.members.emplace_back();
    entry.kind = kind;
    entry.name = name;
    entry.number = number;
    entry.silent_ms = static_cast<std::uint64_t>(absl::ToInt64Milliseconds(silent));
    entry.is_late = silent > lease;
    return entry;
  };
  const Heard never;
  const std::vector<ServerEntry>& servers = is_formed() ? state_.map.servers : joining_;
  for (std::uint32_t i = 0; i < servers.size(); ++i) {
    const ServerEntry& server = servers[i];
    const auto found = servers_heard_.find(server.name);
    const Heard& heard = found == servers_heard_.end() ? never : found->second;
    const bool has_replicas = is_formed() && options_.replicas > 1;
    Member& entry = member(MemberKind::kServer, server.name, i, heard.at,
                           has_replicas ? options_.server_lease : options_.lease);
    entry.rows = heard.rows;
    entry.bytes = heard.bytes;
    if (!entry.is_late) {
      entry.rows_pulled_per_second = heard.rates.rows_pulled_per_second;
      entry.rows_pushed_per_second = heard.rates.rows_pushed_per_second;
    }
    entry.lanes = CountRole(server, ReplicaRole::kLeader);
    entry.follows = CountRole(server, ReplicaRole::kFollower);
    entry.partitions = PartitionsLedBy(server);
    entry.reads = CountRole(server, ReplicaRole::kReader);
    entry.behind_ms = entry.reads == 0 ? 0 : heard.behind_ms;
    const std::string address =
        server.lanes[0].addresses.empty() ? "no address" : server.lanes[0].addresses[0];
    const std::uint32_t joins = CountRole(server, ReplicaRole::kJoining);
    if (entry.is_late) {
      entry.problem = absl::StrCat("silent; its lanes were at ", address);
    } else if (server.is_drained) {
      entry.problem = "drained: gets no lanes any more";
    } else if (joins != 0) {
      entry.problem = absl::StrCat("joins ", joins, joins == 1 ? " lane" : " lanes",
                                   ": gets what others have of it");
    }
  }
  for (const WorkerEntry& worker : state_.workers) {
    const auto heard = workers_heard_.find(worker.session);
    Member& entry =
        member(MemberKind::kWorker, worker.name, worker.rank,
               heard == workers_heard_.end() ? never.at : heard->second, options_.lease);
    if (leaving_.contains(worker.session)) entry.problem = "leaving: lanes are being told";
  }
  return reply;
}

void CoordinatorCore::On(NodeId source, const AboutRequest& m, absl::Time now, Effects& effects) {
  Send(source, AboutOf("coordinator", m.request, now), effects);
}

std::uint32_t CoordinatorCore::PartitionsLedBy(const ServerEntry& server) const {
  const ClusterMap& map = state_.map;
  std::uint32_t partitions = 0;
  for (const LaneEntry& lane : server.lanes) {
    if (lane.role != ReplicaRole::kLeader) continue;
    const auto number = std::ranges::find(map.lanes, lane.node) - map.lanes.begin();
    partitions += static_cast<std::uint32_t>(std::ranges::count(map.lane_of, number));
  }
  return is_formed() ? partitions : 0;
}

}  // namespace longtail::server
