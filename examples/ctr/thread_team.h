// A fixed team of threads that run one function together, again and again.
#pragma once

#include <cstdint>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "base/mutex.h"

namespace longtail::examples {

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

 private:
  void Serve(std::uint32_t member);

  Mutex mutex_;
  CondVar called_;    // round_ or stop_ changed.
  CondVar finished_;  // running_ fell to 0.
  const absl::FunctionRef<absl::Status(std::uint32_t)>* job_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::uint64_t round_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint32_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<absl::Status> results_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace longtail::examples
