// How long a worker stands still when a server is killed: from kill -9 to the next push.
//
//   failover_bench [--kills 5] [--rows 200000] [--most longest_s=3]
//
// Three servers of one lane each, two replicas, processes of the program with its own leases. A
// worker with the options that it has by itself pushes small batches with keys of every partition,
// one after another. Servers are killed in turn, at times that have nothing to do with their
// pulses; the time is that until a push which began after the kill is acknowledged, which takes all
// partitions. Then the server is started again, and the next is killed when all replicas are in
// sync. At the end every row must be the exact sum of what was acknowledged.
//
// Exits with 0 only if the longest of these times is at most three seconds (--most).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
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

constexpr std::uint32_t kServers = 3;
constexpr std::uint32_t kDim = 16;
constexpr std::size_t kBatch = 256;

struct Options {
  int kills = 5;
  std::uint64_t rows = 200'000;
  std::vector<std::string> at_most = {"longest_s=3"};
};

// Keys of every partition, the same number of each.
std::vector<Key> KeysOfAllPartitions(std::uint32_t partitions) {
  const std::size_t of_each = std::max<std::size_t>(1, kBatch / partitions);
  std::vector<std::size_t> counts(partitions, 0);
  std::vector<Key> keys;
  for (std::uint64_t i = 0; keys.size() < of_each * partitions; ++i) {
    const Key key = KeyOfNumber(i);
    if (counts[static_cast<std::uint32_t>(PartitionOf(key, partitions))]++ < of_each)
      keys.push_back(key);
  }
  return keys;
}

// The end of the first push that began after `since`.
double AwaitPush(const PushingThread& pushing, double since) {
  double end = 0;
  const bool has_come = AwaitThat(absl::Seconds(60), absl::Milliseconds(5), [&] {
    const std::vector<PushTime> pushes = pushing.Pushes();
    const auto first = std::ranges::upper_bound(pushes, since, {}, &PushTime::begin);
    if (first != pushes.end()) end = first->end;
    return first != pushes.end();
  });
  if (!has_come) Fail("no push is acknowledged within 60 s of a kill");
  return end;
}

double LongestOf(const std::vector<PushTime>& pushes, double from, double until) {
  double longest = 0;
  for (const PushTime& push : pushes) {
    if (push.begin >= from && push.end < until) longest = std::max(longest, push.end - push.begin);
  }
  return longest;
}

Figures Run(const Options& options) {
  ProgramCluster programs({.servers = kServers, .workers = 2, .replicas = 2});
  const auto cluster = Need(Cluster::Remote({.coordinator = programs.address()}));
  // Whole numbers stay exact.
  const TableId table =
      Need(cluster->CreateTable({.name = "bench",
                                 .dim = kDim,
                                 .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
                                 .initializer = ConstantSpec{.value = 0}}));
  {
    std::vector<Key> all;
    for (std::uint64_t i = 0; i < options.rows; ++i) all.push_back(KeyOfNumber(i));
    FillRows(*Need(cluster->Connect()), table, all, kDim);
  }
  const std::vector<Key> keys = KeysOfAllPartitions(cluster->options().partitions);
  PushingThread pushing(Need(cluster->Connect()), table, {keys}, kDim, {});
  programs.AwaitReplicas();

  std::vector<double> away;
  std::vector<double> in_sync;
  double longest_back = 0;
  for (int kill = 0; kill < options.kills; ++kill) {
    absl::SleepFor(absl::Milliseconds(500 + 370 * kill % 1000));
    const std::uint32_t victim = static_cast<std::uint32_t>(kill) % kServers;
    const std::uint32_t led = programs.LanesLedBy(victim);
    const double killed = Seconds();
    programs.KillServer(victim);
    away.push_back(AwaitPush(pushing, killed) - killed);
    const double started = Seconds();
    programs.StartServer(victim);
    programs.AwaitReplicas();
    const double synced = Seconds();
    in_sync.push_back(synced - started);
    const double back = LongestOf(pushing.Pushes(), started, synced);
    longest_back = std::max(longest_back, back);
    std::printf(
        "kill %d: %s, leads %u of %u lanes: %.3f s to the first push; started again, in "
        "sync %.3f s later, longest push meanwhile %.3f s\n",
        kill + 1, ProgramCluster::NameOf(victim).c_str(), led, kServers, away.back(),
        in_sync.back(), back);
    std::fflush(stdout);
  }
  pushing.End();

  const std::vector<PushTime> pushes = pushing.Pushes();
  std::vector<float> rows(keys.size() * kDim);
  Need(pushing.worker().Pull(table, keys, rows));
  const auto want = static_cast<float>(pushes.size());
  const bool is_exact = std::ranges::all_of(rows, [&](float value) { return value == want; });
  if (!is_exact) Fail("rows are not the sum of what was acknowledged");
  std::printf("%zu pushes of %zu keys acknowledged, every one of them once in every row\n",
              pushes.size(), keys.size());
  return {{"median_s", Quantile(away, 0.5)},
          {"in_sync_s", Quantile(in_sync, 0.5)},
          {"longest_push_back_s", longest_back},
          {"longest_s", std::ranges::max(away)}};
}

int Main(int argc, char** argv) {
  CLI::App app("How long a worker stands still when a server is killed");
  Options options;
  bool smoke = false;
  app.add_flag("--smoke", smoke, "one kill, no target: does it run?");
  app.add_option("--kills", options.kills, "servers to kill, one after another")
      ->check(CLI::Range(1, 1000));
  app.add_option("--rows", options.rows, "of the table, which who comes back gets")
      ->check(CLI::Range(1, 50'000'000));
  app.add_option("--most", options.at_most, "NAME=VALUE,…: figures at most so large")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  if (smoke) {
    options.kills = 1;
    options.rows = 10'000;
    options.at_most.clear();
  }
  PrintMachine();
  std::printf("%u servers of one lane, 2 replicas, %lu rows of dim %u, %d kills\n", kServers,
              options.rows, kDim, options.kills);
  return Report(Run(options), options.at_most, Bound::kMost) ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
