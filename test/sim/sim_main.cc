// Simulates one seed, or fresh ones for some seconds; says which one broke a promise, and how.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <tuple>

#include "absl/time/clock.h"
#include "sim/sim_cluster.h"

namespace longtail::sim {
namespace {

bool Holds(std::uint64_t seed) {
  bool holds = true;
  for (const auto& [words, carriage, lanes] :
       {std::tuple("by pointer", Carriage::kByPointer, Lanes::kAlone),
        std::tuple("by bytes", Carriage::kByBytes, Lanes::kAlone),
        std::tuple("replicated", Carriage::kByBytes, Lanes::kReplicated),
        std::tuple("logged", Carriage::kByBytes, Lanes::kLogged)}) {
    const SimResult result = Simulate(seed, carriage, lanes);
    if (result.is_lost) std::cout << "seed " << seed << " " << words << ": lost by two failures\n";
    if (result.wrong.empty()) continue;
    holds = false;
    std::cout << "seed " << seed << " " << words << ": " << result.wrong
              << "\n  replay: longtail_sim --seed " << seed << "\n";
  }
  return holds;
}

int Run(std::uint64_t seed, std::uint64_t seconds) {
  const absl::Time until = absl::Now() + absl::Seconds(seconds);
  std::uint64_t first_free = seed;
  do {
    if (!Holds(first_free)) return 1;
    ++first_free;
  } while (absl::Now() < until);
  std::cout << "seeds " << seed << " to " << first_free - 1 << " keep every promise\n";
  return 0;
}

}  // namespace
}  // namespace longtail::sim

int main(int argc, char** argv) {
  std::uint64_t seed = 0;
  std::uint64_t seconds = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--seed") {
      seed = value;
    } else if (name == "--seconds") {
      seconds = value;
    } else {
      std::cerr << "usage: longtail_sim [--seed FIRST] [--seconds HOW_LONG]\n";
      return 2;
    }
  }
  return longtail::sim::Run(seed, seconds);
}
