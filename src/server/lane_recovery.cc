#include "server/lane_recovery.h"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/lane_base.h"
#include "protocol/lane_log.h"
#include "protocol/lane_log_names.h"
#include "protocol/manifest.h"
#include "server/checkpoint_reader.h"
#include "server/lane_place.h"

namespace longtail::server {
namespace {

// The core that a log begins with.
absl::Status Begin(std::shared_ptr<const ClusterMap> map, const std::string& server,
                   std::uint32_t lane, RecoveredLane& recovered) {
  LONGTAIL_ASSIGN_OR_RETURN(LaneCore::Options options, PlaceOfLane(*map, server, lane));
  options.keeps_log = true;
  recovered.map = std::move(map);
  recovered.core = std::make_unique<LaneCore>(options);
  return absl::OkStatus();
}

// What a base has, rows and all.
absl::Status Restore(BlobStore& store, const std::string& name, const std::string& server,
                     std::uint32_t lane, RecoveredLane& recovered) {
  const std::string what = absl::StrCat("'", name, "' in ", store.Describe());
  LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, store.Read(name));
  LONGTAIL_ASSIGN_OR_RETURN(const LaneBase base, DecodeLaneBase(what, AsBytes(bytes)));
  if (base.lane != lane) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, ": is of lane ", base.lane, ": want lane ", lane));
  }
  LONGTAIL_RETURN_IF_ERROR(
      Begin(std::make_shared<const ClusterMap>(base.map), server, lane, recovered));
  Manifest manifest;
  for (const TableSpec& spec : base.tables) {
    manifest.tables.push_back({TableId{static_cast<std::uint32_t>(manifest.tables.size())}, spec});
  }
  manifest.blobs = base.blobs;
  const absl::Status restored =
      recovered.core->Restore(base, [&](absl::FunctionRef<absl::Status(RowBlock rows)> take) {
        return ReadRows(store, manifest, take);
      });
  recovered.base_end = base.log_end;
  if (absl::IsNotFound(restored)) {
    return absl::DataLossError(
        absl::StrCat(what, ": names rows that are gone: ", restored.message()));
  }
  return restored;
}

absl::Status ReplaySegment(const std::string& what, std::span<const std::byte> bytes,
                           std::uint64_t first, const std::string& server, std::uint32_t lane,
                           RecoveredLane& recovered) {
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
  if (reader->header().lane != lane ||
      (recovered.map != nullptr && reader->header().cluster != recovered.map->cluster)) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, ": is of lane ", reader->header().lane, " in another cluster or server",
                     ": want lane ", lane, " of the server whose log this is"));
  }
  for (;;) {
    const std::uint64_t number = reader->number();
    LONGTAIL_ASSIGN_OR_RETURN(const std::optional<Message> message, reader->Next());
    if (!message) break;
    if (recovered.core == nullptr) {
      const auto* reply = std::get_if<MapReply>(&*message);
      if (reply == nullptr || reply->map == nullptr) {
        return absl::DataLossError(absl::StrCat(what, ": begins with another message than a map"));
      }
      LONGTAIL_RETURN_IF_ERROR(Begin(reply->map, server, lane, recovered));
    }
    if (number >= recovered.core->log_end()) recovered.core->Replay(*message);
  }
  recovered.torn_bytes += bytes.size() - reader->offset();
  recovered.log_bytes += bytes.size();
  return absl::OkStatus();
}

}  // namespace

std::string LaneLogPrefix(const std::string& server, std::uint32_t lane) {
  return absl::StrCat(server, "/lane-", lane);
}

absl::StatusOr<RecoveredLane> RecoverLane(BlobStore& store, const std::string& server,
                                          std::uint32_t lane) {
  const std::string prefix = LaneLogPrefix(server, lane);
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            store.List(absl::StrCat(prefix, "/")));
  const LaneLogFiles files = FindLaneLog(names, prefix);
  RecoveredLane recovered;
  if (files.base) {
    LONGTAIL_RETURN_IF_ERROR(
        Restore(store, LaneBaseName(prefix, *files.base), server, lane, recovered));
  }
  for (const std::uint64_t first : files.segments) {
    const std::string name = LaneLogName(prefix, first);
    LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, store.Read(name));
    LONGTAIL_RETURN_IF_ERROR(ReplaySegment(absl::StrCat("'", name, "' in ", store.Describe()),
                                           AsBytes(bytes), first, server, lane, recovered));
  }
  return recovered;
}

}  // namespace longtail::server
