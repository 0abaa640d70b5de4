#include "examples/ctr/thread_team.h"

#include <algorithm>
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
    waiting_ = 0;
    called_.SignalAll();
  }
  absl::Status first = job(0);
  const MutexLock lock(&mutex_);
  while (running_ != 0) {
    if (!tasks_.empty()) {
      DoFirst();
      continue;
    }
    caller_waits_ = true;
    finished_.Wait(&mutex_);
    caller_waits_ = false;
  }
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
      while (!stop_ && round_ == seen) {
        if (!tasks_.empty()) {
          DoFirst();
          continue;
        }
        ++waiting_;
        called_.Wait(&mutex_);
        if (round_ == seen) --waiting_;
      }
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

bool ThreadTeam::Offer(TeamTask& task) {
  const MutexLock lock(&mutex_);
  if (tasks_.size() >= waiting_ + (caller_waits_ ? 1 : 0)) return false;
  Add(task);
  return true;
}

void ThreadTeam::Post(TeamTask& task) {
  const MutexLock lock(&mutex_);
  Add(task);
}

void ThreadTeam::Finish(TeamTask& task) {
  const MutexLock lock(&mutex_);
  const auto found = std::ranges::find(tasks_, &task);
  if (found != tasks_.end()) {
    tasks_.erase(found);
    return Do(task);
  }
  while (!task.is_done_) task_done_.Wait(&mutex_);
}

void ThreadTeam::Add(TeamTask& task) {
  if (tasks_.size() < waiting_) {
    called_.Signal();
  } else if (caller_waits_) {
    finished_.Signal();
  }
  task.is_done_ = false;
  tasks_.push_back(&task);
}

void ThreadTeam::DoFirst() {
  TeamTask* const task = tasks_.front();
  tasks_.erase(tasks_.begin());
  Do(*task);
}

void ThreadTeam::Do(TeamTask& task) {
  mutex_.Unlock();
  task.work_();
  mutex_.Lock();
  task.is_done_ = true;
  task_done_.SignalAll();
}

}  // namespace longtail::examples
