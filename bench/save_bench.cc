// How fast a checkpoint is written to files, beside the disk's own speed and torch.save.
//
//   save_bench [--rows 3000000] [--lanes 2] [--rounds 5] [--dir DIRECTORY] [--python python3]
//              [--check NAME=VALUE,…]
//
// An embedded cluster with a table of dim 16 with Adagrad's sums, whose weights and sums are noise,
// saves itself whole; nobody trains meanwhile. By turns in each round: the same bytes (a key, its
// count and the values of each row) in one file by io_uring with O_DIRECT, eight writes of 1 MiB in
// flight, synced; and torch.save of the rows' keys and values, by the Python given, which leaves
// them in the page cache, and with them synced. Without a Python that has torch that is left out,
// as is io_uring where the system refuses it (containers do): a check of it is not met then.
//
//   ours_mib, uring_mib, torch_mib, torch_synced_mib   MiB of rows a second, before compression
//   cpu_s_per_gib                                      CPU seconds of ours for a GiB of them
//   ours/uring, ours/torch, ours/torch_synced          medians of the rounds' ratios
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/figures.h"
#include "bench/key_batches.h"
#include "bench/resident.h"
#include "bench/torch_save.h"
#include "bench/uring_writer.h"
#include "longtail/cluster.h"

namespace longtail::bench {
namespace {

constexpr std::uint32_t kDim = 16;
constexpr std::size_t kValues = 2 * kDim;
constexpr std::size_t kRowBytes = 16 + kValues * sizeof(float);
constexpr std::size_t kBatch = 50'000;
constexpr double kMib = 1 << 20;

struct Options {
  std::uint64_t rows = 3'000'000;
  std::uint32_t lanes = 2;
  int rounds = 5;
  std::string directory;
  std::string python = "python3";
  std::vector<std::string> checks;
};

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "save_bench: %s\n", why.c_str());
  std::exit(2);
}

template <typename T>
T Need(absl::StatusOr<T> result) {
  if (!result.ok()) Fail(result.status().ToString());
  return *std::move(result);
}

// Of all threads.
double CpuSeconds() {
  rusage used{};
  (void)getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void Fill(Cluster& cluster, std::uint64_t rows) {
  const TableId table =
      Need(cluster.CreateTable({.name = "bench",
                                .dim = kDim,
                                .optimizer = {.rule = AdagradSpec{.learning_rate = 0.01F}},
                                .initializer = NormalSpec{.mean = 0, .stddev = 0.1F}}));
  const auto worker = Need(cluster.Connect());
  Rng rng(1);
  std::vector<Key> keys;
  for (std::uint64_t number = 0; number < rows;) {
    keys.clear();
    while (keys.size() < kBatch && number < rows) keys.push_back(KeyOfNumber(number++));
    std::vector<float> gradients(keys.size() * kDim);
    for (float& gradient : gradients) gradient = rng.Uniform(-1, 1);
    if (const absl::Status pushed = worker->Push(table, keys, gradients); !pushed.ok()) {
      Fail(pushed.ToString());
    }
  }
}

Figures Run(const Options& options, const std::filesystem::path& place) {
  const auto cluster = Need(Cluster::Embedded(
      {.lanes = options.lanes, .partitions = 16, .store = (place / "store").string()}));
  Fill(*cluster, options.rows);
  const double mib = static_cast<double>(options.rows * kRowBytes) / kMib;
  const auto torch =
      TorchSave::Start(options.python, options.rows, kValues, (place / "rows.pt").string());
  if (torch == nullptr)
    std::printf("torch.save is left out: no torch in %s\n", options.python.c_str());

  std::map<std::string, std::vector<double>> all;
  for (int round = 0; round <= options.rounds; ++round) {
    std::map<std::string, double> rates;
    const double cpu = CpuSeconds();
    const double begin = Seconds();
    const CheckpointInfo saved = Need(cluster->Checkpoint("round-" + std::to_string(round)));
    rates["ours_mib"] = mib / (Seconds() - begin);
    rates["cpu_s_per_gib"] = (CpuSeconds() - cpu) / mib * 1024;
    std::filesystem::remove_all(place / "store" / saved.name.name);
    std::string why;
    const double uring = WriteByUring(place / "uring", static_cast<std::size_t>(mib * kMib), why);
    std::filesystem::remove(place / "uring");
    if (uring > 0) {
      rates["uring_mib"] = mib / uring;
      rates["ours/uring"] = rates["ours_mib"] / rates["uring_mib"];
    } else if (round == 0) {
      std::printf("io_uring is left out: %s\n", why.c_str());
    }
    if (torch != nullptr) {
      const TorchSave::Times times = torch->Save();
      if (times.saved <= 0) Fail("torch.save ended");
      rates["torch_mib"] = mib / times.saved;
      rates["torch_synced_mib"] = mib / times.synced;
      rates["ours/torch"] = rates["ours_mib"] / rates["torch_mib"];
      rates["ours/torch_synced"] = rates["ours_mib"] / rates["torch_synced_mib"];
    }
    if (round == 0) continue;  // Memory is touched for the first time.
    for (const auto& [name, rate] : rates) all[name].push_back(rate);
    std::printf("round %d: ours %.0f MiB/s, %.0f MiB stored for %.0f", round, rates["ours_mib"],
                static_cast<double>(saved.bytes) / kMib, mib);
    if (uring > 0) std::printf("; io_uring %.0f", rates["uring_mib"]);
    if (torch != nullptr) {
      std::printf("; torch.save %.0f, synced %.0f", rates["torch_mib"], rates["torch_synced_mib"]);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  Figures figures;
  for (const auto& [name, rates] : all) figures[name] = Quantile(rates, 0.5);
  return figures;
}

int Main(int argc, char** argv) {
  CLI::App app("How fast a checkpoint is written, beside the disk and torch.save");
  Options options;
  bool is_smoke = false;
  app.add_flag("--smoke", is_smoke, "one round, small: does it run?");
  app.add_option("--rows", options.rows)->check(CLI::Range(1'000, 100'000'000));
  app.add_option("--lanes", options.lanes)->check(CLI::Range(1, 16));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
  app.add_option("--dir", options.directory, "where; a new directory in this one if not given");
  app.add_option("--python", options.python, "a Python with torch");
  app.add_option("--check", options.checks, "NAME=VALUE,…: figures at least so large")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  if (is_smoke) {
    options.rows = 30'000;
    options.rounds = 1;
  }
  PrintMachine();
  if (options.directory.empty()) options.directory = ".";
  const std::filesystem::path place =
      std::filesystem::path(options.directory) / ("save_bench." + std::to_string(::getpid()));
  std::filesystem::create_directories(place);
  std::printf("%lu rows of dim %u with Adagrad's sums, %u lanes, %d rounds\n", options.rows, kDim,
              options.lanes, options.rounds);
  const Figures figures = Run(options, place);
  std::filesystem::remove_all(place);
  return Report(figures, options.checks, Bound::kLeast) ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
