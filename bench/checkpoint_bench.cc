// What a checkpoint costs those who push meanwhile.
//
//   checkpoint_bench [--rows 3000000] [--batch 1000] [--compute-ms 0] [--rounds 3]
//                    [--check NAME=VALUE,…] [--most NAME=VALUE,…]
//
// One server of one lane, a process of the program with a store in files; a table of dim 16 with
// Adagrad's sums. A worker pushes batches of random keys, one after another; --compute-ms is how
// long it does nothing before each, as if for a step's model. In each round it does so for as long
// without a checkpoint as one takes, and while one is written. All share this machine's cores.
//
//   p99_over      99th percentile of a push during checkpoints, over that without
//   throughput    pushes a second during checkpoints, over those without
//   mib_per_s     of rows (16 bytes and their values), uncompressed, that a checkpoint writes
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

constexpr std::uint32_t kDim = 16;
constexpr std::size_t kRowBytes = 16 + 2 * kDim * sizeof(float);

struct Options {
  std::uint64_t rows = 3'000'000;
  std::size_t batch = 1000;
  int compute_ms = 0;
  int rounds = 3;
  std::vector<std::string> at_least;
  std::vector<std::string> at_most;
};

struct Stretch {
  std::vector<double> seconds;  // Of each push.
  double length = 0;
  std::size_t pushes = 0;

  void Add(const std::vector<PushTime>& pushes_then, double from, double until) {
    for (const PushTime& push : pushes_then) {
      if (push.end < from || push.begin > until) continue;
      seconds.push_back(push.end - push.begin);
      if (push.end <= until) ++pushes;
    }
    length += until - from;
  }
  double Rate() const { return static_cast<double>(pushes) / length; }
};

Figures Run(const Options& options) {
  ProgramCluster programs({.servers = 1, .workers = 2, .replicas = 1, .lanes = 1, .store = true});
  const auto cluster =
      Need(Cluster::Remote({.coordinator = programs.address(), .store = programs.store()}));
  const TableId table =
      Need(cluster->CreateTable({.name = "bench",
                                 .dim = kDim,
                                 .optimizer = {.rule = AdagradSpec{.learning_rate = 0.01F}},
                                 .initializer = NormalSpec{.mean = 0, .stddev = 0.1F}}));
  {
    std::vector<Key> all;
    for (std::uint64_t i = 0; i < options.rows; ++i) all.push_back(KeyOfNumber(i));
    FillRows(*Need(cluster->Connect()), table, all, kDim);
  }
  std::vector<std::vector<Key>> batches(64);
  Rng rng(1);
  for (std::vector<Key>& batch : batches) {
    while (batch.size() < options.batch) batch.push_back(KeyOfNumber(rng.Below(options.rows)));
    std::ranges::sort(batch);
    batch.erase(std::unique(batch.begin(), batch.end()), batch.end());
    batch.resize(std::min(batch.size(), options.batch * 9 / 10));
  }
  PushingThread pushing(Need(cluster->Connect()), table, batches, kDim,
                        {.depth = 1, .computes = absl::Milliseconds(options.compute_ms)});
  Stretch without;
  Stretch during;
  std::vector<double> took;
  for (int round = 0; round <= options.rounds; ++round) {
    const double begin = Seconds();
    Need(cluster->Checkpoint("round-" + std::to_string(round)));
    const double end = Seconds();
    absl::SleepFor(absl::Milliseconds(300));
    const double quiet = Seconds();
    absl::SleepFor(absl::Seconds(std::max(1.0, end - begin)));
    const double now = Seconds();
    if (round == 0) continue;  // Memory is touched for the first time.
    const std::vector<PushTime> pushes = pushing.Pushes();
    during.Add(pushes, begin, end);
    without.Add(pushes, quiet, now);
    took.push_back(end - begin);
  }
  pushing.End();

  const double bytes = static_cast<double>(options.rows * kRowBytes);
  std::printf(
      "without: %.0f pushes/s, p50 %.3f ms, p99 %.3f ms, longest %.1f ms\n"
      "during:  %.0f pushes/s, p50 %.3f ms, p99 %.3f ms, longest %.1f ms; a checkpoint of %.0f MiB "
      "of rows takes %.2f s\n",
      without.Rate(), Quantile(without.seconds, 0.5) * 1e3, Quantile(without.seconds, 0.99) * 1e3,
      Quantile(without.seconds, 1) * 1e3, during.Rate(), Quantile(during.seconds, 0.5) * 1e3,
      Quantile(during.seconds, 0.99) * 1e3, Quantile(during.seconds, 1) * 1e3, bytes / (1 << 20),
      Quantile(took, 0.5));
  return {{"mib_per_s", bytes / (1 << 20) / Quantile(took, 0.5)},
          {"throughput", during.Rate() / without.Rate()},
          {"p99_over", Quantile(during.seconds, 0.99) / Quantile(without.seconds, 0.99)}};
}

int Main(int argc, char** argv) {
  CLI::App app("What a checkpoint costs those who push meanwhile");
  Options options;
  bool smoke = false;
  app.add_flag("--smoke", smoke, "one round, small, no target: does it run?");
  app.add_option("--rows", options.rows)->check(CLI::Range(10'000, 100'000'000));
  app.add_option("--batch", options.batch, "keys of a push")->check(CLI::Range(10, 1'000'000));
  app.add_option("--compute-ms", options.compute_ms)->check(CLI::Range(0, 1000));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
  app.add_option("--check", options.at_least, "NAME=VALUE,…: figures at least so large")
      ->delimiter(',');
  app.add_option("--most", options.at_most, "NAME=VALUE,…: figures at most so large")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  if (smoke) {
    options.rows = 20'000;
    options.rounds = 1;
  }
  PrintMachine();
  std::printf("%lu rows of dim %u, pushes of %zu keys, %d ms between them, %d rounds\n",
              options.rows, kDim, options.batch * 9 / 10, options.compute_ms, options.rounds);
  const Figures figures = Run(options);
  const bool is_fast = Report(figures, options.at_least, Bound::kLeast);
  return Check(figures, options.at_most, Bound::kMost) && is_fast ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
