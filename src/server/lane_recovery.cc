#include "server/lane_recovery.h"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/lane_leader.h"
#include "protocol/lane_log.h"
#include "protocol/lane_log_names.h"
#include "protocol/manifest.h"
#include "server/checkpoint_reader.h"
#include "server/lane_place.h"

namespace longtail::server {
namespace {

// A log as it is read.
struct Reading {
  BlobStore& store;
  const std::string& prefix;
  NodeId lane;
  std::size_t tail_bytes;
  LogPart part{};
  RecoveredLane recovered{};
  bool is_done = false;  // The part has ended.
};

// The core that a log begins with: what a base has, or nothing.
absl::Status Begin(std::shared_ptr<const ClusterMap> map, bool is_empty, Reading& reading) {
  LONGTAIL_ASSIGN_OR_RETURN(LaneCore::Options options, is_empty
                                                           ? PlaceOfEmptyLane(*map, reading.lane)
                                                           : PlaceOfLane(*map, reading.lane));
  options.keeps_log = true;
  if (reading.part.step_max) options.step_max = *reading.part.step_max;
  reading.recovered.map = std::move(map);
  reading.recovered.core = std::make_unique<LaneCore>(options);
  return absl::OkStatus();
}

// Of a base, what says how far steps are.
void LeaveOutRows(LaneBase& base) {
  base.tables.clear();
  base.pushes.clear();
  base.blobs.clear();
  for (PartitionBase& partition : base.partitions) {
    partition.tables.clear();
    partition.held.clear();
  }
}

// What a base has, rows and all.
absl::Status Restore(const std::string& name, Reading& reading) {
  RecoveredLane& recovered = reading.recovered;
  const std::string what = absl::StrCat("'", name, "' in ", reading.store.Describe());
  LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, reading.store.Read(name));
  LONGTAIL_ASSIGN_OR_RETURN(LaneBase base, DecodeLaneBase(what, AsBytes(bytes)));
  if (NodeId{base.lane} != reading.lane) {
    return absl::FailedPreconditionError(absl::StrCat(what, ": is of lane ", base.lane,
                                                      ": want lane ",
                                                      static_cast<std::uint32_t>(reading.lane)));
  }
  if (!reading.part.has_rows) LeaveOutRows(base);
  LONGTAIL_RETURN_IF_ERROR(Begin(std::make_shared<const ClusterMap>(base.map), false, reading));
  Manifest manifest;
  for (const TableSpec& spec : base.tables) {
    manifest.tables.push_back({TableId{static_cast<std::uint32_t>(manifest.tables.size())}, spec});
  }
  manifest.blobs = base.blobs;
  const absl::Status restored = recovered.core->Restore(
      base, [&](absl::FunctionRef<absl::Status(const RowBlock& rows)> take) {
        return ReadRows(reading.store, manifest, take);
      });
  recovered.base_end = base.log_end;
  recovered.epochs = std::move(base.epochs);
  recovered.tail.Reset(base.log_end);
  if (absl::IsNotFound(restored)) {
    return absl::DataLossError(
        absl::StrCat(what, ": names rows that are gone: ", restored.message()));
  }
  return restored;
}

// Whether all partitions have come as far as they are to.
bool HasReachedStep(const Reading& reading) {
  return reading.part.until_step && reading.recovered.core != nullptr &&
         reading.recovered.core->least_step() >= *reading.part.until_step;
}

// Does the message of the next record again.
absl::Status Replay(const Message& message, const LaneLogReader& reader, Reading& reading) {
  RecoveredLane& recovered = reading.recovered;
  if (const auto* const begin = std::get_if<MapReply>(&message); begin && begin->map) {
    recovered.epochs.push_back({EpochOf(*begin->map, reading.lane), recovered.core->log_end()});
    if (begin->map->version > recovered.map->version) recovered.map = begin->map;
  }
  const bool is_left_out = !reading.part.has_rows && std::holds_alternative<CreateTable>(message);
  recovered.core->Replay(is_left_out ? Message(MapRequest{}) : message, reader.time_us());
  reading.is_done = HasReachedStep(reading);
  if (reading.tail_bytes == 0) {
    recovered.tail.Reset(recovered.core->log_end());
    return absl::OkStatus();
  }
  auto frame = std::make_shared<std::string>(AsText(reader.frame()));
  const std::span<const std::byte> frame_bytes = AsBytes(*frame);
  recovered.tail.Append(frame_bytes, std::move(frame), recovered.core->time_us());
  recovered.tail.Trim(recovered.tail.end(), reading.tail_bytes);
  return absl::OkStatus();
}

absl::Status ReplaySegment(const std::string& what, std::span<const std::byte> bytes,
                           std::uint64_t first, Reading& reading) {
  RecoveredLane& recovered = reading.recovered;
  absl::StatusOr<LaneLogReader> reader = LaneLogReader::Open(what, bytes, first);
  if (absl::IsNotFound(reader.status())) {
    recovered.torn_bytes += bytes.size();
    return absl::OkStatus();
  }
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  const std::uint64_t want = recovered.core == nullptr ? 0 : recovered.core->log_end();
  const bool is_first = want == recovered.base_end;
  if (is_first ? first > want : first != want) {
    return absl::DataLossError(absl::StrCat(what, ": begins with record ", first, ": want ", want,
                                            ", which is in no segment"));
  }
  if (NodeId{reader->header().lane} != reading.lane ||
      (recovered.map != nullptr && reader->header().cluster != recovered.map->cluster)) {
    return absl::FailedPreconditionError(absl::StrCat(
        what, ": is of lane ", reader->header().lane, " in this cluster or another: want lane ",
        static_cast<std::uint32_t>(reading.lane), " of the cluster whose log this is"));
  }
  while (!reading.is_done) {
    const std::uint64_t number = reader->number();
    LONGTAIL_ASSIGN_OR_RETURN(const std::optional<Message> message, reader->Next());
    if (!message) break;
    if (recovered.core != nullptr && number < recovered.core->log_end()) continue;
    if (number >= reading.part.end || reader->time_us() > reading.part.time_us) {
      reading.is_done = true;
      break;
    }
    if (recovered.core == nullptr) {
      const auto* const begin = std::get_if<MapReply>(&*message);
      if (begin == nullptr || begin->map == nullptr) {
        return absl::DataLossError(absl::StrCat(what, ": begins with another message than a map"));
      }
      LONGTAIL_RETURN_IF_ERROR(Begin(begin->map, true, reading));
    }
    LONGTAIL_RETURN_IF_ERROR(Replay(*message, *reader, reading));
  }
  recovered.torn_bytes += bytes.size() - reader->offset();
  recovered.log_bytes += bytes.size();
  return absl::OkStatus();
}

absl::Status ReadBase(std::uint64_t base, Reading& reading) {
  LONGTAIL_RETURN_IF_ERROR(Restore(LaneBaseName(reading.prefix, base), reading));
  reading.is_done = HasReachedStep(reading);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RecoveredLane> RecoverLane(BlobStore& store, const std::string& prefix, NodeId lane,
                                          std::size_t tail_bytes) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            store.List(absl::StrCat(prefix, "/")));
  const LaneLogFiles files = FindLaneLog(names, prefix);
  Reading reading{.store = store, .prefix = prefix, .lane = lane, .tail_bytes = tail_bytes};
  if (files.base) LONGTAIL_RETURN_IF_ERROR(ReadBase(*files.base, reading));
  for (const std::uint64_t first : files.segments) {
    const std::string name = LaneLogName(prefix, first);
    LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, store.Read(name));
    LONGTAIL_RETURN_IF_ERROR(ReplaySegment(absl::StrCat("'", name, "' in ", store.Describe()),
                                           AsBytes(bytes), first, reading));
    // What a process wrote that was killed before it could sync: from here on it counts.
    if (first == files.segments.back()) {
      LONGTAIL_RETURN_IF_ERROR(store.Extend(name, bytes.size(), ""));
    }
  }
  return std::move(reading.recovered);
}

absl::StatusOr<RecoveredLane> ReplayLane(BlobStore& store, const std::string& prefix, NodeId lane,
                                         const LogPart& part) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            store.List(absl::StrCat(prefix, "/")));
  Reading reading{.store = store, .prefix = prefix, .lane = lane, .tail_bytes = 0, .part = part};
  if (part.base) LONGTAIL_RETURN_IF_ERROR(ReadBase(*part.base, reading));
  const LaneLogFiles files = FindLaneLogFrom(names, prefix, part.base);
  for (const std::uint64_t first : files.segments) {
    if (reading.is_done || first >= part.end) break;
    const std::string name = LaneLogName(prefix, first);
    LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, store.Read(name));
    LONGTAIL_RETURN_IF_ERROR(ReplaySegment(absl::StrCat("'", name, "' in ", store.Describe()),
                                           AsBytes(bytes), first, reading));
  }
  return std::move(reading.recovered);
}

}  // namespace longtail::server
