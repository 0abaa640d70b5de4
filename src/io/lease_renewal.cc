#include "io/lease_renewal.h"

#include <utility>

#include "absl/time/clock.h"

namespace longtail {

LeaseRenewal::LeaseRenewal(absl::Duration period, std::function<absl::Status()> renew,
                           std::function<void(const absl::Status& why)> on_lost)
    : period_(period),
      renew_(std::move(renew)),
      on_lost_(std::move(on_lost)),
      thread_([this] { Run(); }) {}

LeaseRenewal::~LeaseRenewal() {
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
  }
  stopped_.SignalAll();
  thread_.join();
}

void LeaseRenewal::Run() {
  for (;;) {
    {
      const MutexLock lock(&mutex_);
      const absl::Time next = absl::Now() + period_;
      while (!stop_ && absl::Now() < next) stopped_.WaitWithDeadline(&mutex_, next);
      if (stop_) return;
    }
    const absl::Status status = renew_();
    if (!absl::IsFailedPrecondition(status)) continue;
    if (on_lost_) on_lost_(status);
    return;
  }
}

}  // namespace longtail
