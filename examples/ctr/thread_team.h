// A fixed team of threads that run one function together, again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "base/mutex.h"

namespace longtail::examples {

/// A piece of a member's work that another may do.
class TeamTask {
 public:
  explicit TeamTask(std::function<void()> work) : work_(std::move(work)) {}
  TeamTask(const TeamTask&) = delete;
  TeamTask& operator=(const TeamTask&) = delete;

 private:
  friend class ThreadTeam;
  const std::function<void()> work_;
  bool is_done_ = false;  // Guarded by the team's mutex.
};

/// Owns size-1 threads; the caller is the first member.
///
/// Thread: one thread calls Run.
class ThreadTeam {
 public:
  explicit ThreadTeam(std::uint32_t size);
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  std::uint32_t size() const { return static_cast<std::uint32_t>(threads_.size()) + 1; }

  /// Runs job(member) for every member at once and waits for all: as long as the slowest takes, and
  /// every call a member makes has a deadline of its own.
  ///
  /// Errors: that of the member with the lowest number.
  absl::Status Run(absl::FunctionRef<absl::Status(std::uint32_t member)> job);

  /// Offers a task to the members that wait for the others; false if there is none to take it.
  ///
  /// Thread: as Post.
  bool Offer(TeamTask& task);

  /// Leaves a task to whichever member is the first to wait for the others.
  ///
  /// Thread: the caller's, or a member's in its job or in a task. What is offered or posted must be
  ///         finished before it is offered or posted again, and before the caller goes on to what
  ///         the task must not meet.
  void Post(TeamTask& task);

  /// Waits until a task is done; does it here if nobody has begun it yet.
  void Finish(TeamTask& task);

 private:
  void Serve(std::uint32_t member);
  void Add(TeamTask& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Do(TeamTask& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DoFirst() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  CondVar called_;     // round_, stop_ or tasks_ changed: for members but the first.
  CondVar finished_;   // running_ fell to 0, or tasks_ changed: for the first.
  CondVar task_done_;  // Some task's is_done_.
  const absl::FunctionRef<absl::Status(std::uint32_t)>* job_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::uint64_t round_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint32_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;  // On called_, done with this round.
  bool caller_waits_ ABSL_GUARDED_BY(mutex_) = false;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<TeamTask*> tasks_ ABSL_GUARDED_BY(mutex_);  // Not begun, the oldest first.
  std::vector<absl::Status> results_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace longtail::examples
