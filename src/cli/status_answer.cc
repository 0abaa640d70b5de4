#include "cli/status_answer.h"

#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/text_columns.h"
#include "protocol/spec_json.h"
#include "protocol/step_mode_names.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

double Seconds(std::uint64_t milliseconds) {
  return static_cast<double>(milliseconds) / 1000;
}

std::string Title(const ClusterStatus& status) {
  std::string text = absl::StrCat("cluster at ", SafeText(status.coordinator), ": ");
  if (status.map == nullptr) {
    const std::string waits_for = SafeText(status.waits_for);
    return absl::StrCat(text, "not formed, waits for ", waits_for.empty() ? "-" : waits_for, "\n");
  }
  const ClusterMap& map = *status.map;
  absl::StrAppend(&text, status.is_well() ? "formed" : "formed, but a member is late", "\n  ",
                  CountedText(map.servers.size(), "server"), ", ",
                  CountedText(map.lanes.size(), "lane"), ", ",
                  CountedText(map.lane_of.size(), "partition"), "; ", StepModeName(map.step_mode),
                  map.step_mode == StepMode::kAsynchronous ? ", at most " : ", ",
                  CountedText(map.worker_count, "worker"), "; map version ", map.version,
                  ", epoch ", map.epoch, "\n");
  if (map.replicas > 1) {
    absl::StrAppend(&text, "  ", CountedText(map.replicas, "replica"), " of each lane\n");
  }
  if (status.moves_left > 0) {
    absl::StrAppend(&text, "  ", CountedText(status.moves_left, "move"), " of lanes left\n");
  }
  return text;
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

}  // namespace

std::string StatusText(const ClusterStatus& status) {
  std::vector<std::vector<std::string>> servers = {{"number", "leads", "follows", "partitions",
                                                    "rows", "memory", "pulled/s", "pushed/s",
                                                    "silent", "server", ""}};
  std::vector<std::vector<std::string>> workers = {{"rank", "silent", "worker", ""}};
  for (const Member& member : status.members) {
    const std::string silent = absl::StrFormat("%.1f s", Seconds(member.silent_ms));
    std::string problem = absl::StrCat(member.is_late ? "LATE " : "", SafeText(member.problem));
    if (member.reads != 0) {
      absl::StrAppend(&problem, problem.empty() ? "" : "; ", "reads ",
                      CountedText(member.reads, "lane"), ", at most ",
                      absl::StrFormat("%.1f s", Seconds(member.behind_ms)), " behind");
    }
    if (member.kind == MemberKind::kWorker) {
      workers.push_back({absl::StrCat(member.number), silent, SafeText(member.name), problem});
      continue;
    }
    servers.push_back(
        {absl::StrCat(member.number), GroupedText(member.lanes), GroupedText(member.follows),
         GroupedText(member.partitions), GroupedText(member.rows),
         absl::StrFormat("%.1f MiB", static_cast<double>(member.bytes) / (1 << 20)),
         GroupedText(member.rows_pulled_per_second), GroupedText(member.rows_pushed_per_second),
         silent, SafeText(member.name), problem});
  }
  std::string text = Title(status);
  if (servers.size() > 1) absl::StrAppend(&text, "\n", ColumnsText(servers, 9));
  if (workers.size() > 1) absl::StrAppend(&text, "\n", ColumnsText(workers, 2));
  if (status.map != nullptr && !status.map->tables.empty()) {
    std::vector<std::vector<std::string>> tables = {{"dim", "table", "optimizer"}};
    for (const TableSpec& spec : status.map->tables) {
      tables.push_back({GroupedText(spec.dim), SafeText(spec.name), OptimizerText(spec)});
    }
    absl::StrAppend(&text, "\n", ColumnsText(tables, 1));
  }
  return text;
}

std::string StatusJson(const ClusterStatus& status) {
  json document = {{"coordinator", status.coordinator}, {"formed", status.map != nullptr},
                   {"well", status.is_well()},          {"waits_for", status.waits_for},
                   {"moves_left", status.moves_left},   {"servers", json::array()},
                   {"workers", json::array()},          {"tables", json::array()}};
  for (const Member& member : status.members) {
    document[member.kind == MemberKind::kWorker ? "workers" : "servers"].push_back(
        MemberJson(member));
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
    for (const TableSpec& spec : map.tables) {
      document["tables"].push_back({{"name", spec.name}, {"spec", SpecToJson(spec)}});
    }
  }
  return LineOf(document);
}

}  // namespace longtail::cli
