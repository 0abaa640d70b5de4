// How fast a checkpoint in files is restored into a cluster of processes, beside the disk.
//
//   restore_bench [--rows 10000000] [--servers 2] [--lanes 1] [--rounds 3] [--rolls-back]
//                 [--check NAME=VALUE,…]
//
// Servers are processes of the program, of so many lanes each; the table has dim 16 and Adagrad's
// sums. Its checkpoint is written once. In each round it is restored into a new cluster, all of
// whose rows are counted then, and, by turns, all of its files are read past the page cache by as
// many threads as there are lanes, which is the store's limit. The files are out of the page cache
// before each. Servers and the process that restores share this machine's cores.
//
//   ours_mib, store_mib   MiB of the checkpoint's files a second
//   m_rows_per_s          millions of rows restored a second
//   ours/store            median of the rounds' ratios
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "bench/figures.h"
#include "bench/key_batches.h"
#include "bench/program_cluster.h"
#include "bench/resident.h"
#include "longtail/cluster.h"

namespace longtail::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kDim = 16;
constexpr double kMib = 1 << 20;
constexpr std::size_t kBatch = 50'000;
constexpr std::size_t kBlock = std::size_t{4} << 20;
constexpr std::size_t kAlignment = 4096;

struct Options {
  std::uint64_t rows = 10'000'000;
  std::uint32_t servers = 2;
  std::uint32_t lanes = 1;
  int rounds = 3;
  bool rolls_back = false;
  std::string directory;
  std::vector<std::string> checks;
};

std::vector<fs::path> FilesOf(const fs::path& checkpoint) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(checkpoint)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

void DropFromPageCache(const std::vector<fs::path>& files) {
  for (const fs::path& path : files) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) Fail("'" + path.string() + "' cannot be read");
    (void)::fdatasync(file);
    (void)::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

// Bytes of some of the files, read with O_DIRECT.
std::uint64_t ReadDirect(const std::vector<fs::path>& files, std::size_t first, std::size_t step) {
  const std::unique_ptr<char, void (*)(void*)> memory(
      static_cast<char*>(std::aligned_alloc(kAlignment, kBlock)), &std::free);
  std::uint64_t bytes = 0;
  for (std::size_t i = first; i < files.size(); i += step) {
    const int file = ::open(files[i].c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (file < 0) Fail("'" + files[i].string() + "' cannot be read with O_DIRECT");
    ssize_t n = 0;
    while ((n = ::read(file, memory.get(), kBlock)) > 0) bytes += static_cast<std::uint64_t>(n);
    ::close(file);
  }
  return bytes;
}

double StoreSeconds(const std::vector<fs::path>& files, std::size_t threads) {
  const double begin = Seconds();
  {
    std::vector<std::jthread> readers;
    for (std::size_t t = 0; t < threads; ++t) {
      readers.emplace_back([&files, t, threads] { (void)ReadDirect(files, t, threads); });
    }
  }
  return Seconds() - begin;
}

TableSpec Spec() {
  return {.name = "bench",
          .dim = kDim,
          .optimizer = {.rule = AdagradSpec{.learning_rate = 0.01F}},
          .initializer = NormalSpec{.mean = 0, .stddev = 0.1F}};
}

// Writes the checkpoint; the name of its directory.
fs::path Save(const Options& options, const std::string& store) {
  const ProgramCluster programs(
      {.servers = options.servers, .lanes = options.lanes, .store_place = store});
  const auto cluster =
      Need(Cluster::Remote({.coordinator = programs.address(), .store = programs.store()}));
  const TableId table = Need(cluster->CreateTable(Spec()));
  std::vector<Key> all;
  for (std::uint64_t i = 0; i < options.rows; ++i) all.push_back(KeyOfNumber(i));
  const auto worker = Need(cluster->Connect());
  Rng rng(1);
  std::vector<float> gradients(kBatch * kDim);
  for (std::span<const Key> left = all; !left.empty();) {
    const std::span<const Key> some = left.first(std::min(kBatch, left.size()));
    left = left.subspan(some.size());
    for (float& gradient : gradients) gradient = rng.Uniform(-1, 1);
    Need(worker->Push(table, some, std::span(gradients).first(some.size() * kDim)));
  }
  Need(cluster->Checkpoint("whole"));
  return fs::path(store) / "whole";
}

// Seconds of a restore into a new cluster.
double RestoreSeconds(const Options& options, const std::string& store) {
  const ProgramCluster programs(
      {.servers = options.servers, .lanes = options.lanes, .store_place = store});
  const auto cluster =
      Need(Cluster::Remote({.coordinator = programs.address(), .store = programs.store()}));
  const double begin = Seconds();
  if (options.rolls_back) {
    Need(cluster->CreateTable(Spec()));
    Need(cluster->RollBack("whole"));
  } else {
    Need(cluster->Load({.store = store, .name = "whole"}));
  }
  const double seconds = Seconds() - begin;
  const std::uint64_t rows = Need(cluster->Statistics(Need(cluster->FindTable("bench")))).rows;
  if (rows != options.rows) Fail(std::to_string(rows) + " rows are there after the restore");
  return seconds;
}

Figures Run(const Options& options, const std::string& store) {
  const std::vector<fs::path> files = FilesOf(Save(options, store));
  double mib = 0;
  for (const fs::path& file : files) mib += static_cast<double>(fs::file_size(file)) / kMib;
  std::vector<double> ours;
  std::vector<double> limits;
  std::vector<double> ratios;
  for (int round = 1; round <= options.rounds; ++round) {
    DropFromPageCache(files);
    ours.push_back(RestoreSeconds(options, store));
    DropFromPageCache(files);
    limits.push_back(StoreSeconds(files, options.servers * options.lanes));
    ratios.push_back(limits.back() / ours.back());
    std::printf("round %d: %.0f MiB restored in %.2f s, read in %.2f s\n", round, mib, ours.back(),
                limits.back());
    std::fflush(stdout);
  }
  return {{"ours_mib", mib / Quantile(ours, 0.5)},
          {"store_mib", mib / Quantile(limits, 0.5)},
          {"m_rows_per_s", 1e-6 * static_cast<double>(options.rows) / Quantile(ours, 0.5)},
          {"ours/store", Quantile(ratios, 0.5)}};
}

int Main(int argc, char** argv) {
  CLI::App app("How fast a checkpoint is restored, beside the disk");
  Options options;
  bool is_smoke = false;
  app.add_flag("--smoke", is_smoke, "one round, small: does it run?");
  app.add_option("--rows", options.rows)->check(CLI::Range(1'000, 100'000'000));
  app.add_option("--servers", options.servers)->check(CLI::Range(1, 8));
  app.add_option("--lanes", options.lanes, "of each server")->check(CLI::Range(1, 16));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
  app.add_flag("--rolls-back", options.rolls_back, "into an empty table, by Cluster::RollBack");
  app.add_option("--dir", options.directory, "where; a new directory in this one if not given");
  app.add_option("--check", options.checks, "NAME=VALUE,…: figures at least so large")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  if (is_smoke) {
    options.rows = 20'000;
    options.rounds = 1;
  }
  PrintMachine();
  std::printf("%lu rows of dim %u with Adagrad's sums, %u servers of %u lanes, %d rounds\n",
              options.rows, kDim, options.servers, options.lanes, options.rounds);
  const fs::path place = fs::absolute(options.directory.empty() ? "." : options.directory) /
                         ("restore_bench." + std::to_string(::getpid()));
  fs::create_directories(place);
  const Figures figures = Run(options, (place / "store").string());
  fs::remove_all(place);
  return Report(figures, options.checks, Bound::kLeast) ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
