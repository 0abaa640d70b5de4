// Lookups in a mapped serving file, beside what else one would do with the same rows, in turn.
//
//   ours      ServingTable::Lookup of a file of all rows, mapped
//   copied    the same, copied into huge pages
//   changed   mapped, with a file of changes over it, of a tenth of the rows
//   absl      absl::flat_hash_map from key to the place of its row in an array, prefetched by hand
//   sorted    binary search in an array of sorted keys, with the rows in the same order
//
// Figures: M rows/s of one thread in batches of 10,000 keys of the table in random order (medians
// over batches, all ways in turn); microseconds of a call of 100 keys, warm: p50 and p99; ratios of
// ours to the rivals; seconds to open, with all checksums and without.
//
// --check NAME=VALUE,… makes the exit status say whether each named figure is at least the value,
// --most NAME=VALUE,… at most.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/random.h"
#include "bench/figures.h"
#include "bench/key_batches.h"
#include "checkpoint/serving_file_writer.h"
#include "longtail/serving.h"

namespace longtail::bench {
namespace {

constexpr std::size_t kBatch = 10'000;
constexpr std::size_t kCall = 100;  // Keys of a request for one user.
constexpr std::uint32_t kSegments = 64;

struct Options {
  std::uint64_t rows = 5'000'000;
  std::uint32_t dim = 16;
  std::size_t batches = 100;
  std::size_t calls = 20'000;
  std::string values = "fp32";
  std::string directory;
  std::vector<std::string> checks;
  std::vector<std::string> most;
};

// The weights of a row: so that what is looked up can be told.
void FillRow(std::uint64_t number, std::span<float> row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = static_cast<float>(number % 1000) + static_cast<float>(i);
  }
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::cerr << "serving_bench: " << value.status() << "\n";
    std::exit(1);
  }
  return *std::move(value);
}

// Writes the rows whose number a step divides.
void WriteFile(const std::string& path, const Options& options, ServingKind kind,
               std::uint64_t step) {
  const std::vector<std::string> formats = {"fp32", "bf16", "fp16", "int8"};
  ServingHeader shape{.kind = kind,
                      .values = static_cast<WireValues>(std::ranges::find(formats, options.values) -
                                                        formats.begin()),
                      .segments = kSegments,
                      .step = 1,
                      .checkpoint = kind == ServingKind::kRows ? 1U : 2U,
                      .base = kind == ServingKind::kRows ? 0U : 1U,
                      .spec = {.name = "bench", .dim = options.dim}};
  const auto writer = Must(checkpoint::ServingFileWriter::Create(path, shape));
  struct Numbered {
    std::uint64_t hash;
    std::uint64_t number;
  };
  std::vector<Numbered> numbers;
  for (std::uint64_t i = 0; i < options.rows; i += step) {
    numbers.push_back({.hash = Mix64(KeyOfNumber(i)), .number = i});
  }
  std::ranges::sort(numbers, {}, &Numbered::hash);
  std::size_t at = 0;
  for (std::uint32_t segment = 0; segment < kSegments; ++segment) {
    std::vector<checkpoint::ServingEntry> entries;
    std::vector<float> rows;
    const std::size_t begin = at;
    while (at < numbers.size() && numbers[at].hash >> 58 == segment) ++at;
    rows.resize((at - begin) * options.dim);
    for (std::size_t i = begin; i < at; ++i) {
      const auto row = std::span(rows).subspan((i - begin) * options.dim, options.dim);
      FillRow(numbers[i].number, row);
      entries.push_back(
          {.hash = numbers[i].hash, .key = KeyOfNumber(numbers[i].number), .weights = row});
    }
    const absl::Status status = writer->AddSegment(entries);
    LONGTAIL_CHECK(status.ok());
  }
  Must(writer->Finish());
}

class Ours {
 public:
  Ours(const std::string& rows, const std::string& changes, ServingMemory memory)
      : table_(Must(ServingTable::Open(rows, changes, {.memory = memory}))) {}

  void Lookup(std::span<const Key> keys, std::span<float> out) const {
    LONGTAIL_CHECK(Must(table_->Lookup(keys, out, UnseenKeys::kZeros)) == keys.size());
  }

 private:
  std::shared_ptr<const ServingTable> table_;
};

class AbslMap {
 public:
  AbslMap(std::uint64_t rows, std::uint32_t dim) : dim_(dim), rows_(rows * dim) {
    places_.reserve(rows);
    for (std::uint64_t i = 0; i < rows; ++i) {
      places_[KeyOfNumber(i)] = i;
      FillRow(i, std::span(rows_).subspan(i * dim, dim));
    }
  }

  void Lookup(std::span<const Key> keys, std::span<float> out) const {
    constexpr std::size_t kGroup = 16;
    const float* rows[kGroup];
    for (std::size_t begin = 0; begin < keys.size(); begin += kGroup) {
      const std::size_t count = std::min(kGroup, keys.size() - begin);
      for (std::size_t i = 0; i < count; ++i) places_.prefetch(keys[begin + i]);
      for (std::size_t i = 0; i < count; ++i) {
        rows[i] = rows_.data() + places_.find(keys[begin + i])->second * dim_;
        __builtin_prefetch(rows[i]);
      }
      for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(out.data() + (begin + i) * dim_, rows[i], dim_ * sizeof(float));
      }
    }
  }

 private:
  std::size_t dim_;
  absl::flat_hash_map<Key, std::uint64_t> places_;
  std::vector<float> rows_;
};

class SortedKeys {
 public:
  SortedKeys(std::uint64_t rows, std::uint32_t dim) : dim_(dim), rows_(rows * dim) {
    std::vector<std::pair<Key, std::uint64_t>> order;
    for (std::uint64_t i = 0; i < rows; ++i) order.emplace_back(KeyOfNumber(i), i);
    std::ranges::sort(order);
    for (std::uint64_t i = 0; i < rows; ++i) {
      keys_.push_back(order[i].first);
      FillRow(order[i].second, std::span(rows_).subspan(i * dim, dim));
    }
  }

  void Lookup(std::span<const Key> keys, std::span<float> out) const {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto at =
          static_cast<std::size_t>(std::ranges::lower_bound(keys_, keys[i]) - keys_.begin());
      std::memcpy(out.data() + i * dim_, rows_.data() + at * dim_, dim_ * sizeof(float));
    }
  }

 private:
  std::size_t dim_;
  std::vector<Key> keys_;
  std::vector<float> rows_;
};

// One way's times: of batches, and of calls of a few keys.
struct Times {
  std::vector<double> batches;
  std::vector<double> calls;
};

class Turn {
 public:
  explicit Turn(const Options& options)
      : options_(options),
        batches_(options.rows, kBatch, KeyLaw::kUniform, 3),
        out_(kBatch * options.dim) {}

  void NextBatch() { batches_.Next(); }

  template <typename Way>
  void RunBatch(const Way& way, Times& times) {
    const double start = Seconds();
    way.Lookup(batches_.keys(), out_);
    times.batches.push_back(Seconds() - start);
    Check();
  }

  // Calls one after another: a request's keys, then the next one's.
  template <typename Way>
  void RunCalls(const Way& way, Times& times) {
    const std::span<const Key> keys = batches_.keys();
    for (std::size_t at = 0; at + kCall <= kBatch; at += kCall) {
      const double start = Seconds();
      way.Lookup(keys.subspan(at, kCall),
                 std::span(out_).subspan(at * options_.dim, kCall * options_.dim));
      times.calls.push_back(Seconds() - start);
    }
    Check();
  }

 private:
  // The last row, in the first value: also of narrow formats within a part in fifty.
  void Check() const {
    const auto want = static_cast<float>(batches_.numbers().back() % 1000);
    const float found = out_[(kBatch - 1) * options_.dim];
    LONGTAIL_CHECK(std::abs(found - want) <= 0.02F * 1000);
  }

  const Options& options_;
  KeyBatches batches_;
  std::vector<float> out_;
};

bool Run(const Options& options) {
  const std::string rows = options.directory + "/bench.rows";
  const std::string changes = options.directory + "/bench.changes";
  WriteFile(rows, options, ServingKind::kRows, 1);
  WriteFile(changes, options, ServingKind::kChanges, 10);
  Figures figures;
  const auto open_seconds = [&](ServingCheck check) {
    const double start = Seconds();
    Must(ServingTable::Open(rows, "", {.check = check}));
    return Seconds() - start;
  };
  figures["open/s"] = open_seconds(ServingCheck::kWhole);
  figures["open/on_use_s"] = open_seconds(ServingCheck::kOnUse);
  figures["bytes_per_row"] =
      static_cast<double>(std::filesystem::file_size(rows)) / static_cast<double>(options.rows);
  const Ours ours(rows, "", ServingMemory::kMapped);
  const Ours copied(rows, "", ServingMemory::kCopied);
  const Ours changed(rows, changes, ServingMemory::kMapped);
  const AbslMap absl_map(options.rows, options.dim);
  const SortedKeys sorted(options.rows, options.dim);
  Turn turn(options);
  Times times[5];
  for (std::size_t i = 0; i < options.batches; ++i) {
    turn.NextBatch();
    turn.RunBatch(ours, times[0]);
    turn.NextBatch();
    turn.RunBatch(changed, times[1]);
    turn.NextBatch();
    turn.RunBatch(absl_map, times[2]);
    turn.NextBatch();
    turn.RunBatch(sorted, times[3]);
    turn.NextBatch();
    turn.RunBatch(copied, times[4]);
  }
  while (times[0].calls.size() < options.calls) {
    turn.NextBatch();
    turn.RunCalls(ours, times[0]);
    turn.NextBatch();
    turn.RunCalls(changed, times[1]);
    turn.NextBatch();
    turn.RunCalls(absl_map, times[2]);
    turn.NextBatch();
    turn.RunCalls(sorted, times[3]);
    turn.NextBatch();
    turn.RunCalls(copied, times[4]);
  }
  const char* const names[] = {"ours", "changed", "absl", "sorted", "copied"};
  for (std::size_t i = 0; i < 5; ++i) {
    const std::string name = names[i];
    figures[name + "/Mrows_s"] = kBatch / Quantile(times[i].batches, 0.5) / 1e6;
    figures[name + "/p50_us"] = Quantile(times[i].calls, 0.5) * 1e6;
    figures[name + "/p99_us"] = Quantile(times[i].calls, 0.99) * 1e6;
  }
  figures["ours/absl"] = figures["ours/Mrows_s"] / figures["absl/Mrows_s"];
  figures["copied/absl"] = figures["copied/Mrows_s"] / figures["absl/Mrows_s"];
  figures["ours/sorted"] = figures["ours/Mrows_s"] / figures["sorted/Mrows_s"];
  const bool is_fast = Report(figures, options.checks, Bound::kLeast);
  return Check(figures, options.most, Bound::kMost) && is_fast;
}

int Main(int argc, char** argv) {
  Options options;
  bool smoke = false;
  CLI::App app("Lookups in a mapped serving file, beside a hash map and a binary search.");
  app.add_option("--rows", options.rows)->capture_default_str();
  app.add_option("--dim", options.dim)->capture_default_str();
  app.add_option("--batches", options.batches, "Of 10,000 keys")->capture_default_str();
  app.add_option("--calls", options.calls, "Of 100 keys")->capture_default_str();
  app.add_option("--values", options.values, "fp32, bf16, fp16 or int8")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16", "int8"}))
      ->capture_default_str();
  app.add_option("--check", options.checks, "NAME=VALUE,…: at least")->delimiter(',');
  app.add_option("--most", options.most, "NAME=VALUE,…: at most")->delimiter(',');
  app.add_flag("--smoke", smoke, "A few rows, to see that it runs");
  CLI11_PARSE(app, argc, argv);
  if (smoke) {
    options.rows = 50'000;
    options.batches = 3;
    options.calls = 300;
  }
  std::string scratch = (std::filesystem::temp_directory_path() / "serving-bench-XXXXXX").string();
  LONGTAIL_CHECK(mkdtemp(scratch.data()) != nullptr);
  options.directory = scratch;
  const bool holds = Run(options);
  std::filesystem::remove_all(scratch);
  return holds ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
