// The online loop as processes, for tests that kill them: events of two days, a broker for them, a
// cluster of servers with logs and one that only reads, what joins, trains and predicts.
#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "cluster/program_cluster.h"
#include "examples/online/event_replay.h"

namespace longtail::test {

/// Where joining is done.
enum class JoinerPlace { kInTrainer, kApart };

inline constexpr std::int64_t kLoopWindowMs = 60'000;

/// Two days of impressions, a few seconds apart, of features of which many are rare.
inline std::string ImpressionsFile(const ScratchDirectory& scratch, int count) {
  const std::string path = scratch.path() + "/impressions.tsv";
  std::ofstream file(path);
  file << "click\tad\tuser\trow\n";
  Rng rng(11);
  for (int i = 0; i < count; ++i) {
    const auto ad = static_cast<int>(std::pow(200.0, static_cast<double>(rng.Below(1000)) / 1000));
    const std::uint64_t user = rng.Below(3000);
    const bool is_click = rng.Below(12) < static_cast<std::uint64_t>(1 + ad % 7);
    file << (is_click ? 1 : 0) << "\t" << ad << "\t" << user << "\t" << i << "\n";
  }
  return path;
}

/// Two days of real impressions, as they followed one another, where the data sets are: 1 % of
/// those of 30 days, 16.5 million, whose number is their time. Else of made-up ones.
inline examples::ReplayOptions TwoDays(const ScratchDirectory& scratch) {
  const char* const data = std::getenv("LONGTAIL_DATA");
  const std::string real =
      std::string(data == nullptr ? "none" : data) + "/criteo-attribution/train.tsv.gz";
  if (std::filesystem::exists(real)) {
    return {.file = real, .impressions_max = 11'000, .ms_per_unit = 157.1, .tick_ms = 60'000};
  }
  return {.file = ImpressionsFile(scratch, 4000), .ms_per_unit = 43'200, .tick_ms = 60'000};
}

/// One training of the loop: its cluster, and what trains and joins for it.
class Loop {
 public:
  Loop(JoinerPlace place, std::string brokers, std::int64_t until_ms)
      : place_(place), brokers_(std::move(brokers)), until_(std::to_string(until_ms)) {
    StartTraining();
    if (place_ == JoinerPlace::kApart) StartJoiner();
  }

  void StartTraining() {
    std::vector<std::string> words = {LONGTAIL_ONLINE,
                                      "train",
                                      "--brokers",
                                      brokers_,
                                      "--cluster",
                                      cluster.address,
                                      "--store",
                                      store,
                                      "--window",
                                      "60",
                                      "--batch",
                                      "64",
                                      "--batch_ms",
                                      "600000",
                                      "--until",
                                      until_,
                                      "--checkpoint_every",
                                      "10"};
    if (place_ == JoinerPlace::kApart) words.insert(words.end(), {"--examples", "examples"});
    training = std::make_unique<Program>(words);
  }

  void StartJoiner() {
    joiner = std::make_unique<Program>(std::vector<std::string>{
        LONGTAIL_ONLINE, "join", "--brokers", brokers_, "--store", scratch.path() + "/joiner",
        "--window", "60", "--state_every", "1000", "--until", until_});
  }

  const ScratchDirectory scratch;
  const std::string store = scratch.path() + "/store";
  ProgramCluster cluster{{.servers = 2,
                          .workers = 1,
                          .step_mode = "synchronous",
                          .lease_seconds = 5,
                          .keeps_log = true,
                          .store = store}};
  std::unique_ptr<Program> training;
  std::unique_ptr<Program> joiner;  ///< If it is apart.

 private:
  const JoinerPlace place_;
  const std::string brokers_;
  const std::string until_;
};

}  // namespace longtail::test
