// Which ranks are taken, and the next session number.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "protocol/node_ids.h"

namespace longtail::server {

class RankRegistry {
 public:
  explicit RankRegistry(std::uint32_t ranks) : taken_(ranks, false) {}

  struct Place {
    std::uint32_t rank = 0;
    SessionId session{};
  };

  /// The wanted rank, or the lowest free one.
  ///
  /// Errors: InvalidArgument (no such rank); AlreadyExists (it is taken); ResourceExhausted.
  absl::StatusOr<Place> Take(std::optional<std::uint32_t> wanted = {}) {
    const MutexLock lock(&mutex_);
    if (wanted) {
      if (*wanted >= taken_.size()) {
        return absl::InvalidArgumentError(absl::StrCat("worker rank ", *wanted,
                                                       ": this cluster has ", taken_.size(),
                                                       " workers, want 0..", taken_.size() - 1));
      }
      if (taken_[*wanted]) {
        return absl::AlreadyExistsError(absl::StrCat("worker rank ", *wanted, " is connected"));
      }
      taken_[*wanted] = true;
      return Place{*wanted, SessionId{next_session_++}};
    }
    for (std::uint32_t rank = 0; rank < taken_.size(); ++rank) {
      if (taken_[rank]) continue;
      taken_[rank] = true;
      return Place{rank, SessionId{next_session_++}};
    }
    return absl::ResourceExhaustedError(
        absl::StrCat("all ", taken_.size(),
                     " workers of this cluster are connected: raise its 'workers' option"));
  }

  void Release(std::uint32_t rank) {
    const MutexLock lock(&mutex_);
    taken_[rank] = false;
  }

 private:
  Mutex mutex_;
  std::vector<bool> taken_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t next_session_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace longtail::server
