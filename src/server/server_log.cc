#include "server/server_log.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "io/lane_log_writer.h"
#include "protocol/lane_log_names.h"
#include "server/lane_recovery.h"

namespace longtail::server {
namespace {

constexpr std::string_view kIdBegin = "longtail server log ";

// Whose the logs are; 0: nobody's so far.
absl::StatusOr<std::uint64_t> ReadId(BlobStore& store, const std::string& name) {
  const absl::StatusOr<std::string> text = store.Read(name);
  if (absl::IsNotFound(text.status())) return 0;
  LONGTAIL_RETURN_IF_ERROR(text.status());
  std::uint64_t id = 0;
  if (!text->starts_with(kIdBegin) || !absl::SimpleHexAtoi(text->substr(kIdBegin.size()), &id) ||
      id == 0) {
    return absl::DataLossError(absl::StrCat("'", name, "' in ", store.Describe(), ": want '",
                                            std::string(kIdBegin), "' and 16 digits"));
  }
  return id;
}

// A log that is over, with its mark, unless it is to be kept.
absl::Status RemoveIfOld(BlobStore& store, const std::string& prefix, const LogKeeping& keeping) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::string mark, store.Read(LaneLogGone(prefix)));
  if (keeping.keep > absl::ZeroDuration() && LaneLogGoneSince(mark) > keeping.now - keeping.keep) {
    return absl::OkStatus();
  }
  LONGTAIL_RETURN_IF_ERROR(RemoveLaneLog(store, prefix));
  return store.Remove(LaneLogGone(prefix));
}

}  // namespace

absl::Status EndLaneLog(BlobStore& store, const std::string& prefix, absl::Time now) {
  return store.Write(LaneLogGone(prefix), LaneLogGoneText(now));
}

absl::StatusOr<ServerLog> OpenServerLog(BlobStore& store, const std::string& server,
                                        std::uint64_t drawn, std::size_t tail_bytes,
                                        const LogKeeping& keeping) {
  const std::string name = absl::StrCat(server, "/log");
  LONGTAIL_ASSIGN_OR_RETURN(std::vector<std::string> names, store.List(absl::StrCat(server, "/")));
  ServerLog found;
  LONGTAIL_ASSIGN_OR_RETURN(found.id, ReadId(store, name));
  found.was_there = found.id != 0;
  if (!found.was_there) {
    const auto log = std::ranges::find_if(
        names, [&](const std::string& n) { return n.starts_with(absl::StrCat(server, "/lane-")); });
    if (log != names.end()) {
      return absl::DataLossError(
          absl::StrCat("'", *log, "' in ", store.Describe(), ": is there without '", name,
                       "', which says whose it is: it is an older version's, or a part of the ",
                       "directory is gone; want an empty directory"));
    }
    found.id = drawn;
    LONGTAIL_RETURN_IF_ERROR(
        store.Write(name, absl::StrFormat("%s%016x\n", std::string(kIdBegin), drawn)));
  }
  const std::vector<LaneLogKey> logs = FindLaneLogs(names, server);
  for (const LaneLogKey& log : logs) {
    found.next_log = std::max(found.next_log, log.log + 1);
    const std::string prefix = LaneLogPrefix(server, log.lane, log.log);
    const bool is_newest = std::ranges::none_of(logs, [&](const LaneLogKey& other) {
      return other.lane == log.lane && other.is_whole && !other.is_gone && other.log > log.log;
    });
    if (log.is_gone) {
      LONGTAIL_RETURN_IF_ERROR(RemoveIfOld(store, prefix, keeping));
      continue;
    }
    RecoveredLane recovered;
    if (log.is_whole && is_newest) {
      LONGTAIL_ASSIGN_OR_RETURN(recovered, RecoverLane(store, prefix, log.lane, tail_bytes));
    }
    if (recovered.core == nullptr) {
      const bool is_kept = log.is_whole && !is_newest && keeping.keep > absl::ZeroDuration();
      LONGTAIL_RETURN_IF_ERROR(is_kept ? EndLaneLog(store, prefix, keeping.now)
                                       : RemoveLaneLog(store, prefix));
      continue;
    }
    if (!found.lanes.empty() && found.lanes[0].recovered.map->cluster != recovered.map->cluster) {
      return absl::FailedPreconditionError(
          absl::StrCat("logs of server '", server, "' in ", store.Describe(),
                       " are of more than one cluster: want a directory of its own for each"));
    }
    found.lanes.push_back({log.lane, log.log, std::move(recovered)});
  }
  return found;
}

}  // namespace longtail::server
