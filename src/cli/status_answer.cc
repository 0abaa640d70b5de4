#include "cli/status_answer.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/text_columns.h"
#include "protocol/lane_leader.h"
#include "protocol/step_mode_names.h"

namespace longtail::cli {
namespace {

constexpr std::size_t kLanesShown = 16;

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

std::string LeaderOf(const ClusterStatus& status, NodeId lane) {
  const auto leader = status.map == nullptr ? std::nullopt : FindLeader(*status.map, lane);
  return leader ? leader->server->name : "";
}

std::uint64_t LoadOf(const LaneLoad& lane) {
  return lane.rows_pulled + lane.rows_pushed;
}

// Lanes by what they are asked for, the most first, as long as they differ; how much they do.
std::string LanesText(const ClusterStatus& status) {
  std::vector<LaneLoad> lanes = status.lanes;
  std::uint64_t sum = 0;
  for (const LaneLoad& lane : lanes) sum += LoadOf(lane);
  if (sum == 0 || lanes.size() < 2) return "";
  std::ranges::stable_sort(lanes, std::ranges::greater(), LoadOf);
  const double mean = static_cast<double>(sum) / static_cast<double>(lanes.size());
  std::vector<std::vector<std::string>> rows = {
      {"lane", "rows", "pulled/s", "pushed/s", "of mean", "leader"}};
  for (const LaneLoad& lane : lanes) {
    if (rows.size() > kLanesShown) break;
    rows.push_back({absl::StrCat(static_cast<std::uint32_t>(lane.lane)), GroupedText(lane.rows),
                    GroupedText(lane.rows_pulled), GroupedText(lane.rows_pushed),
                    absl::StrFormat("%.2f", static_cast<double>(LoadOf(lane)) / mean),
                    SafeText(LeaderOf(status, lane.lane))});
  }
  std::string text = absl::StrCat("\n", ColumnsText(rows, 5));
  if (lanes.size() > kLanesShown) {
    absl::StrAppend(&text, "and ", CountedText(lanes.size() - kLanesShown, "lane"),
                    " that are asked for less\n");
  }
  return text;
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
  absl::StrAppend(&text, LanesText(status));
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

}  // namespace longtail::cli
