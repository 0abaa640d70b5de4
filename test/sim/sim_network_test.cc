// The simulated network does what it is told, and the same again for the same seed.
#include "sim/sim_network.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <set>
#include <vector>

namespace longtail::sim {
namespace {

// Sends 0 … n-1 over one link, a millisecond apart, and gives what arrives, in order.
std::vector<std::uint64_t> Arrived(const Faults& faults, std::uint64_t n, std::uint64_t seed) {
  SimNetwork network(faults, seed);
  absl::Time now = absl::UnixEpoch();
  for (std::uint64_t i = 0; i < n; ++i) {
    network.Send({NodeId{1}, NodeId{2}, ImportStep{i, 0}}, now);
    now += absl::Milliseconds(1);
  }
  std::vector<std::uint64_t> arrived;
  while (network.next() != absl::InfiniteFuture()) {
    arrived.push_back(std::get<ImportStep>(network.Deliver().body).request);
  }
  return arrived;
}

TEST_CASE("without faults everything arrives once, in order", "[sim]") {
  const std::vector<std::uint64_t> arrived = Arrived({}, 300, 1);

  CHECK(arrived.size() == 300);
  CHECK(std::is_sorted(arrived.begin(), arrived.end()));
}

TEST_CASE("each fault does what it says", "[sim]") {
  CHECK(Arrived({.loss_percent = 30}, 1000, 1).size() < 800);
  CHECK(Arrived({.repeat_percent = 30}, 1000, 1).size() > 1200);
  CHECK(Arrived({.cut_percent = 1}, 1000, 1).size() < 900);
  CHECK(Arrived({.part_percent = 1}, 1000, 1).size() < 900);
  const auto late = Arrived({.delay_percent = 30}, 1000, 1);
  CHECK(std::is_sorted(late.begin(), late.end()));
  const auto mixed = Arrived({.delay_percent = 30, .reorders = true}, 1000, 1);
  CHECK_FALSE(std::is_sorted(mixed.begin(), mixed.end()));
  CHECK(std::set<std::uint64_t>(mixed.begin(), mixed.end()).size() == 1000);
}

TEST_CASE("a link that is cut one way carries the other way, one that is parted does not",
          "[sim]") {
  // Back over a link on whose way there every message is cut off.
  const auto comes_back = [](const Faults& faults) {
    SimNetwork network(faults, 1);
    bool comes = false;
    for (int i = 0; i < 20; ++i) {
      const absl::Time now = absl::UnixEpoch() + absl::Milliseconds(i);
      network.Send({NodeId{1}, NodeId{2}, ImportStep{1, 0}}, now);
    }
    network.StopFaults();
    network.Send({NodeId{2}, NodeId{1}, ImportStep{7, 0}}, absl::UnixEpoch());
    while (network.next() != absl::InfiniteFuture()) {
      comes |= std::get<ImportStep>(network.Deliver().body).request == 7;
    }
    return comes;
  };

  CHECK(comes_back({.cut_percent = 100}));
  CHECK_FALSE(comes_back({.part_percent = 100}));
}

TEST_CASE("a node that stands still gets nothing meanwhile, and all of it after", "[sim]") {
  SimNetwork network({.stall_percent = 100}, 1);
  network.Send({NodeId{1}, NodeId{2}, ImportStep{1, 0}}, absl::UnixEpoch());
  const absl::Time first = network.next();
  network.StopFaults();
  network.Send({NodeId{3}, NodeId{2}, ImportStep{2, 0}}, absl::UnixEpoch());
  network.Send({NodeId{1}, NodeId{4}, ImportStep{3, 0}}, absl::UnixEpoch());

  CHECK(first > absl::UnixEpoch() + absl::Milliseconds(2));
  CHECK(std::get<ImportStep>(network.Deliver().body).request == 3);
  CHECK(network.next() >= first);
}

TEST_CASE("the same seed loses and repeats the same", "[sim]") {
  const Faults faults{.loss_percent = 20,
                      .repeat_percent = 20,
                      .delay_percent = 20,
                      .part_percent = 1,
                      .stall_percent = 1,
                      .reorders = true};

  CHECK(Arrived(faults, 500, 7) == Arrived(faults, 500, 7));
  CHECK(Arrived(faults, 500, 7) != Arrived(faults, 500, 8));
}

}  // namespace
}  // namespace longtail::sim
