// How long a server with a log takes that is killed and started again.
//
//   restart_bench [--restarts 3] [--rows 1000000] [--pushes 20] [--log PLACE] [--most serves_s=9]
//
// One server of one lane, a process of the program, keeps a log: in files, or where --log says, in
// a namespace that nobody else uses and that is empty. A worker makes the rows and pushes gradients
// to all of them again and again. Then the server is killed with -9 and started again at once, some
// times; each time all rows must be the exact sum of what was acknowledged.
//
//   serves_s   from the start of the process until it serves. In Ceph that has the wait for the
//              lease of the process that was killed, which is the address's option lease.
//   reads_s    of that, to read the log and to do it again
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
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
constexpr std::size_t kAtOnce = 50'000;

struct Options {
  int restarts = 3;
  std::uint64_t rows = 1'000'000;
  int pushes = 20;
  std::string log;
  std::vector<std::string> at_most;
};

// What the server says of how long it read.
double SecondsRead(const std::string& said) {
  const std::string_view before = " seconds=";
  const std::size_t line = said.find("lane_recovered");
  const std::size_t at = said.find(before, std::min(line, said.size()));
  if (at == std::string::npos) Fail("the server does not say that it has its log: " + said);
  return std::stod(said.substr(at + before.size()));
}

Figures Run(const Options& options) {
  ProgramCluster programs({.logs = true, .log = options.log});
  const auto cluster = Need(Cluster::Remote({.coordinator = programs.address()}));
  // Whole numbers stay exact.
  const TableId table =
      Need(cluster->CreateTable({.name = "bench",
                                 .dim = kDim,
                                 .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
                                 .initializer = ConstantSpec{.value = 0}}));
  std::vector<Key> keys;
  for (std::uint64_t i = 0; i < options.rows; ++i) keys.push_back(KeyOfNumber(i));
  const auto worker = Need(cluster->Connect());
  const std::vector<float> gradients(kAtOnce * kDim, -1.0F);
  const double begin = Seconds();
  for (int push = 0; push < options.pushes; ++push) {
    for (std::size_t at = 0; at < keys.size(); at += kAtOnce) {
      const auto some = std::span(keys).subspan(at, std::min(kAtOnce, keys.size() - at));
      Need(worker->Push(table, some, std::span(gradients).first(some.size() * kDim)));
    }
  }
  const double pushed = static_cast<double>(options.rows) * options.pushes;
  const double bytes = pushed * (sizeof(Key) + sizeof(std::uint32_t) + kDim * sizeof(float));
  std::printf("%.1f M rows pushed in %.1f s, one push at a time: %.0f MiB of log and bases\n",
              pushed / 1e6, Seconds() - begin, bytes / (1 << 20));

  std::vector<double> serves;
  std::vector<double> reads;
  for (int restart = 0; restart < options.restarts; ++restart) {
    programs.KillServer(0);
    const double started = Seconds();
    programs.StartServer(0);
    serves.push_back(Seconds() - started);
    reads.push_back(SecondsRead(programs.SaidBy(0)));
    std::vector<float> rows(keys.size() * kDim);
    Need(worker->Pull(table, keys, rows));
    const auto want = static_cast<float>(options.pushes);
    if (!std::ranges::all_of(rows, [&](float value) { return value == want; })) {
      Fail("rows are not the sum of what was acknowledged");
    }
    std::printf("restart %d: serves after %.3f s, of which %.3f s read the log; all rows exact\n",
                restart + 1, serves.back(), reads.back());
    std::fflush(stdout);
  }
  return {{"serves_s", Quantile(serves, 0.5)}, {"reads_s", Quantile(reads, 0.5)}};
}

int Main(int argc, char** argv) {
  CLI::App app("How long a server with a log takes that is killed and started again");
  Options options;
  bool smoke = false;
  app.add_flag("--smoke", smoke, "one restart of a few rows: does it run?");
  app.add_option("--restarts", options.restarts, "of the server")->check(CLI::Range(1, 1000));
  app.add_option("--rows", options.rows, "of the table")->check(CLI::Range(1, 50'000'000));
  app.add_option("--pushes", options.pushes, "to each row")->check(CLI::Range(1, 10'000));
  app.add_option("--log", options.log, "a directory, or rados://POOL/NAMESPACE?...");
  app.add_option("--most", options.at_most, "NAME=VALUE,…: figures at most so large")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  if (smoke) {
    options.restarts = 1;
    options.rows = 1000;
    options.pushes = 2;
  }
  PrintMachine();
  return Report(Run(options), options.at_most, Bound::kMost) ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
