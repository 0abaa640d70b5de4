// How many rarely seen rows fit, and how fast they are: filled, looked up, updated.
//
//   tail_bench [--rows 150000000] [--partitions 8] [--dim 16]
//
// Each row is in the tail's compact format: int8 weights with a scale, one bf16 accumulator.
// Resident memory is that of the process, so index, headers and all that growth needs are in it.
// --check NAME=VALUE,… makes the exit status say whether each named figure is at most the value.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/figures.h"
#include "bench/key_batches.h"
#include "bench/resident.h"
#include "sparse/table.h"

namespace longtail::bench {
namespace {

constexpr std::size_t kBatch = 10'000;

struct Options {
  std::uint64_t rows = 150'000'000;
  std::uint32_t partitions = 8;
  std::uint32_t dim = 16;
  std::size_t batches = 400;
  std::vector<std::string> checks;
};

TableSpec CompactSpec(std::uint32_t dim) {
  TableSpec spec{.name = "tail",
                 .dim = dim,
                 .optimizer = {.rule = AdagradSpec{}},
                 .initializer = UniformSpec{},
                 .seed = 1};
  spec.tail = {.below = 100,
               .format = {.weights = WeightFormat::kInt8, .state = StateFormat::kBfloat16},
               .rowwise_state = true};
  return spec;
}

// Key number i lies in partition i / rows-per-partition; numbers are batched within one partition.
class Partitions {
 public:
  explicit Partitions(const Options& options)
      : rows_each_(options.rows / options.partitions),
        gradients_(kBatch * options.dim, 0.01F),
        out_(kBatch * options.dim),
        counts_(kBatch, 1) {
    for (std::uint32_t i = 0; i < options.partitions; ++i) {
      tables_.push_back(std::make_unique<sparse::Table>(CompactSpec(options.dim)));
    }
  }

  std::uint64_t rows() const { return rows_each_ * tables_.size(); }

  // Creates all rows, all partitions growing together. Returns seconds.
  double Fill() {
    double seconds = 0;
    for (std::uint64_t at = 0; at < rows_each_; at += kBatch) {
      for (std::size_t p = 0; p < tables_.size(); ++p) {
        keys_.clear();
        for (std::uint64_t i = at; i < std::min(rows_each_, at + kBatch); ++i) {
          keys_.push_back(KeyOfNumber(p * rows_each_ + i));
        }
        seconds += Push(p);
      }
      peak_ = std::max(peak_, ResidentBytes());
    }
    return seconds;
  }

  // One batch of random rows of one partition. Returns seconds.
  double Lookup(Rng& rng) {
    const std::size_t p = Draw(rng);
    const double start = Seconds();
    tables_[p]->Pull(keys_, {.rows = out_.data(), .stride = tables_[p]->dim()});
    return Seconds() - start;
  }
  double Update(Rng& rng) { return Push(Draw(rng)); }

  std::uint64_t peak() const { return peak_; }
  const sparse::Table& table(std::size_t p) const { return *tables_[p]; }
  std::size_t size() const { return tables_.size(); }

 private:
  double Push(std::size_t p) {
    const double start = Seconds();
    tables_[p]->Push(keys_, std::span(counts_).first(keys_.size()),
                     std::span(gradients_).first(keys_.size() * tables_[p]->dim()), ++step_, 1);
    return Seconds() - start;
  }

  std::size_t Draw(Rng& rng) {
    const std::size_t p = rng.Below(tables_.size());
    keys_.clear();
    while (keys_.size() < kBatch) {
      keys_.push_back(KeyOfNumber(p * rows_each_ + rng.Below(rows_each_)));
    }
    return p;
  }

  std::uint64_t rows_each_;
  std::vector<std::unique_ptr<sparse::Table>> tables_;
  std::vector<float> gradients_;
  std::vector<float> out_;
  std::vector<std::uint32_t> counts_;
  std::vector<Key> keys_;
  std::uint32_t step_ = 0;
  std::uint64_t peak_ = 0;
};

bool Run(const Options& options) {
  std::printf(
      "%llu rows of dim %u in %u partitions: int8 weights, one bf16 accumulator a row, %s\n",
      static_cast<unsigned long long>(options.rows), options.dim, options.partitions,
      Machine().c_str());
  Partitions partitions(options);
  const double fill = partitions.Fill();
  Rng rng(11);
  std::vector<double> lookups;
  std::vector<double> updates;
  for (std::size_t i = 0; i < options.batches; ++i) {
    lookups.push_back(partitions.Lookup(rng));
    updates.push_back(partitions.Update(rng));
  }
  std::uint64_t rows = 0;
  for (std::size_t p = 0; p < partitions.size(); ++p) rows += partitions.table(p).row_count();
  if (rows != partitions.rows()) {
    std::printf("%llu rows are there: want %llu\n", static_cast<unsigned long long>(rows),
                static_cast<unsigned long long>(partitions.rows()));
    return false;
  }
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  const auto millions = [](double n, double seconds) { return n / seconds / 1e6; };
  std::printf("filled at %.2f M rows/s, looked up at %.2f, updated at %.2f (medians of batches)\n",
              millions(static_cast<double>(rows), fill), millions(kBatch, Quantile(lookups, 0.5)),
              millions(kBatch, Quantile(updates, 0.5)));
  const std::uint64_t resident = ResidentBytes();
  const Figures figures = {
      {"rows_millions", static_cast<double>(rows) / 1e6},
      {"resident_gib", static_cast<double>(resident) / kGiB},
      {"peak_gib", static_cast<double>(std::max(resident, partitions.peak())) / kGiB},
      {"bytes_per_row", static_cast<double>(resident) / static_cast<double>(rows)}};
  return Report(figures, options.checks, Bound::kMost);
}

int Main(int argc, char** argv) {
  CLI::App app{"How many rarely seen rows fit, and how fast they are"};
  Options options;
  app.add_option("--rows", options.rows)->check(CLI::Range(10'000ULL, 2'000'000'000ULL));
  app.add_option("--partitions", options.partitions)->check(CLI::Range(1, 65536));
  app.add_option("--dim", options.dim)->check(CLI::Range(1, 4096));
  app.add_option("--batches", options.batches)->check(CLI::Range(1, 100'000));
  app.add_option("--check", options.checks)->delimiter(',');
  bool is_smoke = false;
  app.add_flag("--smoke", is_smoke, "small");
  CLI11_PARSE(app, argc, argv);
  if (is_smoke) {
    options.rows = 200'000;
    options.batches = 3;
  }
  return Run(options) ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
