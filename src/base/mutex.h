// A lock, and a way to wait for what it guards, over the standard library's.
//
// absl::Mutex would do, but Debian's is compiled code that the thread sanitizer cannot see into; of
// these it sees every use. The names and annotations are absl::Mutex's, so clang's -Wthread-safety
// checks who holds what.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace longtail {

/// Held by one thread at a time; not recursive.
///
/// Thread: any.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

/// Holds a Mutex from construction to the end of its scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_->Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

/// Lets a thread that holds a Mutex sleep until another changed what it guards. May wake without a
/// cause: wait in a loop over the condition.
///
/// Thread: any.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  /// Sleeps until a signal; `mutex` is free meanwhile.
  void Wait(Mutex* mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> held(mutex->mutex_, std::adopt_lock);
    condition_.wait(held);
    held.release();
  }

  /// As Wait, but not past `until`. Whether `until` has come. A change of the system's clock during
  /// the wait does not change how long it lasts.
  bool WaitWithDeadline(Mutex* mutex, absl::Time until) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (until == absl::InfiniteFuture()) {
      Wait(mutex);
      return false;
    }
    // A day at a time: no sum of clock and duration runs over.
    const absl::Duration rest = std::min(until - absl::Now(), absl::Hours(24));
    std::unique_lock<std::mutex> held(mutex->mutex_, std::adopt_lock);
    condition_.wait_until(held, std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(rest));
    held.release();
    return absl::Now() >= until;
  }

  void Signal() { condition_.notify_one(); }
  void SignalAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace longtail
