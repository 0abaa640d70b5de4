// What an incremental checkpoint costs, beside a full one.
//
//   increment_bench [--rows 1000000] [--changed 0.1] [--check NAME=VALUE,…] [--most NAME=VALUE,…]
//
// An embedded cluster of two lanes and 64 partitions over a directory; a table of dim 16 with
// Adagrad's sums, all of whose rows were pushed twice at random. A share of the rows changes
// between a full checkpoint and an increment on it, once for each format of an increment's values.
//
//   fp32, bf16, int8    bytes of the increment's own objects, over those of the full checkpoint
//   save, restore       seconds of the fp32 one, over those of a full one
//   push                CPU time of pushes while changes are remembered, over that before
#include <stdlib.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "bench/figures.h"
#include "bench/key_batches.h"
#include "bench/resident.h"
#include "longtail/cluster.h"

namespace longtail::bench {
namespace {

constexpr std::uint32_t kDim = 16;
constexpr std::size_t kBatch = 10'000;

struct Options {
  std::uint64_t rows = 1'000'000;
  double changed = 0.1;
  std::vector<std::string> at_least;
  std::vector<std::string> at_most;
};

class ScratchStore {
 public:
  ScratchStore() {
    std::string name = std::filesystem::temp_directory_path() / "increment_bench.XXXXXX";
    LONGTAIL_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ScratchStore() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// Of all threads.
double CpuSeconds() {
  rusage used{};
  LONGTAIL_CHECK(getrusage(RUSAGE_SELF, &used) == 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Pushes gradients to a share of the rows. CPU time of it.
double Push(Worker& worker, TableId table, std::uint64_t rows, double share, Rng& rng) {
  std::vector<Key> keys;
  std::vector<float> gradients;
  double seconds = 0;
  const auto push = [&] {
    gradients.resize(keys.size() * kDim);
    for (float& gradient : gradients) gradient = rng.Uniform(-1, 1);
    const double begin = CpuSeconds();
    LONGTAIL_CHECK(worker.Push(table, keys, gradients).ok());
    seconds += CpuSeconds() - begin;
    keys.clear();
  };
  for (std::uint64_t number = 0; number < rows; ++number) {
    if (share < 1 && rng.Uniform(0, 1) >= share) continue;
    keys.push_back(KeyOfNumber(number));
    if (keys.size() == kBatch) push();
  }
  if (!keys.empty()) push();
  return seconds;
}

double RestoreSeconds(const CheckpointName& name) {
  const double begin = Seconds();
  const auto cluster = Cluster::Restore({.lanes = 2}, name).value();
  return Seconds() - begin;
}

Figures Run(const Options& options) {
  const ScratchStore store;
  const auto cluster = Cluster::Embedded({.lanes = 2, .store = store.path()}).value();
  const TableId table =
      cluster
          ->CreateTable({.name = "bench",
                         .dim = kDim,
                         .optimizer = {.rule = AdagradSpec{.learning_rate = 0.01F}},
                         .initializer = NormalSpec{.mean = 0, .stddev = 0.1F}})
          .value();
  const auto worker = cluster->Connect().value();
  Rng rng(3);
  Push(*worker, table, options.rows, 1, rng);
  double before = 1e9;
  for (int i = 0; i < 5; ++i) before = std::min(before, Push(*worker, table, options.rows, 1, rng));
  Figures figures;
  int number = 0;
  const auto save = [&](WireValues values) {
    const double begin = Seconds();
    const CheckpointInfo info = cluster
                                    ->Checkpoint("c" + std::to_string(number++), {},
                                                 {.increments_max = 1, .values = values})
                                    .value();
    return std::pair(info, Seconds() - begin);
  };
  save(WireValues::kFloat32);  // The first that is written costs more than others.
  save(WireValues::kFloat32);
  for (const auto& [name, values] :
       {std::pair("fp32", WireValues::kFloat32), std::pair("bf16", WireValues::kBfloat16),
        std::pair("int8", WireValues::kInt8)}) {
    const auto [full, full_seconds] = save(values);
    Push(*worker, table, options.rows, options.changed, rng);
    const auto [increment, seconds] = save(values);
    LONGTAIL_CHECK(full.increments == 0);
    LONGTAIL_CHECK(increment.increments == 1);
    LONGTAIL_CHECK(increment.rows == full.rows);
    figures[name] = static_cast<double>(increment.own_bytes) / static_cast<double>(full.own_bytes);
    std::printf("%s: full %.1f MiB in %.2f s, increment %.1f MiB in %.2f s\n", name,
                static_cast<double>(full.own_bytes) / (1 << 20), full_seconds,
                static_cast<double>(increment.own_bytes) / (1 << 20), seconds);
    if (values != WireValues::kFloat32) continue;
    figures["save"] = seconds / full_seconds;
    figures["restore"] = RestoreSeconds(increment.name) / RestoreSeconds(full.name);
  }
  double after = 1e9;
  for (int i = 0; i < 5; ++i) after = std::min(after, Push(*worker, table, options.rows, 1, rng));
  figures["push"] = after / before;
  return figures;
}

int Main(int argc, char** argv) {
  CLI::App app("What an incremental checkpoint costs, beside a full one");
  Options options;
  bool smoke = false;
  app.add_flag("--smoke", smoke, "small, no target: does it run?");
  app.add_option("--rows", options.rows)->check(CLI::Range(10'000, 100'000'000));
  app.add_option("--changed", options.changed, "share of the rows that change")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--check", options.at_least, "NAME=VALUE,…: figures at least so large")
      ->delimiter(',');
  app.add_option("--most", options.at_most, "NAME=VALUE,…: figures at most so large")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  if (smoke) options.rows = 20'000;
  PrintMachine();
  std::printf("%lu rows of dim %u, of which %.0f %% change\n", options.rows, kDim,
              options.changed * 100);
  const Figures figures = Run(options);
  const bool is_fast = Report(figures, options.at_least, Bound::kLeast);
  return Check(figures, options.at_most, Bound::kMost) && is_fast ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
