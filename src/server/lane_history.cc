#include "server/lane_history.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/lane_log.h"
#include "server/lane_recovery.h"

namespace longtail::server {
namespace {

absl::StatusOr<HistoryBase> ReadBase(BlobStore& store, const std::string& name) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, store.Read(name));
  LONGTAIL_ASSIGN_OR_RETURN(
      const LaneBase base,
      DecodeLaneBase(absl::StrCat("'", name, "' in ", store.Describe()), AsBytes(bytes)));
  HistoryBase read{.end = base.log_end, .time_us = base.time_us};
  for (const PartitionBase& partition : base.partitions) {
    read.step = std::max(read.step, partition.step);
  }
  return read;
}

// The time of the first record; none if there is none.
absl::StatusOr<std::optional<std::uint64_t>> ReadBeginning(BlobStore& store,
                                                           const std::string& name) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, store.Read(name));
  absl::StatusOr<LaneLogReader> reader =
      LaneLogReader::Open(absl::StrCat("'", name, "' in ", store.Describe()), AsBytes(bytes), 0);
  if (absl::IsNotFound(reader.status())) return std::optional<std::uint64_t>();
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  LONGTAIL_ASSIGN_OR_RETURN(const std::optional<Message> first, reader->Next());
  if (!first) return std::optional<std::uint64_t>();
  return std::optional(reader->time_us());
}

// Of the epoch at that place of the list: one behind its last record.
std::uint64_t EndOfEpoch(const LaneHistory& log, std::size_t place) {
  return place + 1 < log.epochs.size() ? log.epochs[place + 1].first : log.end;
}

}  // namespace

absl::StatusOr<std::optional<LaneHistory>> ReadLaneHistory(BlobStore& store,
                                                           std::span<const std::string> names,
                                                           const std::string& server,
                                                           const LaneLogKey& log) {
  LaneHistory history{.server = server,
                      .lane = log.lane,
                      .log = log.log,
                      .prefix = LaneLogPrefix(server, log.lane, log.log),
                      .is_over = log.is_gone,
                      .map = nullptr,
                      .epochs = {},
                      .bases = {}};
  for (const std::uint64_t base : FindLaneBases(names, history.prefix)) {
    LONGTAIL_ASSIGN_OR_RETURN(const HistoryBase read,
                              ReadBase(store, LaneBaseName(history.prefix, base)));
    history.bases.push_back(read);
  }
  const std::string beginning = LaneLogName(history.prefix, 0);
  if (std::ranges::find(names, beginning) != names.end()) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::optional<std::uint64_t> time,
                              ReadBeginning(store, beginning));
    if (!time && history.bases.empty()) return std::optional<LaneHistory>();
    history.has_beginning = time.has_value();
    history.begin_us = time.value_or(0);
  }
  if (!history.has_beginning) {
    if (history.bases.empty()) return std::optional<LaneHistory>();
    history.begin = history.bases.front().end;
    history.begin_us = history.bases.front().time_us;
    history.begin_step = history.bases.front().step;
  }
  LogPart newest{.has_rows = false};
  if (!history.bases.empty()) newest.base = history.bases.back().end;
  LONGTAIL_ASSIGN_OR_RETURN(RecoveredLane lane,
                            ReplayLane(store, history.prefix, log.lane, newest));
  if (lane.core == nullptr) return std::optional<LaneHistory>();
  history.map = std::move(lane.map);
  history.era = lane.core->epoch();
  history.epochs = std::move(lane.epochs);
  history.end = lane.core->log_end();
  history.end_us = lane.core->time_us();
  history.end_step = lane.core->least_step();
  return std::optional(std::move(history));
}

std::uint64_t SharedEnd(const LaneHistory& log, const LaneHistory& other) {
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < log.epochs.size() && i < other.epochs.size(); ++i) {
    if (log.epochs[i] != other.epochs[i]) break;
    end = std::min(EndOfEpoch(log, i), EndOfEpoch(other, i));
    if (EndOfEpoch(log, i) != EndOfEpoch(other, i)) break;
  }
  return end;
}

}  // namespace longtail::server
