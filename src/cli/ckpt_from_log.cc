#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "checkpoint/kept_logs.h"
#include "checkpoint/log_checkpoint.h"
#include "cli/ckpt.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/text_columns.h"
#include "io/open_store.h"
#include "longtail/checkpoint.h"
#include "protocol/step_mode_names.h"
#include "server/checkpoint_reader.h"

namespace longtail::cli {
namespace {

using checkpoint::KeptEra;
using checkpoint::KeptLane;
using checkpoint::KeptLog;
using checkpoint::KeptLogs;
using checkpoint::LaneSource;
using checkpoint::LogCheckpoint;
using checkpoint::LogMoment;
using checkpoint::MomentText;
using nlohmann::json;

// The stores that addresses name.
struct LogStores {
  std::vector<std::unique_ptr<BlobStore>> owned;
  std::vector<BlobStore*> stores;
};

absl::StatusOr<LogStores> OpenLogs(const std::vector<std::string>& addresses) {
  LogStores opened;
  for (const std::string& address : addresses) {
    LONGTAIL_ASSIGN_OR_RETURN(opened.owned.emplace_back(), OpenExistingStore(address));
    opened.stores.push_back(opened.owned.back().get());
  }
  return opened;
}

std::string MomentOf(std::uint64_t micros) {
  return MomentText(absl::FromUnixMicros(static_cast<std::int64_t>(micros)));
}

bool HasSteps(StepMode mode) {
  return mode != StepMode::kAsynchronous;
}

// A line, if a lane's logs may lack something.
std::string LackText(NodeId lane, std::uint64_t epoch) {
  if (epoch == 0) return "";
  return absl::StrCat("lane ", static_cast<std::uint32_t>(lane), ": leadership ", epoch,
                      " of it is in none of these logs: they may lack its newest records, or have ",
                      "some that did not come to be\n");
}

std::string TextOf(const KeptEra& era, StepMode mode) {
  std::string text;
  if (!era.since.checkpoint.empty()) {
    absl::StrAppend(&text, "since the rollback to ", SafeText(era.since.checkpoint), " at ",
                    MomentOf(era.since.at_us), ": ");
  }
  absl::StrAppend(&text, "moments from ", MomentText(era.from), " to ", MomentText(era.to));
  if (HasSteps(mode)) {
    absl::StrAppend(&text, ", steps from ", GroupedText(era.from_step), " to ",
                    GroupedText(era.to_step));
  }
  text += "\n";
  for (const NodeId lane : era.missing) {
    absl::StrAppend(&text, "lane ", static_cast<std::uint32_t>(lane), ": no log of that time\n");
  }
  for (const KeptLane& lane : era.lanes) text += LackText(lane.lane, lane.lacks_epoch);
  text += "\n";
  std::vector<std::vector<std::string>> lines = {
      {"lane", "from record", "to", "from step", "to", "bases", "from", "to", "log"}};
  for (const KeptLane& lane : era.lanes) {
    for (const KeptLog& log : lane.logs) {
      const server::LaneHistory& history = log.history;
      lines.push_back(
          {absl::StrCat(static_cast<std::uint32_t>(lane.lane)), GroupedText(history.begin),
           GroupedText(log.end), HasSteps(mode) ? GroupedText(history.begin_step) : "-",
           HasSteps(mode) ? GroupedText(history.end_step) : "-", GroupedText(history.bases.size()),
           MomentOf(history.begin_us), MomentOf(history.end_us),
           absl::StrCat(
               SafeText(history.prefix), " in ", SafeText(log.store->Describe()),
               history.is_over ? ", which is over" : "",
               log.end < history.end ? ", of which other replicas went another way later" : "")});
    }
  }
  return text + ColumnsText(lines, 6);
}

std::string TextOf(const KeptLogs& kept) {
  const StepMode mode = kept.map->step_mode;
  std::string text = absl::StrCat("cluster of ", CountedText(kept.map->lanes.size(), "lane"), ", ",
                                  StepModeName(mode), "\n");
  for (const KeptEra& era : kept.eras) absl::StrAppend(&text, "\n", TextOf(era, mode));
  return text;
}

json JsonOf(const KeptLog& log, StepMode mode) {
  const server::LaneHistory& history = log.history;
  json document = {{"log", history.prefix},
                   {"store", log.store->Describe()},
                   {"from", MomentOf(history.begin_us)},
                   {"to", MomentOf(history.end_us)},
                   {"from_record", history.begin},
                   {"to_record", log.end},
                   {"bases", history.bases.size()},
                   {"is_over", history.is_over}};
  if (HasSteps(mode)) {
    document["from_step"] = history.begin_step;
    document["to_step"] = history.end_step;
  }
  return document;
}

json JsonOf(const KeptEra& era, StepMode mode) {
  json lanes = json::array();
  for (const KeptLane& lane : era.lanes) {
    json logs = json::array();
    for (const KeptLog& log : lane.logs) logs.push_back(JsonOf(log, mode));
    lanes.push_back({{"lane", static_cast<std::uint32_t>(lane.lane)}, {"logs", std::move(logs)}});
    if (lane.lacks_epoch != 0) lanes.back()["lacks_epoch"] = lane.lacks_epoch;
  }
  json missing = json::array();
  for (const NodeId lane : era.missing) missing.push_back(static_cast<std::uint32_t>(lane));
  json document = {{"from", MomentText(era.from)},
                   {"to", MomentText(era.to)},
                   {"lanes", std::move(lanes)},
                   {"missing", std::move(missing)}};
  if (!era.since.checkpoint.empty()) {
    document["rolled_back_to"] = era.since.checkpoint;
    document["rolled_back_at"] = MomentOf(era.since.at_us);
  }
  if (HasSteps(mode)) {
    document["from_step"] = era.from_step;
    document["to_step"] = era.to_step;
  }
  return document;
}

std::string JsonOf(const KeptLogs& kept) {
  const StepMode mode = kept.map->step_mode;
  json eras = json::array();
  for (const KeptEra& era : kept.eras) eras.push_back(JsonOf(era, mode));
  return LineOf({{"step_mode", StepModeName(mode)}, {"eras", std::move(eras)}});
}

std::string TextOf(const std::string& name, const LogMoment& moment, const LogCheckpoint& made) {
  const Manifest& manifest = made.manifest;
  const CheckpointInfo info = server::InfoOf(manifest, {});
  std::string text = absl::StrCat("checkpoint ", SafeText(name), ": the cluster as it was");
  if (moment.at) absl::StrAppend(&text, " at ", MomentText(*moment.at));
  if (HasSteps(manifest.step_mode)) {
    absl::StrAppend(&text, moment.at ? "," : "", " with ", GroupedText(manifest.step),
                    manifest.step == 1 ? " step ended" : " steps ended");
  }
  absl::StrAppend(
      &text, ": ", CountedText(info.tables.size(), "table"), ", ", CountedText(info.rows, "row"),
      " in ", CountedText(manifest.blobs.size(), "object"), ", ", CountedText(info.bytes, "byte"),
      "\nno trainer's state: a log has none, so a trainer begins its data anew\n");
  for (const LaneSource& lane : made.lanes) text += LackText(lane.lane, lane.lacks_epoch);
  text += "\n";
  std::vector<std::vector<std::string>> lines = {
      {"lane", "base", "records behind it", "to", "newest", "log"}};
  for (const LaneSource& lane : made.lanes) {
    lines.push_back({absl::StrCat(static_cast<std::uint32_t>(lane.lane)),
                     lane.base ? GroupedText(*lane.base) : "-", GroupedText(lane.records),
                     GroupedText(lane.end), MomentText(lane.time),
                     absl::StrCat(SafeText(lane.log), " in ", SafeText(lane.store))});
  }
  return text + ColumnsText(lines, 4);
}

std::string JsonOf(const std::string& name, const LogMoment& moment, const LogCheckpoint& made) {
  const Manifest& manifest = made.manifest;
  const CheckpointInfo info = server::InfoOf(manifest, {});
  json lanes = json::array();
  for (const LaneSource& lane : made.lanes) {
    json one = {{"lane", static_cast<std::uint32_t>(lane.lane)},
                {"log", lane.log},
                {"store", lane.store},
                {"records", lane.records},
                {"to_record", lane.end},
                {"newest", MomentText(lane.time)}};
    if (lane.base) one["base"] = *lane.base;
    if (lane.lacks_epoch != 0) one["lacks_epoch"] = lane.lacks_epoch;
    lanes.push_back(std::move(one));
  }
  json document = {{"name", name},
                   {"created_at", info.created_at},
                   {"step", info.step},
                   {"tables", info.tables.size()},
                   {"rows", info.rows},
                   {"objects", manifest.blobs.size()},
                   {"bytes", info.bytes},
                   {"has_trainer_state", false},
                   {"lanes", std::move(lanes)}};
  if (moment.at) document["at"] = MomentText(*moment.at);
  return LineOf(document);
}

}  // namespace

absl::StatusOr<absl::Time> ParseMoment(const std::string& text) {
  absl::Time moment;
  std::string problem;
  if (absl::ParseTime(absl::RFC3339_full, text, &moment, &problem) &&
      moment != absl::InfiniteFuture() && moment != absl::InfinitePast()) {
    return moment;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("moment '", text,
                   "': want one such as 2026-11-23T14:05:00Z or 2026-11-23T16:05:00.25+02:00"));
}

absl::StatusOr<CommandOutcome> CkptLogRange(const CkptLogRequest& request) {
  LONGTAIL_ASSIGN_OR_RETURN(const LogStores logs, OpenLogs(request.logs));
  LONGTAIL_ASSIGN_OR_RETURN(const KeptLogs kept, checkpoint::ReadKeptLogs(logs.stores));
  return CommandOutcome{.output = request.form == OutputForm::kText ? TextOf(kept) : JsonOf(kept)};
}

absl::StatusOr<CommandOutcome> CkptFromLog(const CkptLogRequest& request,
                                           const CkptFromLogOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const LogStores logs, OpenLogs(request.logs));
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store, OpenStore(options.store));
  LONGTAIL_ASSIGN_OR_RETURN(
      const LogCheckpoint made,
      checkpoint::WriteLogCheckpoint(logs.stores, options.moment, *store, options.as));
  return CommandOutcome{.output = request.form == OutputForm::kText
                                      ? TextOf(options.as, options.moment, made)
                                      : JsonOf(options.as, options.moment, made)};
}

}  // namespace longtail::cli
