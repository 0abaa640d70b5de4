#include "cluster/status_json.h"

#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

#include "cluster/table_json.h"
#include "protocol/json_line.h"
#include "protocol/lane_leader.h"
#include "protocol/step_mode_names.h"

namespace longtail {
namespace {

using nlohmann::json;

double Seconds(std::uint64_t milliseconds) {
  return static_cast<double>(milliseconds) / 1000;
}

json MemberJson(const Member& member) {
  json entry = {{"name", member.name},
                {"silent_seconds", Seconds(member.silent_ms)},
                {"late", member.is_late},
                {"problem", member.problem}};
  if (member.kind == MemberKind::kWorker) {
    entry["rank"] = member.number;
    return entry;
  }
  entry["number"] = member.number;
  entry["lanes"] = member.lanes;
  entry["follows"] = member.follows;
  entry["partitions"] = member.partitions;
  entry["rows"] = member.rows;
  entry["bytes"] = member.bytes;
  entry["rows_pulled_per_second"] = member.rows_pulled_per_second;
  entry["rows_pushed_per_second"] = member.rows_pushed_per_second;
  entry["reads"] = member.reads;
  if (member.reads != 0) entry["behind_seconds"] = Seconds(member.behind_ms);
  return entry;
}

std::string LeaderOf(const ClusterStatus& status, NodeId lane) {
  const auto leader = status.map == nullptr ? std::nullopt : FindLeader(*status.map, lane);
  return leader ? leader->server->name : "";
}

}  // namespace

std::string StatusJson(const ClusterStatus& status) {
  json document = {{"coordinator", status.coordinator}, {"formed", status.map != nullptr},
                   {"well", status.is_well()},          {"waits_for", status.waits_for},
                   {"moves_left", status.moves_left},   {"servers", json::array()},
                   {"workers", json::array()},          {"tables", json::array()}};
  for (const Member& member : status.members) {
    document[member.kind == MemberKind::kWorker ? "workers" : "servers"].push_back(
        MemberJson(member));
  }
  document["loads"] = json::array();
  for (const LaneLoad& lane : status.lanes) {
    document["loads"].push_back({{"lane", static_cast<std::uint32_t>(lane.lane)},
                                 {"leader", LeaderOf(status, lane.lane)},
                                 {"rows", lane.rows},
                                 {"rows_pulled_per_second", lane.rows_pulled},
                                 {"rows_pushed_per_second", lane.rows_pushed}});
  }
  if (status.map != nullptr) {
    const ClusterMap& map = *status.map;
    document["map_version"] = map.version;
    document["epoch"] = map.epoch;
    document["step_mode"] = StepModeName(map.step_mode);
    document["staleness"] = map.staleness;
    document["worker_count"] = map.worker_count;
    document["lanes"] = map.lanes.size();
    document["replicas"] = map.replicas;
    document["partitions"] = map.lane_of.size();
    for (std::size_t t = 0; t < map.tables.size(); ++t) {
      document["tables"].push_back(TableJson(
          map.tables[t], t < status.tables.size() ? status.tables[t] : TableStatistics()));
    }
    if (map.rolled_back.checkpoint.empty()) {
      document["rolled_back"] = nullptr;
    } else {
      document["rolled_back"] = {{"checkpoint", map.rolled_back.checkpoint},
                                 {"step", map.rolled_back.step},
                                 {"at_seconds", static_cast<double>(map.rolled_back.at_us) * 1e-6}};
    }
  }
  return JsonLine(document);
}

}  // namespace longtail
