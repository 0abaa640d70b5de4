#include "worker/pending_state.h"

#include <utility>

namespace longtail {
namespace {

// The core ends a call at its deadline; this much later the waiting thread stops relying on it.
constexpr absl::Duration kGrace = absl::Seconds(5);

}  // namespace

void Pending::State::Start(std::shared_ptr<CallOwnerLink> link, absl::Time deadline) {
  const MutexLock lock(&mutex_);
  link_ = std::move(link);
  deadline_ = deadline;
  call_ = 0;
  done_ = false;
  status_ = absl::OkStatus();
}

void Pending::State::SetCall(std::uint64_t call) {
  const MutexLock lock(&mutex_);
  call_ = call;
}

void Pending::State::Finish(absl::Status status) {
  const MutexLock lock(&mutex_);
  if (done_) return;
  done_ = true;
  status_ = std::move(status);
  finished_.SignalAll();
}

absl::Status Pending::State::Wait() {
  {
    const MutexLock lock(&mutex_);
    while (!done_) {
      if (finished_.WaitWithDeadline(&mutex_, deadline_ + kGrace)) break;
    }
    if (done_) return status_;
  }
  Abandon();
  return absl::DeadlineExceededError(
      "waited past the call's deadline: the worker's thread is stuck");
}

bool Pending::State::done() const {
  const MutexLock lock(&mutex_);
  return done_;
}

void Pending::State::Abandon() {
  std::shared_ptr<CallOwnerLink> link;
  std::uint64_t call = 0;
  {
    const MutexLock lock(&mutex_);
    if (done_) return;
    link = link_;
    call = call_;
  }
  const MutexLock lock(&link->mutex);
  if (link->owner != nullptr) link->owner->Abandon(call);
}

Pending& Pending::operator=(Pending&& other) noexcept {
  if (this != &other) {
    if (state_ != nullptr) state_->Abandon();
    state_ = std::move(other.state_);
  }
  return *this;
}

Pending::~Pending() {
  if (state_ != nullptr) state_->Abandon();
}

absl::Status Pending::Wait() {
  if (state_ == nullptr) return absl::FailedPreconditionError("Wait on an empty Pending");
  return state_->Wait();
}

bool Pending::done() const {
  return state_ == nullptr || state_->done();
}

}  // namespace longtail
