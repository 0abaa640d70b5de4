// The table beside other stores and the limit that memory sets.
//
//   table_bench speed  [--rows --dim --threads --zipf --batches]  ours and each rival, in turn
//   table_bench memory [--rows --dim]     bytes a row over a cycle of growth, and the peak
//   table_bench latency [--rows --dim --per-second]  1,000-key pushes while the table grows, as
//                                         fast as it can or so many a second
//
// --check NAME=VALUE,… makes the exit status say whether each named figure is at least (speed) or
// at most (memory, latency) the value. Rivals are measured batch by batch in turn with ours, so
// that what else the machine does falls on both; figures are medians over batches.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/figures.h"
#include "bench/key_batches.h"
#include "bench/resident.h"
#include "bench/stores.h"

namespace longtail::bench {
namespace {

constexpr std::size_t kBatch = 10'000;

struct Options {
  std::uint64_t rows = 10'000'000;
  std::size_t dim = 16;
  unsigned threads = 1;
  bool zipf = false;
  std::size_t batches = 60;
  bool all_rivals = true;
  double per_second = 0;
  std::vector<std::string> checks;
};

// Seconds of each batch of one thread.
struct Times {
  std::vector<double> lookup;
  std::vector<double> update;
  double insert = 0;  // Seconds for all rows.
  std::uint64_t resident = 0;

  double LookupRate() const { return kBatch / Quantile(lookup, 0.5) / 1e6; }
  double UpdateRate() const { return kBatch / Quantile(update, 0.5) / 1e6; }
};

template <typename Store>
std::unique_ptr<Store> Build(std::uint64_t rows, std::size_t dim, bool by_number, Times& times) {
  const std::uint64_t before = ResidentBytes();
  auto store = std::make_unique<Store>(rows, dim);
  std::vector<Key> keys;
  for (std::uint64_t at = 0; at < rows; at += kBatch) {
    keys.clear();
    for (std::uint64_t i = at; i < std::min(rows, at + kBatch); ++i) {
      keys.push_back(by_number ? i : KeyOfNumber(i));
    }
    const double start = Seconds();
    store->Insert(keys);
    times.insert += Seconds() - start;
  }
  const std::uint64_t after = ResidentBytes();
  times.resident = after > before ? after - before : 0;
  return store;
}

// One batch: a lookup of these keys and an update of the next ones, so that neither finds the
// other's rows in the cache.
class Turn {
 public:
  Turn(std::uint64_t rows, std::size_t dim, KeyLaw law, std::uint64_t seed)
      : batches_(rows, kBatch, law, seed), out_(kBatch * dim), gradients_(kBatch * dim, 0.01F) {}

  template <typename Store>
  void Run(Store& store, bool by_number, Times& times) {
    batches_.Next();
    double start = Seconds();
    store.Lookup(by_number ? batches_.numbers() : batches_.keys(), out_.data());
    times.lookup.push_back(Seconds() - start);
    batches_.Next();
    start = Seconds();
    store.Update(by_number ? batches_.numbers() : batches_.keys(), gradients_.data());
    times.update.push_back(Seconds() - start);
  }

 private:
  KeyBatches batches_;
  std::vector<float> out_;
  std::vector<float> gradients_;
};

struct Comparison {
  Times direct;
  Times ours;
  Times rival;
};

// One thread's stores: direct and ours stay, rivals come and go.
class Bench {
 public:
  Bench(const Options& options, unsigned thread)
      : rows_(options.rows / options.threads),
        dim_(options.dim),
        batches_(options.batches),
        turn_(rows_, dim_, options.zipf ? KeyLaw::kZipf : KeyLaw::kUniform, thread + 1) {
    direct_ = Build<Direct>(rows_, dim_, true, built_.direct);
    ours_ = Build<Longtail>(rows_, dim_, false, built_.ours);
    Times unread;  // At rest; what growth costs is measured by `latency` and `insert`.
    while (ours_->table().is_growing()) turn_.Run(*ours_, false, unread);
  }

  template <typename Rival>
  Comparison Against() {
    Comparison result = built_;
    const auto rival = Build<Rival>(rows_, dim_, false, result.rival);
    for (std::size_t i = 0; i < batches_; ++i) {
      turn_.Run(*direct_, true, result.direct);
      turn_.Run(*ours_, false, result.ours);
      turn_.Run(*rival, false, result.rival);
    }
    return result;
  }

 private:
  std::uint64_t rows_;
  std::size_t dim_;
  std::size_t batches_;
  Turn turn_;
  Comparison built_;
  std::unique_ptr<Direct> direct_;
  std::unique_ptr<Longtail> ours_;
};

class Speed {
 public:
  explicit Speed(const Options& options) : options_(options) {
    benches_.resize(options.threads);
    InThreads([&](unsigned t) { benches_[t] = std::make_unique<Bench>(options, t); });
  }

  template <typename Rival>
  void Against() {
    std::vector<Comparison> parts(options_.threads);
    InThreads([&](unsigned t) { parts[t] = benches_[t]->Against<Rival>(); });
    double lookup[3] = {};
    double update[3] = {};
    double insert[2] = {};
    for (const Comparison& part : parts) {
      const Times* times[3] = {&part.direct, &part.ours, &part.rival};
      for (int i = 0; i < 3; ++i) {
        lookup[i] += times[i]->LookupRate();
        update[i] += times[i]->UpdateRate();
      }
      const double rows = static_cast<double>(options_.rows / options_.threads) / 1e6;
      insert[0] += rows / part.ours.insert;
      insert[1] += rows / part.rival.insert;
    }
    std::printf(
        "%-15s lookup %6.1f M rows/s (direct %6.1f, ours %6.1f)  update %6.1f (%6.1f, %6.1f)"
        "  insert %5.2f (ours %5.2f)  %6.1f B/row\n",
        Rival::kName, lookup[2], lookup[0], lookup[1], update[2], update[0], update[1], insert[1],
        insert[0],
        static_cast<double>(parts[0].rival.resident) /
            static_cast<double>(options_.rows / options_.threads));
    const std::string name = Rival::kName;
    figures_["lookup/" + name] = lookup[1] / lookup[2];
    figures_["update/" + name] = update[1] / update[2];
    figures_["insert/" + name] = insert[0] / insert[1];
    lookup_shares_.push_back(lookup[1] / lookup[0]);
    update_shares_.push_back(update[1] / update[0]);
  }

  bool Finish() {
    const auto least = [&](const std::string& prefix) {
      double best = 1e9;
      for (const auto& [name, value] : figures_) {
        if (name.starts_with(prefix)) best = std::min(best, value);
      }
      return best;
    };
    const double lookup = least("lookup/");
    const double update = least("update/");
    figures_["lookup/best"] = lookup;
    figures_["update/best"] = update;
    figures_["lookup/direct"] = Quantile(lookup_shares_, 0.5);
    figures_["update/direct"] = Quantile(update_shares_, 0.5);
    std::printf("ours over the others, medians:\n");
    return Report(figures_, options_.checks, Bound::kLeast);
  }

 private:
  template <typename Job>
  void InThreads(Job&& job) {
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < options_.threads; ++t) threads.emplace_back([&, t] { job(t); });
    for (std::thread& thread : threads) thread.join();
  }

  Options options_;
  std::vector<std::unique_ptr<Bench>> benches_;
  Figures figures_;
  std::vector<double> lookup_shares_;
  std::vector<double> update_shares_;
};

bool RunSpeed(const Options& options) {
  Speed speed(options);
  speed.Against<AbslPrefetched>();
  if (options.all_rivals) {
    speed.Against<DenseHashMap>();
    speed.Against<UnorderedMap>();
    if (options.dim == 16) speed.Against<Cuckoo<16>>();
    if (options.dim == 64) speed.Against<Cuckoo<64>>();
  }
  return speed.Finish();
}

// Over the last quarter of the growth, which is one cycle of the index: what a row costs beyond its
// weights and state, by the resident memory of the process.
bool RunMemory(const Options& options) {
  Longtail store(options.rows, options.dim);
  std::vector<Key> keys;
  for (std::uint64_t i = 0; i < kBatch; ++i) keys.push_back(KeyOfNumber(i));
  store.Insert(keys);  // With it what the benchmark itself needs.
  const std::uint64_t before = ResidentBytes();
  std::vector<double> overheads;
  std::uint64_t peak = 0;
  const auto payload = static_cast<double>(2 * options.dim * sizeof(float));
  for (std::uint64_t at = kBatch; at < options.rows; at += kBatch) {
    keys.clear();
    for (std::uint64_t i = at; i < std::min(options.rows, at + kBatch); ++i) {
      keys.push_back(KeyOfNumber(i));
    }
    store.Insert(keys);
    const std::uint64_t resident = ResidentBytes() - before;
    peak = std::max(peak, resident);
    const auto rows = static_cast<double>(at - kBatch + keys.size());
    if (rows * 1.25 >= static_cast<double>(options.rows)) {
      overheads.push_back(static_cast<double>(resident) / rows - payload);
    }
  }
  double sum = 0;
  for (const double overhead : overheads) sum += overhead;
  const auto last = static_cast<double>(ResidentBytes() - before);
  const Figures figures = {
      {"overhead_average", sum / static_cast<double>(overheads.size())},
      {"overhead_worst", *std::max_element(overheads.begin(), overheads.end())},
      {"peak_over_final", static_cast<double>(peak) / last}};
  std::printf("bytes a row beyond weights and state, over a cycle of growth:\n");
  return Report(figures, options.checks, Bound::kMost);
}

bool RunLatency(const Options& options) {
  constexpr std::uint64_t kRequest = 1000;
  Longtail store(options.rows, options.dim);
  std::vector<Key> keys;
  std::vector<double> times;
  std::vector<float> gradients(kRequest * options.dim, 0.01F);
  const std::uint64_t first = std::min<std::uint64_t>(1'000'000, options.rows / 2);
  double next = Seconds();
  for (std::uint64_t at = 0; at + kRequest <= options.rows; at += kRequest) {
    keys.clear();
    for (std::uint64_t i = at; i < at + kRequest; ++i) keys.push_back(KeyOfNumber(i));
    if (options.per_second > 0) {
      next = std::max(next + 1.0 / options.per_second, Seconds());
      std::this_thread::sleep_for(std::chrono::duration<double>(next - Seconds()));
    }
    const double start = Seconds();
    store.Update(keys, gradients.data());
    if (at >= first) times.push_back(Seconds() - start);
  }
  const double median = Quantile(times, 0.5);
  std::printf(
      "pushes of 1,000 new keys, %zu of them: median %.1f us, p99 %.1f, p99.9 %.1f, "
      "longest %.1f\n",
      times.size(), median * 1e6, Quantile(times, 0.99) * 1e6, Quantile(times, 0.999) * 1e6,
      Quantile(times, 1) * 1e6);
  const Figures figures = {{"p999_over_median", Quantile(times, 0.999) / median}};
  return Report(figures, options.checks, Bound::kMost);
}

int Main(int argc, char** argv) {
  CLI::App app{"The table beside other stores"};
  app.fallthrough();
  Options options;
  app.add_option("--rows", options.rows)->check(CLI::Range(20'000ULL, 60'000'000ULL));
  app.add_option("--dim", options.dim)->check(CLI::Range(1, 4096));
  app.add_option("--check", options.checks)->delimiter(',');
  CLI::App* speed = app.add_subcommand("speed");
  speed->add_option("--threads", options.threads)->check(CLI::Range(1, 64));
  speed->add_flag("--zipf", options.zipf);
  speed->add_option("--batches", options.batches)->check(CLI::Range(1, 100'000));
  speed->add_flag("!--absl-only", options.all_rivals, "of the rivals only absl+prefetch");
  app.add_subcommand("memory");
  CLI::App* latency = app.add_subcommand("latency");
  latency->add_option("--per-second", options.per_second)->check(CLI::Range(1, 100'000));
  bool is_smoke = false;
  app.add_flag("--smoke", is_smoke, "everything once, small");
  CLI11_PARSE(app, argc, argv);
  if (is_smoke) {
    options.rows = 100'000;
    options.batches = 3;
    return RunSpeed(options) && RunMemory(options) && RunLatency(options) ? 0 : 1;
  }
  std::printf(
      "%llu rows of dim %zu, fp32 weights and Adagrad sums, batches of %zu, %s, %u thread%s, "
      "%s\n",
      static_cast<unsigned long long>(options.rows), options.dim, kBatch,
      options.zipf ? "Zipf 1.05" : "uniform", options.threads, options.threads == 1 ? "" : "s",
      Machine().c_str());
  if (speed->parsed()) return RunSpeed(options) ? 0 : 1;
  if (latency->parsed()) return RunLatency(options) ? 0 : 1;
  return RunMemory(options) ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
