// Why a program ends that was not told to: another one has what it had.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "cli/end_signals.h"

namespace longtail::cli {

/// Thread: any.
class NotedLoss {
 public:
  /// Keeps the reason, and has EndSignals::Wait return.
  void Note(const absl::Status& why) {
    {
      const MutexLock lock(&mutex_);
      why_ = why;
    }
    EndSignals::Raise();
  }
  absl::Status Noted() const {
    const MutexLock lock(&mutex_);
    return why_;
  }

 private:
  mutable Mutex mutex_;
  absl::Status why_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace longtail::cli
