// The lock and its condition variable: exclusion, signals, deadlines.
#include "base/mutex.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <thread>
#include <vector>

namespace longtail {
namespace {

TEST_CASE("a mutex lets one thread at a time count", "[base][mutex]") {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kRounds = 5000;
  Mutex mutex;
  std::uint64_t count = 0;

  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i < kRounds; ++i) {
        const MutexLock lock(&mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  CHECK(count == kThreads * kRounds);
}

TEST_CASE("a wait ends with a signal, whatever its deadline", "[base][mutex]") {
  const absl::Time until = GENERATE(values<absl::Time>(
      {absl::InfiniteFuture(), absl::Now() + absl::Hours(1), absl::Now() + absl::Hours(24 * 999)}));
  Mutex mutex;
  CondVar changed;
  int turn = 0;
  std::thread other([&] {
    const MutexLock lock(&mutex);
    turn = 1;
    changed.SignalAll();
    while (turn != 2) changed.Wait(&mutex);
    turn = 3;
    changed.Signal();
  });

  bool timed_out = false;
  {
    const MutexLock lock(&mutex);
    while (turn != 1) timed_out |= changed.WaitWithDeadline(&mutex, until);
    turn = 2;
    changed.Signal();
    while (turn != 3) timed_out |= changed.WaitWithDeadline(&mutex, until);
  }
  other.join();

  CHECK_FALSE(timed_out);
}

TEST_CASE("a wait that nobody ends ends at its deadline", "[base][mutex]") {
  const absl::Duration timeout =
      GENERATE(values<absl::Duration>({absl::Milliseconds(20), absl::ZeroDuration(),
                                       -absl::Seconds(1), -absl::InfiniteDuration()}));
  Mutex mutex;
  CondVar never;
  const absl::Time until = absl::Now() + timeout;

  const MutexLock lock(&mutex);
  while (!never.WaitWithDeadline(&mutex, until)) {
  }

  CHECK(absl::Now() >= until);
}

}  // namespace
}  // namespace longtail
