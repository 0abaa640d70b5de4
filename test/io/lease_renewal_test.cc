// A lease is renewed until it is lost or let go of.
#include "io/lease_renewal.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "absl/time/clock.h"

namespace longtail {
namespace {

template <typename Holds>
bool Await(Holds holds) {
  const absl::Time until = absl::Now() + absl::Seconds(20);
  while (!holds() && absl::Now() < until) absl::SleepFor(absl::Milliseconds(1));
  return holds();
}

TEST_CASE("a lease is renewed again and again, whatever the store says of itself",
          "[io][lease_renewal]") {
  std::atomic<int> calls = 0;
  std::atomic<int> losses = 0;
  auto renewal = std::make_unique<LeaseRenewal>(
      absl::Milliseconds(2),
      [&] { return ++calls % 2 == 0 ? absl::OkStatus() : absl::UnavailableError("away"); },
      [&](const absl::Status&) { ++losses; });
  CHECK(Await([&] { return calls >= 10; }));

  renewal.reset();

  const int last = calls;
  absl::SleepFor(absl::Milliseconds(20));
  CHECK(calls == last);
  CHECK(losses == 0);
}

TEST_CASE("who lost a lease is told once and asks no more", "[io][lease_renewal]") {
  std::atomic<int> calls = 0;
  std::atomic<int> losses = 0;
  std::string why;
  {
    const LeaseRenewal renewal(
        absl::Milliseconds(2),
        [&] {
          return ++calls < 3 ? absl::OkStatus() : absl::FailedPreconditionError("another has it");
        },
        [&](const absl::Status& status) {
          why = std::string(status.message());
          ++losses;
        });
    CHECK(Await([&] { return losses == 1; }));
    absl::SleepFor(absl::Milliseconds(20));
  }

  CHECK(calls == 3);
  CHECK(losses == 1);
  CHECK(why == "another has it");
}

TEST_CASE("letting go does not wait for the next renewal", "[io][lease_renewal]") {
  const absl::Time begin = absl::Now();
  {
    const LeaseRenewal renewal(absl::Hours(1), [] { return absl::OkStatus(); }, {});
  }
  CHECK(absl::Now() - begin < absl::Seconds(20));
}

}  // namespace
}  // namespace longtail
