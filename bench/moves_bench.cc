// What moves of lanes cost workers that push meanwhile: rows a second while they are under way.
//
//   moves_bench [--rounds 3] [--rows 1000000] [--batch 4000] [--window 3] [--depth 4]
//               [--compute-ms 0] [--check rebalance/before=0.7,drain/before=0.7]
//
// One server of eight lanes, a process of the program; two workers push batches of a table of dim
// 16, each with four pushes in flight, whenever one is acknowledged or, with --compute-ms, after
// so long a pause for each that leaves the cores to others. Three servers are added and lanes are
// shared among all (rebalance), then two servers are drained, the first among them (drain). In each
// round, whose cluster is its own:
//
//   before      one server leads all lanes; three more wait
//   rebalance   until no move is left
//   spread      four servers lead two lanes each
//   drain       until two servers have nothing
//   after       two servers lead four lanes each
//
// rebalance/before is rows a second of that window over the one before it, drain/before is drain
// over spread; a figure is the median over rounds. X_lost_s is the time in which what was not
// pushed because of X would have been. All servers and the workers share the machine's cores: where
// these are few, lanes on four servers cost more than on one, and "spread" and "after" say how
// much. Exits with 0 only if both ratios are at least 0.7 (--check).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/figures.h"
#include "bench/key_batches.h"
#include "bench/program_cluster.h"
#include "bench/pushing_thread.h"
#include "bench/resident.h"

namespace longtail::bench {
namespace {

constexpr std::uint32_t kLanes = 8;
constexpr std::uint32_t kDim = 16;
constexpr std::uint32_t kWorkers = 2;
constexpr std::size_t kBatches = 8;  // Of each worker.

struct Options {
  int rounds = 3;
  std::uint64_t rows = 1'000'000;
  std::size_t batch = 4'000;
  double window = 3;
  std::size_t depth = 4;
  double compute_ms = 0;
  std::vector<std::string> at_least = {"rebalance/before=0.7", "drain/before=0.7"};
};

using Pushing = std::vector<std::unique_ptr<PushingThread>>;

struct Window {
  double begin = 0;
  double end = 0;
  double rows_per_second = 0;
  double longest_push = 0;  // Of those that end in it.
};

// Does `what`, and says what was acknowledged meanwhile.
template <typename What>
Window Measure(const Options& options, const Pushing& pushing, const char* name, What what) {
  Window window{.begin = Seconds()};
  what();
  window.end = Seconds();
  std::size_t pushes = 0;
  for (const auto& thread : pushing) {
    for (const PushTime& push : thread->Pushes()) {
      if (push.end < window.begin || push.end >= window.end) continue;
      ++pushes;
      window.longest_push = std::max(window.longest_push, push.end - push.begin);
    }
  }
  const double seconds = window.end - window.begin;
  window.rows_per_second = static_cast<double>(pushes * options.batch) / seconds;
  std::printf("  %-10s %6.2f s %8.2f M rows/s, longest push %7.1f ms\n", name, seconds,
              window.rows_per_second / 1e6, window.longest_push * 1e3);
  std::fflush(stdout);
  return window;
}

std::map<std::string, Window> RunRound(const Options& options) {
  ProgramCluster programs({.servers = 1, .workers = kWorkers, .lanes = kLanes});
  const auto cluster = Need(Cluster::Remote({.coordinator = programs.address()}));
  const TableId table = Need(cluster->CreateTable(
      {.name = "bench", .dim = kDim, .optimizer = {.rule = AdagradSpec{}}, .seed = 1}));
  {
    std::vector<Key> all;
    for (std::uint64_t i = 0; i < options.rows; ++i) all.push_back(KeyOfNumber(i));
    FillRows(*Need(cluster->Connect()), table, all, kDim);
  }
  Pushing pushing;
  for (std::uint32_t w = 0; w < kWorkers; ++w) {
    KeyBatches drawn(options.rows, options.batch, KeyLaw::kUniform, w + 1);
    std::vector<std::vector<Key>> batches(kBatches);
    for (std::vector<Key>& batch : batches) {
      drawn.Next();
      batch = drawn.keys();
    }
    const PushingThread::Pace pace{.depth = options.depth,
                                   .computes = absl::Milliseconds(options.compute_ms)};
    pushing.push_back(
        std::make_unique<PushingThread>(Need(cluster->Connect()), table, batches, kDim, pace));
  }
  programs.AddServers(3);

  const absl::Duration settle = absl::Milliseconds(500);
  const auto wait = [&] { absl::SleepFor(absl::Seconds(options.window)); };
  std::map<std::string, Window> windows;
  const auto measure = [&](const char* name, auto what) {
    windows[name] = Measure(options, pushing, name, what);
  };
  absl::SleepFor(settle);
  measure("before", wait);
  measure("rebalance", [&] { programs.Place(Placing::kRebalance); });
  absl::SleepFor(settle);
  measure("spread", wait);
  measure("drain", [&] {
    programs.Place(Placing::kDrain, ProgramCluster::NameOf(0));
    programs.Place(Placing::kDrain, ProgramCluster::NameOf(2));
  });
  absl::SleepFor(settle);
  measure("after", wait);
  for (const auto& thread : pushing) thread->End();
  for (const std::uint32_t server : {0U, 2U}) {
    if (programs.LanesLedBy(server) != 0) Fail("a drained server leads lanes");
  }
  return windows;
}

Figures Run(const Options& options) {
  std::map<std::string, std::vector<double>> ratios;
  std::map<std::string, std::vector<double>> rates;
  double longest = 0;
  for (int round = 0; round < options.rounds; ++round) {
    std::printf("round %d\n", round + 1);
    const std::map<std::string, Window> windows = RunRound(options);
    for (const auto& [name, window] : windows) {
      rates[name + "_M_rows"].push_back(window.rows_per_second / 1e6);
    }
    const auto rate = [&](const char* name) { return windows.at(name).rows_per_second; };
    ratios["rebalance/before"].push_back(rate("rebalance") / rate("before"));
    ratios["rebalance/spread"].push_back(rate("rebalance") / rate("spread"));
    ratios["drain/before"].push_back(rate("drain") / rate("spread"));
    ratios["drain/after"].push_back(rate("drain") / rate("after"));
    for (const char* name : {"rebalance", "drain"}) {
      const Window& window = windows.at(name);
      rates[std::string(name) + "_s"].push_back(window.end - window.begin);
      const double usual = rate(std::string(name) == "drain" ? "spread" : "before");
      rates[std::string(name) + "_lost_s"].push_back((window.end - window.begin) *
                                                     (1 - window.rows_per_second / usual));
      longest = std::max(longest, window.longest_push);
    }
  }
  Figures figures;
  for (const auto& [name, values] : rates) figures[name] = Quantile(values, 0.5);
  for (const auto& [name, values] : ratios) figures[name] = Quantile(values, 0.5);
  figures["longest_push_s"] = longest;
  return figures;
}

int Main(int argc, char** argv) {
  CLI::App app("What moves of lanes cost workers that push meanwhile");
  Options options;
  bool smoke = false;
  app.add_flag("--smoke", smoke, "one small round, no target: does it run?");
  app.add_option("--rounds", options.rounds, "clusters, one after another")
      ->check(CLI::Range(1, 1000));
  app.add_option("--rows", options.rows, "of the table")->check(CLI::Range(10'000, 50'000'000));
  app.add_option("--batch", options.batch, "keys of a push")->check(CLI::Range(64, 10'000));
  app.add_option("--window", options.window, "seconds of windows without moves");
  app.add_option("--depth", options.depth, "pushes in flight of a worker")
      ->check(CLI::Range(1, 64));
  app.add_option("--compute-ms", options.compute_ms, "pause of a worker before each push");
  app.add_option("--check", options.at_least, "NAME=VALUE,…: figures at least so large")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  if (smoke) {
    options.rounds = 1;
    options.rows = 20'000;
    options.batch = 500;
    options.window = 0.3;
    options.at_least.clear();
  }
  PrintMachine();
  std::printf(
      "1, 4, then 2 servers, %u lanes, %lu rows of dim %u; %u workers, batches of %zu keys, %zu in "
      "flight, %.1f ms between them; %d rounds\n",
      kLanes, options.rows, kDim, kWorkers, options.batch, options.depth, options.compute_ms,
      options.rounds);
  return Report(Run(options), options.at_least, Bound::kLeast) ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
