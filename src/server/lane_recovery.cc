#include "server/lane_recovery.h"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/lane_log.h"
#include "server/lane_place.h"

namespace longtail::server {
namespace {

// The core that a log begins with.
absl::Status Begin(const Message& message, const std::string& server, std::uint32_t lane,
                   RecoveredLane& recovered) {
  const auto* reply = std::get_if<MapReply>(&message);
  if (reply == nullptr || reply->map == nullptr) {
    return absl::DataLossError("begins with another message than a map");
  }
  LONGTAIL_ASSIGN_OR_RETURN(LaneCore::Options options, PlaceOfLane(*reply->map, server, lane));
  options.keeps_log = true;
  recovered.map = reply->map;
  recovered.core = std::make_unique<LaneCore>(options);
  return absl::OkStatus();
}

absl::Status ReplaySegment(const std::string& what, std::span<const std::byte> bytes,
                           const std::string& server, std::uint32_t lane,
                           RecoveredLane& recovered) {
  absl::StatusOr<LaneLogReader> reader = LaneLogReader::Open(what, bytes);
  if (absl::IsNotFound(reader.status())) {
    recovered.torn_bytes += bytes.size();
    return absl::OkStatus();
  }
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  const std::uint64_t want = recovered.core == nullptr ? 0 : recovered.core->log_end();
  if (reader->header().first != want) {
    return absl::DataLossError(absl::StrCat(what, ": begins with record ", reader->header().first,
                                            ": want ", want, ", which is in no segment"));
  }
  if (reader->header().lane != lane ||
      (recovered.map != nullptr && reader->header().cluster != recovered.map->cluster)) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, ": is of lane ", reader->header().lane, " in another cluster or server",
                     ": want lane ", lane, " of the server whose log this is"));
  }
  for (;;) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::optional<Message> message, reader->Next());
    if (!message) break;
    if (recovered.core == nullptr) {
      if (absl::Status begun = Begin(*message, server, lane, recovered); !begun.ok()) {
        return absl::Status(begun.code(), absl::StrCat(what, ": ", begun.message()));
      }
    }
    recovered.core->Replay(*message);
  }
  recovered.torn_bytes += bytes.size() - reader->offset();
  return absl::OkStatus();
}

}  // namespace

std::string LaneLogPrefix(const std::string& server, std::uint32_t lane) {
  return absl::StrCat(server, "/lane-", lane);
}

absl::StatusOr<RecoveredLane> RecoverLane(BlobStore& store, const std::string& server,
                                          std::uint32_t lane) {
  const std::string prefix = absl::StrCat(LaneLogPrefix(server, lane), "/");
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, store.List(prefix));
  RecoveredLane recovered;
  for (const std::string& name : names) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, store.Read(name));
    LONGTAIL_RETURN_IF_ERROR(ReplaySegment(absl::StrCat("'", name, "' in ", store.Describe()),
                                           AsBytes(bytes), server, lane, recovered));
  }
  return recovered;
}

}  // namespace longtail::server
