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
    const absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

absl::Status ThreadTeam::Run(absl::FunctionRef<absl::Status(std::uint32_t member)> job) {
  if (threads_.empty()) return job(0);
  {
    const absl::MutexLock lock(&mutex_);
    job_ = &job;
    running_ = size() - 1;
    ++round_;
  }
  absl::Status first = job(0);
  const absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](std::uint32_t* running) { return *running == 0; }, &running_));
  for (std::uint32_t member = 1; first.ok() && member < size(); ++member) {
    first = results_[member];
  }
  return first;
}

void ThreadTeam::Serve(std::uint32_t member) {
  struct Wait {
    ThreadTeam* team;
    std::uint64_t seen;
  } wait{this, 0};
  const auto is_called = +[](Wait* w) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return w->team->stop_ || w->team->round_ != w->seen;
  };
  for (;;) {
    const absl::FunctionRef<absl::Status(std::uint32_t)>* job = nullptr;
    {
      const absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(is_called, &wait));
      if (stop_) return;
      wait.seen = round_;
      job = job_;
    }
    absl::Status result = (*job)(member);
    const absl::MutexLock lock(&mutex_);
    results_[member] = std::move(result);
    --running_;
  }
}

}  // namespace longtail::examples
