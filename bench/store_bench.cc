// How fast checkpoints are written: blobs of a store beside what its medium does by itself.
//
//   store_bench [--store DIRECTORY|rados://POOL/NAMESPACE?...] [--lanes 2] [--blob-mib 32]
//
// Ours: each lane writes blobs one after another through the store, as a cluster's lanes write the
// chunks of a checkpoint; each is checksummed and durable before the next. Beside it, by turns in
// each round: for a directory, as many threads that write files of that size with O_DIRECT and sync
// them; in Ceph, `rados bench` on the same pool with objects of the store's size, as many under way
// as ours. All that was written is removed. --check NAME=VALUE,... makes the exit status say
// whether each named figure is at least the value.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/figures.h"
#include "io/open_store.h"
#include "io/rados_address.h"
#include "io/rados_store.h"
#include "io/store_address.h"

namespace longtail::bench {
namespace {

constexpr std::size_t kMib = std::size_t{1} << 20;
constexpr std::size_t kDirectAlignment = 4096;
constexpr std::size_t kDirectBlock = 4 * kMib;

struct Options {
  std::string store;
  std::size_t lanes = 2;
  std::size_t blob_mib = 32;
  double seconds = 4;
  int rounds = 5;
  std::vector<std::string> checks;
};

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "store_bench: %s\n", why.c_str());
  std::exit(2);
}

// Bytes a second of `lanes` threads that each call `write(lane, number)` for that long.
template <typename Write>
double Rate(const Options& options, Write write) {
  std::atomic<std::size_t> blobs = 0;
  const double begin = Seconds();
  {
    std::vector<std::jthread> threads;
    for (std::size_t lane = 0; lane < options.lanes; ++lane) {
      threads.emplace_back([&, lane] {
        for (std::size_t number = 0; Seconds() - begin < options.seconds; ++number) {
          write(lane, number);
          ++blobs;
        }
      });
    }
  }
  return static_cast<double>(blobs * options.blob_mib * kMib) / (Seconds() - begin);
}

// A few names are written again and again, so that the pool need not hold much.
std::string NameOf(std::size_t lane, std::size_t number) {
  return "bench/lane-" + std::to_string(lane) + "-" + std::to_string(number % 4);
}

double OursRate(const Options& options, BlobStore& store, const std::string& blob) {
  const double rate = Rate(options, [&](std::size_t lane, std::size_t number) {
    const absl::Status written = store.Write(NameOf(lane, number), blob);
    if (!written.ok()) Fail(written.ToString());
  });
  const auto names = store.List("bench/");
  if (!names.ok()) Fail(names.status().ToString());
  for (const std::string& name : *names) {
    if (const absl::Status removed = store.Remove(name); !removed.ok()) Fail(removed.ToString());
  }
  return rate;
}

double DirectRate(const Options& options, const std::string& directory, const std::string& blob) {
  const std::unique_ptr<char, void (*)(void*)> aligned(
      static_cast<char*>(std::aligned_alloc(kDirectAlignment, blob.size())), &std::free);
  std::copy(blob.begin(), blob.end(), aligned.get());
  const std::filesystem::path place = std::filesystem::path(directory) / "direct";
  std::filesystem::create_directories(place / "bench");
  const double rate = Rate(options, [&](std::size_t lane, std::size_t number) {
    const std::string path = place / NameOf(lane, number);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT, 0600);
    bool is_written = file >= 0;
    for (std::size_t at = 0; is_written && at < blob.size(); at += kDirectBlock) {
      const std::size_t size = std::min(kDirectBlock, blob.size() - at);
      is_written = ::write(file, aligned.get() + at, size) == static_cast<ssize_t>(size);
    }
    if (!is_written || ::fsync(file) != 0) Fail("'" + path + "' cannot be written with O_DIRECT");
    ::close(file);
  });
  std::filesystem::remove_all(place);
  return rate;
}

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

double RadosBenchRate(const Options& options) {
  const absl::StatusOr<RadosAddress> address = ParseRadosAddress(options.store);
  if (!address.ok()) Fail(address.status().ToString());
  std::string command = "rados --id " + Quoted(address->user) + " -p " + Quoted(address->pool);
  if (!address->conf.empty()) command += " -c " + Quoted(address->conf);
  if (!address->monitors.empty()) command += " -m " + Quoted(address->monitors);
  if (!address->keyring.empty()) command += " --keyring " + Quoted(address->keyring);
  if (!address->key_file.empty()) command += " --keyfile " + Quoted(address->key_file);
  if (!address->name_space.empty()) command += " -N " + Quoted(address->name_space);
  const std::size_t under_way = options.lanes * kRadosOperationsMax;
  command += " bench " + std::to_string(static_cast<int>(options.seconds)) + " write -b " +
             std::to_string(kRadosPartBytes) + " -t " + std::to_string(under_way);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(::popen(command.c_str(), "r"),
                                                               &::pclose);
  if (output == nullptr) Fail("'" + command + "' cannot be started");
  const std::string label = "Bandwidth (MB/sec):";
  double mebibytes = 0;
  for (char line[512]; std::fgets(line, sizeof(line), output.get()) != nullptr;) {
    const std::string text(line);
    if (text.starts_with(label)) mebibytes = std::stod(text.substr(label.size()));
  }
  if (mebibytes <= 0) Fail("'" + command + "' names no bandwidth");
  return mebibytes * static_cast<double>(kMib);  // What it calls MB.
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int Main(int argc, char** argv) {
  Options options;
  bool is_smoke = false;
  CLI::App app("Writes of checkpoints to a store, beside its medium.");
  app.add_option("--store", options.store, "A directory (here, if not given) or rados://...");
  app.add_option("--lanes", options.lanes, "Threads that write")->capture_default_str();
  app.add_option("--blob-mib", options.blob_mib, "Size of a blob")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Of each part of a round")->capture_default_str();
  app.add_option("--rounds", options.rounds, "Of which the median counts")->capture_default_str();
  app.add_option("--check", options.checks, "NAME=VALUE: at least")->delimiter(',');
  app.add_flag("--smoke", is_smoke, "Small, in a directory");
  CLI11_PARSE(app, argc, argv);
  const std::string directory = "store_bench." + std::to_string(::getpid());
  if (is_smoke) {
    options.rounds = 1;
    options.seconds = 0.2;
    options.blob_mib = 4;
  }
  const bool is_own = options.store.empty();
  if (is_own) options.store = directory;

  const auto store = OpenStore(options.store);
  if (!store.ok()) Fail(store.status().ToString());
  const absl::StatusOr<StoreAddress> address = ParseStoreAddress(options.store);
  const bool is_file = address->scheme == "file";
  // No byte repeats so soon that something on the way could make the blob smaller.
  std::string blob(options.blob_mib * kMib, '\0');
  std::uint64_t state = 1;
  for (char& byte : blob) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>(state >> 56);
  }
  std::vector<double> ours;
  std::vector<double> medium;
  std::vector<double> ratios;
  for (int round = 0; round < options.rounds; ++round) {
    ours.push_back(OursRate(options, **store, blob));
    medium.push_back(is_file ? DirectRate(options, address->place, blob) : RadosBenchRate(options));
    ratios.push_back(ours.back() / medium.back());
    std::printf("round %d: ours %.0f MiB/s, %s %.0f MiB/s, ratio %.2f\n", round + 1,
                ours.back() / kMib, is_file ? "O_DIRECT" : "rados bench", medium.back() / kMib,
                ratios.back());
  }
  if (is_own) std::filesystem::remove_all(directory);
  const Figures figures{{"ours_mib", Median(ours) / kMib},
                        {"medium_mib", Median(medium) / kMib},
                        {"ours/medium", Median(ratios)}};
  return Report(figures, options.checks, Bound::kLeast) ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
