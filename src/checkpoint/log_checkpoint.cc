#include "checkpoint/log_checkpoint.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/checksum.h"
#include "protocol/lane_log_names.h"
#include "protocol/snapshot_writer.h"
#include "server/checkpoint_reader.h"
#include "server/checkpoint_writer.h"
#include "server/lane_recovery.h"
#include "server/snapshot_name.h"

namespace longtail::checkpoint {
namespace {

using server::HistoryBase;
using server::LogPart;
using server::RecoveredLane;

// Of a chunk, before compression; as lanes have them.
constexpr std::size_t kChunkBytes = std::size_t{8} << 20;
// Servers may remove what was chosen, since it is too old now: how often another choice is made.
constexpr int kTriesMax = 4;
constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();

std::uint32_t Number(NodeId lane) {
  return static_cast<std::uint32_t>(lane);
}

// A log of a lane, and where in it reading begins.
struct Choice {
  const KeptLog* log = nullptr;
  std::optional<std::uint64_t> base{};
};

// Of the logs that reach back far enough, the one that has most, from the newest base that is not
// too new on. `fits`: whether a base may be the one; `from_beginning`: so may the log's beginning.
template <typename Fits>
std::optional<Choice> Choose(const KeptLane& lane, Fits fits, bool from_beginning) {
  for (const KeptLog& log : lane.logs) {
    const std::vector<HistoryBase>& bases = log.history.bases;
    const auto base = std::find_if(bases.rbegin(), bases.rend(), [&](const HistoryBase& b) {
      return b.end <= log.end && fits(b);
    });
    if (base != bases.rend()) return Choice{&log, base->end};
    if (log.history.has_beginning && from_beginning) return Choice{&log, std::nullopt};
  }
  return std::nullopt;
}

class Making {
 public:
  Making(const KeptLogs& kept, const LogMoment& moment, BlobStore& store, const std::string& name)
      : kept_(kept), moment_(moment), store_(store), name_(name) {}

  absl::StatusOr<LogCheckpoint> Run() {
    era_ = &ChooseEra();
    LONGTAIL_RETURN_IF_ERROR(CheckRange());
    step_ = moment_.step;
    if (!step_ && kept_.map->step_mode == StepMode::kSynchronous) {
      LONGTAIL_ASSIGN_OR_RETURN(step_, StepAt(MomentMicros()));
    }
    Manifest& manifest = made_.manifest;
    manifest.library_version = LONGTAIL_VERSION;
    manifest.partition_count = static_cast<std::uint32_t>(kept_.map->lane_of.size());
    manifest.lanes = static_cast<std::uint32_t>(kept_.map->lanes.size());
    manifest.step_mode = kept_.map->step_mode;
    manifest.worker_count = kept_.map->worker_count;
    for (const KeptLane& lane : era_->lanes) LONGTAIL_RETURN_IF_ERROR(WriteLane(lane));
    absl::Time newest = absl::UnixEpoch();
    for (const LaneSource& lane : made_.lanes) newest = std::max(newest, lane.time);
    manifest.created_at = MomentText(moment_.at.value_or(newest));
    for (const PartitionPosition& position : manifest.partitions) {
      manifest.step = std::max(manifest.step, position.step);
    }
    std::ranges::sort(manifest.blobs, {}, &SnapshotBlob::name);
    std::ranges::sort(manifest.partitions, {}, &PartitionPosition::partition);
    LONGTAIL_RETURN_IF_ERROR(store_.Write(server::ManifestName(name_), EncodeManifest(manifest)));
    return std::move(made_);
  }

 private:
  std::uint64_t MomentMicros() const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(absl::ToUnixMicros(*moment_.at), 0));
  }

  // Of a moment, the one that it is in; of a step, the newest that has it.
  const KeptEra& ChooseEra() const {
    for (auto era = kept_.eras.rbegin(); era != kept_.eras.rend(); ++era) {
      const bool has_it = moment_.at
                              ? era->since.at_us <= MomentMicros()
                              : era->from_step <= *moment_.step && *moment_.step <= era->to_step;
      if (has_it) return *era;
    }
    return moment_.at ? kept_.eras.front() : kept_.eras.back();
  }

  std::string RangeText() const {
    std::string text = "the logs have ";
    for (const KeptEra& era : kept_.eras) {
      if (&era != &kept_.eras.front()) {
        absl::StrAppend(&text, "; since the rollback to '", era.since.checkpoint, "' ");
      }
      absl::StrAppend(&text, "moments from ", MomentText(era.from), " to ", MomentText(era.to));
      if (kept_.map->step_mode == StepMode::kAsynchronous) continue;
      absl::StrAppend(&text, ", steps from ", era.from_step, " to ", era.to_step);
    }
    return text;
  }

  std::string WantedText() const {
    return moment_.at ? absl::StrCat("moment ", MomentText(*moment_.at))
                      : absl::StrCat("step ", *moment_.step);
  }

  absl::Status CheckRange() const {
    if (moment_.step && kept_.map->step_mode == StepMode::kAsynchronous) {
      return absl::InvalidArgumentError(
          absl::StrCat(WantedText(), ": in asynchronous mode no step ends: want a moment"));
    }
    if (!era_->missing.empty()) {
      return absl::NotFoundError(
          absl::StrCat(WantedText(), ": lane ", Number(era_->missing.front()),
                       " has no log of that time: want the logs of all servers; ", RangeText()));
    }
    const bool is_before = moment_.at ? *moment_.at < era_->from : *moment_.step < era_->from_step;
    const bool is_after = moment_.at ? *moment_.at > era_->to : *moment_.step > era_->to_step;
    if (!is_before && !is_after) return absl::OkStatus();
    return absl::OutOfRangeError(absl::StrCat(WantedText(), ": is ", is_before ? "before" : "after",
                                              " what is kept: ", RangeText()));
  }

  absl::StatusOr<Choice> ChooseFor(const KeptLane& lane, std::uint64_t time_us,
                                   std::optional<std::uint64_t> step) const {
    const std::optional<Choice> choice = Choose(
        lane,
        [&](const HistoryBase& base) {
          return base.time_us <= time_us && (!step || base.step <= *step);
        },
        true);
    if (choice) return *choice;
    return absl::OutOfRangeError(
        absl::StrCat(WantedText(), step ? absl::StrCat(", which is step ", *step) : "", ": lane ",
                     Number(lane.lane), " has no base that is as old: ", RangeText()));
  }

  // A lane's logs say that there was more than this one has.
  absl::Status CheckGap(const KeptLane& lane, const Choice& choice,
                        const RecoveredLane& read) const {
    if (choice.log->end == lane.end() || read.core->log_end() < choice.log->end) {
      return absl::OkStatus();
    }
    return absl::OutOfRangeError(absl::StrCat(
        WantedText(), ": lane ", Number(lane.lane), ": the log '", choice.log->history.prefix,
        "' in ", choice.log->store->Describe(), " ends before record ", choice.log->end,
        ", and no log has what follows: want the logs of its other replicas, too; ", RangeText()));
  }

  absl::StatusOr<RecoveredLane> Replay(const KeptLane& lane, const Choice& choice, LogPart part) {
    part.base = choice.base;
    part.end = choice.log->end;
    LONGTAIL_ASSIGN_OR_RETURN(
        RecoveredLane read,
        server::ReplayLane(*choice.log->store, choice.log->history.prefix, lane.lane, part));
    if (read.core == nullptr) {
      return absl::OutOfRangeError(absl::StrCat(WantedText(), ": lane ", Number(lane.lane),
                                                " had no record yet: ", RangeText()));
    }
    return read;
  }

  // How many steps all partitions had ended by then.
  absl::StatusOr<std::uint64_t> StepAt(std::uint64_t time_us) {
    std::uint64_t step = kForever;
    for (const KeptLane& lane : era_->lanes) {
      LONGTAIL_ASSIGN_OR_RETURN(const Choice choice, ChooseFor(lane, time_us, std::nullopt));
      LONGTAIL_ASSIGN_OR_RETURN(const RecoveredLane read,
                                Replay(lane, choice, {.time_us = time_us, .has_rows = false}));
      LONGTAIL_RETURN_IF_ERROR(CheckGap(lane, choice, read));
      step = std::min(step, read.core->least_step());
    }
    return step;
  }

  // What of a lane's log is read. In synchronous mode tables count that came while a step was not
  // over, so it is read to the end of the next.
  LogPart PartOf() const {
    if (moment_.at) return {.time_us = MomentMicros(), .step_max = step_};
    if (kept_.map->step_mode != StepMode::kSynchronous) return {.until_step = step_};
    return {.until_step = *step_ + 1, .step_max = step_};
  }

  absl::Status WriteLane(const KeptLane& lane) {
    const LogPart part = PartOf();
    LONGTAIL_ASSIGN_OR_RETURN(const Choice choice, ChooseFor(lane, part.time_us, step_));
    LONGTAIL_ASSIGN_OR_RETURN(const RecoveredLane read, Replay(lane, choice, part));
    const server::LaneCore& core = *read.core;
    const bool is_there = !step_ || core.least_step() >= *step_;
    if (moment_.at || !is_there) LONGTAIL_RETURN_IF_ERROR(CheckGap(lane, choice, read));
    if (!is_there) {
      return absl::OutOfRangeError(absl::StrCat(WantedText(), ": lane ", Number(lane.lane),
                                                " has ended only ", core.least_step(), ": ",
                                                RangeText()));
    }
    LONGTAIL_RETURN_IF_ERROR(NoteTables(lane, core));
    for (std::uint32_t i = 0; i < core.partition_count(); ++i) {
      LONGTAIL_RETURN_IF_ERROR(WritePartition(core, i));
    }
    made_.lanes.push_back({.lane = lane.lane,
                           .log = choice.log->history.prefix,
                           .store = choice.log->store->Describe(),
                           .base = choice.base,
                           .records = core.log_end() - read.base_end,
                           .end = core.log_end(),
                           .time = absl::FromUnixMicros(static_cast<std::int64_t>(core.time_us())),
                           .lacks_epoch = lane.lacks_epoch});
    return absl::OkStatus();
  }

  // A table may be under way to some lanes still.
  absl::Status NoteTables(const KeptLane& lane, const server::LaneCore& core) {
    std::vector<ManifestTable>& tables = made_.manifest.tables;
    const std::vector<TableSpec> specs = core.table_specs();
    for (std::size_t t = 0; t < specs.size(); ++t) {
      if (t == tables.size()) {
        tables.push_back({TableId{static_cast<std::uint32_t>(t)}, specs[t]});
      } else if (tables[t].spec != specs[t]) {
        return absl::DataLossError(absl::StrCat(
            "lane ", Number(lane.lane), ": its table ", t, " '", specs[t].name,
            "' has another spec than that of the lanes before it, '", tables[t].spec.name, "'"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status WritePartition(const server::LaneCore& core, std::uint32_t index) {
    absl::Status status;
    core.WritePartition(
        index,
        [&](const SnapshotChunk& chunk) {
          if (status.ok()) status = WriteChunk(chunk);
        },
        kChunkBytes);
    return status;
  }

  absl::Status WriteChunk(const SnapshotChunk& chunk) {
    Manifest& manifest = made_.manifest;
    const SnapshotHeader& header = chunk.header;
    if (header.is_last) {
      manifest.partitions.push_back({.partition = header.partition,
                                     .log_position = header.log_position,
                                     .step = header.step});
    }
    const std::string bytes = EncodeSnapshotChunk(chunk);
    manifest.blobs.push_back({.name = server::SnapshotName(
                                  name_, {.partition = header.partition, .chunk = header.chunk}),
                              .bytes = bytes.size(),
                              .checksum = Checksum(AsBytes(bytes)),
                              .rows = RowsOf(chunk)});
    return store_.Write(manifest.blobs.back().name, bytes);
  }

  const KeptLogs& kept_;
  const KeptEra* era_ = nullptr;  // Which is looked at.
  const LogMoment& moment_;
  BlobStore& store_;
  const std::string& name_;
  std::optional<std::uint64_t> step_;  // Where it is cut, if that is at a step's end.
  LogCheckpoint made_;
};

// Whether of what was there something is gone by now.
absl::StatusOr<bool> HasLost(std::span<BlobStore* const> logs,
                             const std::vector<std::vector<std::string>>& before) {
  for (std::size_t i = 0; i < logs.size(); ++i) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> now, logs[i]->List(""));
    if (!std::ranges::includes(now, before[i])) return true;
  }
  return false;
}

absl::StatusOr<LogCheckpoint> TryOnce(std::span<BlobStore* const> logs, const LogMoment& moment,
                                      BlobStore& store, const std::string& name) {
  LONGTAIL_RETURN_IF_ERROR(server::MakeRoom(name, store));
  LONGTAIL_ASSIGN_OR_RETURN(const KeptLogs kept, ReadKeptLogs(logs));
  return Making(kept, moment, store, name).Run();
}

}  // namespace

absl::StatusOr<LogCheckpoint> WriteLogCheckpoint(std::span<BlobStore* const> logs,
                                                 const LogMoment& moment, BlobStore& store,
                                                 const std::string& name) {
  for (int tries = 1;; ++tries) {
    std::vector<std::vector<std::string>> before;
    for (BlobStore* const log : logs) {
      LONGTAIL_ASSIGN_OR_RETURN(before.emplace_back(), log->List(""));
    }
    absl::StatusOr<LogCheckpoint> made = TryOnce(logs, moment, store, name);
    const bool may_be_removal = absl::IsNotFound(made.status()) || absl::IsDataLoss(made.status());
    if (!may_be_removal || tries == kTriesMax) return made;
    LONGTAIL_ASSIGN_OR_RETURN(const bool has_lost, HasLost(logs, before));
    if (!has_lost) return made;
  }
}

}  // namespace longtail::checkpoint
