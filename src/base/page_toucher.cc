#include "base/page_toucher.h"

#if defined(__linux__)

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <deque>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"

// Linux 5.14; older kernels refuse it, and older headers do not know it.
#if !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23
#endif

namespace longtail {
namespace {

// More than this many pieces behind, the thread is of no use: who asks has touched them himself.
constexpr std::size_t kWaitingMax = 64;

// A huge page: how long a touch takes, and so who forgets it may wait.
constexpr std::size_t kPieceBytes = std::size_t{2} << 20;

struct Range {
  std::uintptr_t begin;
  std::uintptr_t end;

  bool Meets(const Range& other) const { return begin < other.end && other.begin < end; }
};

Range RangeOf(const void* memory, std::size_t size) {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  return {begin, begin + size};
}

class Toucher {
 public:
  void Ask(const Range& range) {
    const MutexLock lock(&mutex_);
    if (!is_started_) Start();
    for (std::uintptr_t at = range.begin; at < range.end; at += kPieceBytes) {
      if (waiting_.size() == kWaitingMax) waiting_.pop_front();
      waiting_.push_back({at, std::min(at + kPieceBytes, range.end)});
    }
    changed_.SignalAll();
  }

  void Forget(const Range& range) {
    const MutexLock lock(&mutex_);
    std::erase_if(waiting_, [&](const Range& waiting) { return waiting.Meets(range); });
    while (touched_now_.Meets(range)) changed_.Wait(&mutex_);
  }

 private:
  // It is never joined: it ends with the process, and holds nothing that needs an end.
  void Start() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    is_started_ = true;
    // The program's signals are its own threads' business.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread([this] { Run(); }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  [[noreturn]] void Run() {
    // Who asked is at work, and is not to be interrupted for what he needs only later.
    const sched_param parameters{};
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &parameters);
    for (;;) {
      const Range next = Next();
      // What it answers does not matter: untouched pages are touched by who needs them.
      (void)madvise(reinterpret_cast<void*>(next.begin),  // NOLINT(performance-no-int-to-ptr)
                    next.end - next.begin, MADV_POPULATE_WRITE);
      const MutexLock lock(&mutex_);
      touched_now_ = {};
      changed_.SignalAll();
    }
  }

  Range Next() {
    const MutexLock lock(&mutex_);
    while (waiting_.empty()) changed_.Wait(&mutex_);
    touched_now_ = waiting_.front();
    waiting_.pop_front();
    return touched_now_;
  }

  Mutex mutex_;
  CondVar changed_;
  bool is_started_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Range> waiting_ ABSL_GUARDED_BY(mutex_);  // A piece each.
  Range touched_now_ ABSL_GUARDED_BY(mutex_){};
};

// Never destroyed: tables may outlive what is static.
Toucher& TheToucher() {
  static auto* const toucher = new Toucher;
  return *toucher;
}

}  // namespace

void TouchSoon(void* memory, std::size_t size) {
  constexpr std::size_t kPage = 4096;  // Where pages are larger the call is refused.
  const Range asked = RangeOf(memory, size);
  const Range whole = {(asked.begin + kPage - 1) / kPage * kPage, asked.end / kPage * kPage};
  if (whole.begin < whole.end) TheToucher().Ask(whole);
}

void ForgetTouches(const void* memory, std::size_t size) {
  TheToucher().Forget(RangeOf(memory, size));
}

}  // namespace longtail

#else

namespace longtail {

void TouchSoon(void*, std::size_t) {}
void ForgetTouches(const void*, std::size_t) {}

}  // namespace longtail

#endif
