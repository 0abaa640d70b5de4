// The thread that keeps a lease from running out.
#pragma once

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace longtail {

/// Owns one thread from construction to destruction.
class LeaseRenewal {
 public:
  /// Calls `renew` every `period`. FailedPrecondition means that another has what the lease was
  /// for: `on_lost` is told, once, and nothing is renewed any more. After any other error it is
  /// tried again: where the store is away, nobody else can take the lease either.
  LeaseRenewal(absl::Duration period, std::function<absl::Status()> renew,
               std::function<void(const absl::Status& why)> on_lost);

  /// Waits for a call that is under way.
  ~LeaseRenewal();
  LeaseRenewal(const LeaseRenewal&) = delete;
  LeaseRenewal& operator=(const LeaseRenewal&) = delete;

 private:
  void Run();

  const absl::Duration period_;
  const std::function<absl::Status()> renew_;
  const std::function<void(const absl::Status& why)> on_lost_;

  Mutex mutex_;
  CondVar stopped_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses all the others.
};

}  // namespace longtail
