#include "cluster/lane_loader.h"

#include <pthread.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/lane_rows.h"

namespace longtail {

void LaneLoader::Want(const std::optional<Wanted>& wanted) {
  const MutexLock lock(&mutex_);
  if (wanted_ == wanted || stop_) return;
  wanted_ = wanted;
  changed_.Signal();
  if (!wanted || thread_.joinable()) return;
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "lane-load");
}

void LaneLoader::Stop() {
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void LaneLoader::Run() {
  bool has_failed = false;
  std::string said;  // Of a failure: the same again is no news.
  std::uint64_t done = 0;
  for (;;) {
    Wanted wanted;
    {
      const MutexLock lock(&mutex_);
      const absl::Time retry_at = absl::Now() + options_.retry_after;
      while (!stop_ && has_failed && absl::Now() < retry_at) {
        changed_.WaitWithDeadline(&mutex_, retry_at);
      }
      while (!stop_ && (!wanted_ || wanted_->ticket == done)) changed_.Wait(&mutex_);
      if (stop_) return;
      wanted = *wanted_;
    }
    const absl::Time begin = absl::Now();
    const absl::Status status = Load(wanted);
    done = wanted.ticket;
    if (!IsWanted(done)) continue;
    has_failed = !status.ok();
    const auto lane = static_cast<std::uint32_t>(wanted.lane);
    const std::string& checkpoint = wanted.map->rolled_back.checkpoint;
    if (has_failed && std::exchange(said, std::string(status.message())) == status.message()) {
      // (It tries again each second.)
    } else if (has_failed) {
      options_.log.Error("lane_not_rolled_back", {{"server", options_.server},
                                                  {"lane", lane},
                                                  {"checkpoint", checkpoint},
                                                  {"reason", std::string(status.message())}});
    } else {
      said.clear();
      options_.log.Info("lane_rolled_back",
                        {{"server", options_.server},
                         {"lane", lane},
                         {"checkpoint", checkpoint},
                         {"seconds", absl::ToDoubleSeconds(absl::Now() - begin)}});
    }
    replica_.end(done, status);
  }
}

absl::Status LaneLoader::Load(const Wanted& wanted) {
  if (options_.store == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("server '", options_.server, "' was started without a store: want one where ",
                     "checkpoint '", wanted.map->rolled_back.checkpoint, "' is"));
  }
  return server::ReadLaneRows(*options_.store, *wanted.map, wanted.lane, [&](const RowBlock& rows) {
    if (!IsWanted(wanted.ticket)) return absl::AbortedError("these rows are not wanted any more");
    return replica_.take(wanted.ticket, rows);
  });
}

bool LaneLoader::IsWanted(std::uint64_t ticket) {
  const MutexLock lock(&mutex_);
  return !stop_ && wanted_ && wanted_->ticket == ticket;
}

}  // namespace longtail
