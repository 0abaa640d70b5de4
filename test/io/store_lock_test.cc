// What every lock promises, on each store: a program for each (CMakeLists.txt).
#include "io/store_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "io/open_held_store.h"
#include "io/open_store.h"
#include "io/this_process.h"
#include "server/cluster_fixture.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;
using test::StorePlace;

constexpr const char* kLease = "lease=2&timeout=10";

TEST_CASE("a store's lock has one holder, whom the others are told", "[io][store_lock]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const std::string address = place->With(kLease);
  auto lock = Must(StoreLock::Acquire(address, "coordinator"));

  const absl::Time begin = absl::Now();
  // Where a lock is a lease, this one waits for longer than that: the first is renewed meanwhile.
  const absl::Status second = StoreLock::Acquire(address, "coordinator").status();

  CHECK(absl::IsFailedPrecondition(second));
  CHECK(absl::Now() - begin < absl::Seconds(15));
  CHECK(Says(second, "is in use by another coordinator, process " + ProcessName()));
  CHECK(Says(second, place->described().substr(place->described().find('/'))));
  Must(StoreLock::Acquire(address, "other").status());
  lock.reset();
  const absl::Time again = absl::Now();
  Must(StoreLock::Acquire(address, "coordinator").status());
  CHECK(absl::Now() - again < absl::Seconds(1.9));  // Nobody waits for a lease.
}

TEST_CASE("a lock is no blob", "[io][store_lock]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr || LONGTAIL_TEST_STORE == std::string("etcd")) return;
  const auto lock = Must(StoreLock::Acquire(place->address(), "coordinator"));
  const auto store = Must(OpenStore(place->address()));

  Must(store->RemoveUnfinished(""));

  CHECK(Must(store->List("")).empty());
}

TEST_CASE("a part of a store that one process holds is kept from others, and outlives it",
          "[io][store_lock]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const std::string address = place->With(kLease);
  if (LONGTAIL_TEST_STORE == std::string("etcd")) {
    const absl::Status none = OpenHeldStore(address, "s", {}).status();
    CHECK(absl::IsInvalidArgument(none));
    CHECK(Says(none, "want a directory, file:DIRECTORY or rados://POOL[/NAMESPACE]"));
    return;
  }
  {
    const HeldStore held = Must(OpenHeldStore(address, "s", {}));
    const absl::Status second = OpenHeldStore(address, "s", {}).status();
    CHECK(absl::IsFailedPrecondition(second));
    CHECK(Says(second, "is in use by another server-s, process " + ProcessName()));
    Must(OpenHeldStore(address, "t", {}).status());
    Must(held.store->Extend("s/a", 0, "abc"));
    Must(held.store->Write("s/b", "1"));
    Must(held.check());
  }
  const HeldStore next = Must(OpenHeldStore(address, "s", {}));
  CHECK(Must(next.store->List("s/")) == std::vector<std::string>{"s/a", "s/b"});
  Must(next.store->Extend("s/a", 3, "d"));
  CHECK(Must(next.store->Read("s/a")) == "abcd");
}

TEST_CASE("a lock ends with its process", "[io][store_lock]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = StoreLock::Acquire(place->With(kLease), "coordinator");
    _exit(lock.ok() ? 0 : 1);  // As a process that is killed: nothing is let go of.
  }
  int status = 1;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);

  Must(StoreLock::Acquire(place->With(kLease), "coordinator").status());
}

TEST_CASE("who stands still for longer than its lease is told who has the lock now",
          "[io][store_lock]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr || LONGTAIL_TEST_STORE == std::string("file")) return;
  const test::ScratchDirectory directory;
  const std::string note = (directory / "note").string();
  const pid_t child = fork();
  if (child == 0) {
    const auto lock =
        StoreLock::Acquire(place->With(kLease), "coordinator", [&](const absl::Status& why) {
          test::WriteWhole(note, why.ToString());
          _exit(7);
        });
    if (lock.ok()) test::WriteWhole(note, "held");
    absl::SleepFor(absl::Seconds(60));
    _exit(1);
  }
  const absl::Time until = absl::Now() + absl::Seconds(20);
  while (test::ReadWhole(note) != "held" && absl::Now() < until) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  REQUIRE(test::ReadWhole(note) == "held");

  kill(child, SIGSTOP);
  const auto lock = StoreLock::Acquire(place->With(kLease), "coordinator");
  kill(child, SIGCONT);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);

  Must(lock.status());
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(test::ReadWhole(note).find("is in use by another coordinator, process " + ProcessName()) !=
        std::string::npos);
}

}  // namespace
}  // namespace longtail
