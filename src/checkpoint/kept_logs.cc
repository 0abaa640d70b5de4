#include "checkpoint/kept_logs.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "protocol/lane_leader.h"
#include "protocol/lane_log_names.h"

namespace longtail::checkpoint {
namespace {

using server::LaneHistory;

constexpr std::string_view kServerLog = "/log";

absl::Time TimeOf(std::uint64_t micros) {
  return absl::FromUnixMicros(static_cast<std::int64_t>(micros));
}

std::string Where(const KeptLog& log) {
  return absl::StrCat("'", log.history.prefix, "' in ", log.store->Describe());
}

// The servers whose logs are in a store.
std::vector<std::string> ServersOf(std::span<const std::string> names) {
  std::vector<std::string> servers;
  for (const std::string& name : names) {
    if (!name.ends_with(kServerLog)) continue;
    servers.push_back(name.substr(0, name.size() - kServerLog.size()));
  }
  return servers;
}

absl::Status ReadStore(BlobStore& store, std::vector<KeptLog>& logs) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, store.List(""));
  const std::vector<std::string> servers = ServersOf(names);
  if (servers.empty()) {
    return absl::NotFoundError(absl::StrCat(store.Describe(), ": no server has a log there: want ",
                                            "what `longtail serve --log` was given"));
  }
  for (const std::string& server : servers) {
    for (const LaneLogKey& key : FindLaneLogs(names, server)) {
      if (!key.is_whole) continue;
      LONGTAIL_ASSIGN_OR_RETURN(std::optional<LaneHistory> history,
                                server::ReadLaneHistory(store, names, server, key));
      if (history) logs.push_back({.store = &store, .history = *std::move(history)});
    }
  }
  return absl::OkStatus();
}

// Of the logs of one lane, those that say what came to be, with how much of it they do.
void Judge(std::vector<KeptLog>& logs) {
  const auto newest = std::ranges::max_element(logs, {}, [](const KeptLog& log) {
    const std::vector<EpochStart>& epochs = log.history.epochs;
    return std::pair(epochs.empty() ? 0 : epochs.back().epoch, log.history.end);
  });
  const LaneHistory judge = newest->history;
  for (KeptLog& log : logs) {
    const bool is_judge = log.history.prefix == judge.prefix && log.store == newest->store;
    log.end = is_judge ? judge.end : server::SharedEnd(log.history, judge);
  }
  std::erase_if(logs, [](const KeptLog& log) {
    return log.end <= log.history.begin && log.end < log.history.end;
  });
  std::ranges::stable_sort(logs, std::ranges::greater(), &KeptLog::end);
}

absl::Status CheckCluster(std::span<const KeptLog> logs) {
  for (const KeptLog& log : logs) {
    if (log.history.map->cluster == logs[0].history.map->cluster) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "logs of two clusters: ", Where(logs[0]), " is of ", logs[0].history.map->cluster, ", ",
        Where(log), " of ", log.history.map->cluster, ": want those of one"));
  }
  return absl::OkStatus();
}

// Whether another log knows of a newer leadership than these do.
void SetLacks(const ClusterMap& map, KeptLane& lane) {
  const std::vector<EpochStart>& epochs = lane.logs.front().history.epochs;
  const std::uint64_t known = epochs.empty() ? 0 : epochs.back().epoch;
  const std::uint64_t newest = EpochOf(map, lane.lane);
  if (newest > known) lane.lacks_epoch = newest;
}

void SetRange(KeptEra& era) {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  era.to_step = std::numeric_limits<std::uint64_t>::max();
  for (const KeptLane& lane : era.lanes) {
    const auto first = std::ranges::min_element(
        lane.logs, {}, [](const KeptLog& log) { return log.history.begin_us; });
    const auto step = std::ranges::min_element(
        lane.logs, {}, [](const KeptLog& log) { return log.history.begin_step; });
    from = std::max(from, first->history.begin_us);
    era.from_step = std::max(era.from_step, step->history.begin_step);
    to = std::max(to, lane.logs.front().history.end_us);
    era.to_step = std::min(era.to_step, lane.logs.front().history.end_step);
  }
  era.from = TimeOf(from);
  era.to = TimeOf(to);
}

// Of all logs, those of one era.
KeptEra TakeEra(std::uint64_t epoch, const ClusterMap& map, std::vector<KeptLog>& logs) {
  KeptEra era{.epoch = epoch, .lanes = {}, .missing = {}, .from = {}, .to = {}};
  for (const NodeId lane : map.lanes) {
    KeptLane found{.lane = lane, .logs = {}};
    for (KeptLog& log : logs) {
      if (log.history.lane != lane || log.history.era != epoch) continue;
      if (log.history.map->epoch == epoch) era.since = log.history.map->rolled_back;
      found.logs.push_back(std::move(log));
    }
    std::erase_if(logs, [](const KeptLog& log) { return log.history.map == nullptr; });
    if (found.logs.empty()) {
      era.missing.push_back(lane);
      continue;
    }
    Judge(found.logs);
    if (map.epoch == epoch) SetLacks(map, found);
    era.lanes.push_back(std::move(found));
  }
  SetRange(era);
  return era;
}

}  // namespace

std::string MomentText(absl::Time moment) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", moment, absl::UTCTimeZone());
}

absl::StatusOr<KeptLogs> ReadKeptLogs(std::span<BlobStore* const> stores) {
  std::vector<KeptLog> logs;
  for (BlobStore* const store : stores) LONGTAIL_RETURN_IF_ERROR(ReadStore(*store, logs));
  if (logs.empty()) return absl::NotFoundError("no lane has a log there yet");
  LONGTAIL_RETURN_IF_ERROR(CheckCluster(logs));
  KeptLogs kept{.map = logs[0].history.map, .eras = {}};
  std::set<std::uint64_t> epochs;
  std::set<NodeId> found;
  for (const KeptLog& log : logs) {
    if (log.history.map->version > kept.map->version) kept.map = log.history.map;
    epochs.insert(log.history.era);
    found.insert(log.history.lane);
  }
  std::vector<std::string> missing;
  for (const NodeId lane : kept.map->lanes) {
    if (!found.contains(lane)) missing.push_back(absl::StrCat(static_cast<std::uint32_t>(lane)));
  }
  if (!missing.empty()) {
    return absl::NotFoundError(
        absl::StrCat("lanes ", absl::StrJoin(missing, ", "),
                     ": no log of theirs is there: want the logs of all ",
                     "servers of the cluster, or of a replica of each lane"));
  }
  for (const std::uint64_t epoch : epochs) {
    kept.eras.push_back(TakeEra(epoch, *kept.map, logs));
    if (kept.eras.size() < 2) continue;
    KeptEra& before = kept.eras[kept.eras.size() - 2];
    before.to = std::min(before.to, TimeOf(kept.eras.back().since.at_us) - absl::Microseconds(1));
  }
  return kept;
}

}  // namespace longtail::checkpoint
