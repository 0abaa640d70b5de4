#include "io/log_keeper.h"

#include <pthread.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/lane_base.h"
#include "protocol/lane_log_names.h"

namespace longtail {
namespace {

// How often it looks: so much of the time that logs are kept, within bounds.
constexpr std::int64_t kLooks = 64;
constexpr absl::Duration kLookEveryMin = absl::Seconds(1);
constexpr absl::Duration kLookEveryMax = absl::Minutes(10);

absl::StatusOr<bool> RemoveOne(BlobStore& store, const std::string& name) {
  const absl::Status removed = store.Remove(name);
  if (absl::IsNotFound(removed)) return false;
  LONGTAIL_RETURN_IF_ERROR(removed);
  return true;
}

}  // namespace

absl::StatusOr<absl::Time> LogPruning::TimeOf(const std::string& base) {
  const auto known = times_.find(base);
  if (known != times_.end()) return known->second;
  LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, store_.Read(base));
  LONGTAIL_ASSIGN_OR_RETURN(
      const LaneBase decoded,
      DecodeLaneBase(absl::StrCat("'", base, "' in ", store_.Describe()), AsBytes(bytes)));
  const absl::Time time = absl::FromUnixMicros(static_cast<std::int64_t>(decoded.time_us));
  times_[base] = time;
  return time;
}

absl::StatusOr<std::uint64_t> LogPruning::Run(absl::Time horizon) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            store_.List(absl::StrCat(server_, "/")));
  std::erase_if(times_,
                [&](const auto& time) { return !std::ranges::binary_search(names, time.first); });
  std::uint64_t count = 0;
  absl::Status problem;
  for (const LaneLogKey& log : FindLaneLogs(names, server_)) {
    const std::string prefix = LaneLogPrefix(server_, log.lane, log.log);
    std::vector<std::string> superfluous;
    bool is_over = false;
    if (log.is_gone) {
      const absl::StatusOr<std::string> mark = store_.Read(LaneLogGone(prefix));
      if (absl::IsNotFound(mark.status())) continue;
      LONGTAIL_RETURN_IF_ERROR(mark.status());
      is_over = LaneLogGoneSince(*mark) <= horizon;
    }
    if (is_over) {
      superfluous = RemovalOf(names, prefix);
    } else {
      const std::vector<std::uint64_t> bases = FindLaneBases(names, prefix);
      for (auto base = bases.rbegin(); base != bases.rend(); ++base) {
        const absl::StatusOr<absl::Time> time = TimeOf(LaneBaseName(prefix, *base));
        if (absl::IsUnavailable(time.status())) return time.status();
        if (!time.ok()) problem = time.status();  // It goes with those that are older.
        if (!time.ok() || *time > horizon) continue;
        superfluous = SuperfluousOf(names, prefix, *base);
        break;
      }
    }
    for (const std::string& name : superfluous) {
      LONGTAIL_ASSIGN_OR_RETURN(const bool was_there, RemoveOne(store_, name));
      count += was_there ? 1 : 0;
    }
  }
  LONGTAIL_RETURN_IF_ERROR(problem);
  return count;
}

LogKeeper::LogKeeper(Options options) : options_(std::move(options)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "log-keeper");
}

LogKeeper::~LogKeeper() {
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

void LogKeeper::Run() {
  LogPruning pruning(*options_.store, options_.server);
  const absl::Duration every = std::clamp(options_.keep / kLooks, kLookEveryMin, kLookEveryMax);
  std::string problem;
  for (;;) {
    const absl::StatusOr<std::uint64_t> removed = pruning.Run(absl::Now() - options_.keep);
    if (!removed.ok()) {
      // Said once: a store may be away for long.
      std::string now(removed.status().message());
      if (std::exchange(problem, now) != now) {
        options_.log.Warning("kept_log_not_removed", {{"reason", now}});
      }
    } else {
      problem.clear();
      if (*removed > 0) options_.log.Info("kept_log_removed", {{"blobs", *removed}});
    }
    const absl::Time until = absl::Now() + every;
    const MutexLock lock(&mutex_);
    while (!stop_ && absl::Now() < until) changed_.WaitWithDeadline(&mutex_, until);
    if (stop_) return;
  }
}

}  // namespace longtail
