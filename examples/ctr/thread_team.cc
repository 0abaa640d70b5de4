#include "examples/ctr/thread_team.h"

#include <utility>

namespace longtail::examples {

ThreadTeam::ThreadTeam(std::uint32_t size) : results_(size) {
  for (std::uint32_t member = 1; member < size; ++member) {
    threads_.emplace_back([this, member] { Serve(member); });
  }
}

ThreadTeam::~ThreadTeam() {
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
    called_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

absl::Status ThreadTeam::Run(absl::FunctionRef<absl::Status(std::uint32_t member)> job) {
  if (threads_.empty()) return job(0);
  {
    const MutexLock lock(&mutex_);
    job_ = &job;
    running_ = size() - 1;
    ++round_;
    called_.SignalAll();
  }
  absl::Status first = job(0);
  const MutexLock lock(&mutex_);
  while (running_ != 0) finished_.Wait(&mutex_);
  for (std::uint32_t member = 1; first.ok() && member < size(); ++member) {
    first = results_[member];
  }
  return first;
}

void ThreadTeam::Serve(std::uint32_t member) {
  std::uint64_t seen = 0;
  for (;;) {
    const absl::FunctionRef<absl::Status(std::uint32_t)>* job = nullptr;
    {
      const MutexLock lock(&mutex_);
      while (!stop_ && round_ == seen) called_.Wait(&mutex_);
      if (stop_) return;
      seen = round_;
      job = job_;
    }
    absl::Status result = (*job)(member);
    const MutexLock lock(&mutex_);
    results_[member] = std::move(result);
    if (--running_ == 0) finished_.Signal();
  }
}

}  // namespace longtail::examples
