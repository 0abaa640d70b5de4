// How long a push takes to be seen by who serves: from the call of a push to the first pull of a
// reader that shows it.
//
//   reader_bench [--pushes 1000] [--rows 1000000] [--most p99_s=1]
//
// Two servers of one lane each, two replicas, and one that only reads, processes of the program.
// One worker pushes 4,000 keys of a table of dim 16 at a time, one push after another, as fast as
// it can. Another pushes one key again and again; after each push a reader, a third, pulls that key
// until it shows it. Its time is from before the push was made, so it has the push, the way to the
// reading server and the polling in it.
//
// Exits with 0 only if the 99th percentile of these times is at most a second (--most).
#include <CLI/CLI.hpp>
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
constexpr std::size_t kBatch = 4000;

struct Options {
  std::uint32_t pushes = 1000;
  std::uint64_t rows = 1'000'000;
  std::vector<std::string> at_most = {"p99_s=1"};
};

Figures Run(const Options& options) {
  ProgramCluster programs({.servers = 2, .workers = 2, .replicas = 2});
  const auto cluster = Need(Cluster::Remote({.coordinator = programs.address()}));
  const TableId table =
      Need(cluster->CreateTable({.name = "bench",
                                 .dim = kDim,
                                 .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
                                 .initializer = ConstantSpec{.value = 0}}));
  std::vector<Key> all;
  for (std::uint64_t i = 0; i < options.rows; ++i) all.push_back(KeyOfNumber(i));
  const auto worker = Need(cluster->Connect());
  FillRows(*worker, table, all, kDim);
  programs.StartReader();
  const auto serving = Need(Cluster::Remote({.coordinator = programs.address()}));
  const auto reader = Need(serving->ConnectReader());

  std::vector<std::vector<Key>> batches;
  for (std::size_t at = 0; batches.size() < 16; at = (at + kBatch) % (all.size() - kBatch)) {
    batches.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(at),
                         all.begin() + static_cast<std::ptrdiff_t>(at + kBatch));
  }
  PushingThread pushing(Need(cluster->Connect()), table, batches, kDim, {});
  const std::vector<Key> key = {KeyOfNumber(options.rows)};  // Of nobody else.
  const std::vector<float> gradient(kDim, -1);
  std::vector<float> row(kDim);
  std::vector<double> times;
  for (std::uint32_t i = 1; i <= options.pushes; ++i) {
    const double begin = Seconds();
    Need(worker->Push(table, key, gradient));
    do {
      Need(reader->Pull(table, key, row));
    } while (row[0] < static_cast<float>(i) && Seconds() < begin + 60);
    if (row[0] != static_cast<float>(i)) Fail("a push is not seen within 60 s");
    times.push_back(Seconds() - begin);
  }
  pushing.End();
  const std::vector<PushTime> pushes = pushing.Pushes();
  std::printf("%zu pushes of %zu keys meanwhile\n", pushes.size(), kBatch);
  return {{"median_s", Quantile(times, 0.5)},
          {"p99_s", Quantile(times, 0.99)},
          {"longest_s", std::ranges::max(times)}};
}

int Main(int argc, char** argv) {
  CLI::App app("How long a push takes to be seen by who serves");
  Options options;
  bool smoke = false;
  app.add_flag("--smoke", smoke, "a few pushes, no target: does it run?");
  app.add_option("--pushes", options.pushes, "that are awaited")->check(CLI::Range(10, 1'000'000));
  app.add_option("--rows", options.rows, "of the table")->check(CLI::Range(10'000, 50'000'000));
  app.add_option("--most", options.at_most, "NAME=VALUE,…: figures at most so large")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  if (smoke) {
    options.pushes = 10;
    options.rows = 10'000;
    options.at_most.clear();
  }
  PrintMachine();
  std::printf("2 servers of one lane, 2 replicas, 1 that reads, %lu rows of dim %u, %u pushes\n",
              options.rows, kDim, options.pushes);
  return Report(Run(options), options.at_most, Bound::kMost) ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
