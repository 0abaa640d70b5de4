// What rows of counts take, and how fast they are pulled and pushed, of words as texts have them.
//
//   count_bench [--words 200000] [--topics 1000] [--tokens 20000000] [--partitions 8]
//
// Tokens are drawn by Zipf's law, a topic each from a few that their word prefers, and pushed as +1
// in batches; then a push moves tokens from one topic to another, as a sampler does. Resident
// memory is that of the process less what it had before, so index, records and unused places are in
// it.
// Times are the thread's own on a CPU.
// --check NAME=VALUE,… makes the exit status say whether each named figure is at most the value.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/count_row.h"
#include "bench/figures.h"
#include "bench/key_batches.h"
#include "bench/resident.h"
#include "sparse/count_table.h"

namespace longtail::bench {
namespace {

constexpr std::size_t kBatch = 10'000;

// Of this thread, so that others on the machine do not count.
double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Options {
  std::uint64_t words = 200'000;
  std::uint32_t topics = 1000;
  std::uint64_t tokens = 20'000'000;
  std::uint32_t partitions = 8;
  std::size_t batches = 200;
  std::vector<std::string> checks;
};

// A word by Zipf's law with exponent 1: its rank is about words^u, u from 0 to 1.
std::uint64_t DrawWord(Rng& rng, std::uint64_t words) {
  const double u = static_cast<double>(rng.Next() >> 11) * 0x1.0p-53;
  return static_cast<std::uint64_t>(std::pow(static_cast<double>(words), u)) - 1;
}

// One of the topics of a word, of which it has the more the more often it comes.
std::uint32_t DrawTopic(Rng& rng, std::uint64_t word, std::uint32_t topics) {
  const std::uint64_t own = std::max<std::uint64_t>(1, topics / (1 + word / 20));
  const std::uint64_t number = rng.Below(1 + rng.Below(std::min<std::uint64_t>(own + 3, topics)));
  return static_cast<std::uint32_t>(RandomBits(1, word, number) % topics);
}

using Changes = std::map<Key, std::map<std::uint32_t, std::int64_t>>;

class Words {
 public:
  explicit Words(const Options& options) : options_(options), parts_(options.partitions) {
    const TableSpec spec{.name = "topics", .dim = options.topics, .kind = TableKind::kCounts};
    for (Part& part : parts_) part.table = std::make_unique<sparse::CountTable>(spec);
  }

  // Adds so many tokens. Returns seconds in the tables.
  double Fill(Rng& rng, std::uint64_t tokens) {
    Changes changes;
    for (std::uint64_t i = 0; i < tokens; ++i) {
      const std::uint64_t word = DrawWord(rng, options_.words);
      ++changes[KeyOfNumber(word)][DrawTopic(rng, word, options_.topics)];
    }
    return Push(changes);
  }

  // Tokens that change their topic. Returns seconds in the tables.
  double Move(Rng& rng, std::uint64_t tokens) {
    Changes changes;
    for (std::uint64_t i = 0; i < tokens; ++i) {
      const std::uint64_t word = DrawWord(rng, options_.words);
      auto& row = changes[KeyOfNumber(word)];
      --row[DrawTopic(rng, word, options_.topics)];
      ++row[DrawTopic(rng, word, options_.topics)];
    }
    return Push(changes);
  }

  // The rows of different words, each as likely. Returns seconds in the tables, and for unpacking.
  double Pull(Rng& rng) {
    for (Part& part : parts_) part.keys.clear();
    for (std::size_t i = 0; i < kBatch; ++i) {
      const Key key = KeyOfNumber(DrawWord(rng, options_.words));
      PartOf(key).keys.push_back(key);
    }
    const double start = CpuSeconds();
    for (Part& part : parts_) {
      part.packed.clear();
      part.table->Pull(part.keys, part.packed);
      std::span<const std::byte> left = AsBytes(part.packed);
      for (std::span<const std::byte> row; !left.empty() && TakeSizedRow(left, row);) {
        VisitCountRow(row, options_.topics,
                      [&](std::uint32_t, std::int64_t count) { sum_ += count; });
        ++rows_pulled_;
      }
    }
    return CpuSeconds() - start;
  }

  std::uint64_t rows_pushed() const { return rows_pushed_; }
  std::uint64_t rows_pulled() const { return rows_pulled_; }
  std::int64_t sum() const { return sum_; }

  TableStatistics Counts() const {
    TableStatistics sum;
    for (const Part& part : parts_) sum += part.table->Counts();
    return sum;
  }

  // Counts that are not zero, and their sum.
  std::pair<std::uint64_t, std::int64_t> Entries() const {
    std::pair<std::uint64_t, std::int64_t> entries{0, 0};
    for (const Part& part : parts_) {
      part.table->ForEachRow([&](const sparse::CountRowView& row) {
        VisitCountRow(row.packed, options_.topics, [&](std::uint32_t, std::int64_t count) {
          ++entries.first;
          entries.second += count;
        });
      });
    }
    return entries;
  }

 private:
  struct Part {
    std::unique_ptr<sparse::CountTable> table;
    std::vector<Key> keys;
    std::string packed;
  };

  Part& PartOf(Key key) { return parts_[key % parts_.size()]; }

  double Push(const Changes& changes) {
    for (Part& part : parts_) {
      part.keys.clear();
      part.packed.clear();
    }
    std::vector<CountEntry> entries;
    std::string row;
    for (const auto& [key, counts] : changes) {
      entries.clear();
      for (const auto& [column, count] : counts) {
        if (count != 0) entries.push_back({.column = column, .count = count});
      }
      row.clear();
      AppendCountRow(entries, options_.topics, row);
      PartOf(key).keys.push_back(key);
      AppendSizedRow(AsBytes(row), PartOf(key).packed);
    }
    rows_pushed_ += changes.size();
    const double start = CpuSeconds();
    for (Part& part : parts_) part.table->Push(part.keys, AsBytes(part.packed));
    return CpuSeconds() - start;
  }

  const Options options_;
  std::vector<Part> parts_;
  std::uint64_t rows_pushed_ = 0;
  std::uint64_t rows_pulled_ = 0;
  std::int64_t sum_ = 0;
};

bool Run(const Options& options) {
  std::printf("%llu words by Zipf's law, %u topics, %llu tokens, %u partitions, ",
              static_cast<unsigned long long>(options.words), options.topics,
              static_cast<unsigned long long>(options.tokens), options.partitions);
  PrintMachine();
  const std::uint64_t before = ResidentBytes();
  Words words(options);
  Rng rng(11);
  for (std::uint64_t left = options.tokens; left > 0;) {
    const std::uint64_t now = std::min<std::uint64_t>(left, 50'000);
    words.Fill(rng, now);
    left -= now;
  }
  malloc_trim(0);  // What the batches were made of is not the tables'.
  const auto resident = static_cast<double>(ResidentBytes() - before);
  const TableStatistics statistics = words.Counts();
  const auto [entries, sum] = words.Entries();
  if (sum != static_cast<std::int64_t>(options.tokens)) {
    std::printf("the counts' sum is %lld: want the tokens\n", static_cast<long long>(sum));
    return false;
  }
  const std::uint64_t filled = words.rows_pushed();
  double push_seconds = 0;
  double pull_seconds = 0;
  for (std::size_t i = 0; i < options.batches; ++i) {
    push_seconds += words.Move(rng, kBatch);
    pull_seconds += words.Pull(rng);
  }
  const auto rows = static_cast<double>(statistics.rows);
  const auto all = static_cast<double>(entries);
  std::printf("%llu rows, %.1f counts a row that are not zero; %.2f M rows/s pushed, %.2f pulled\n",
              static_cast<unsigned long long>(statistics.rows), all / rows,
              static_cast<double>(words.rows_pushed() - filled) / push_seconds / 1e6,
              static_cast<double>(words.rows_pulled()) / pull_seconds / 1e6);
  const Figures figures = {
      {"bytes_per_row", resident / rows},
      {"bytes_per_count", resident / all},
      {"counted_bytes_per_row", static_cast<double>(statistics.bytes()) / rows},
      {"packed_bytes_per_row", static_cast<double>(statistics.weight_bytes) / rows},
      {"part_of_dense_int32", resident / (rows * options.topics * sizeof(std::int32_t))},
      {"nanoseconds_per_row_pushed",
       push_seconds * 1e9 / static_cast<double>(words.rows_pushed() - filled)},
      {"nanoseconds_per_row_pulled",
       pull_seconds * 1e9 / static_cast<double>(words.rows_pulled())}};
  return Report(figures, options.checks, Bound::kMost);
}

int Main(int argc, char** argv) {
  CLI::App app{"What rows of counts take, and how fast they are"};
  Options options;
  app.add_option("--words", options.words)->check(CLI::Range(100ULL, 100'000'000ULL));
  app.add_option("--topics", options.topics)->check(CLI::Range(1U, kCountColumnsMax));
  app.add_option("--tokens", options.tokens)->check(CLI::Range(1000ULL, 10'000'000'000ULL));
  app.add_option("--partitions", options.partitions)->check(CLI::Range(1, 65536));
  app.add_option("--batches", options.batches)->check(CLI::Range(1, 100'000));
  app.add_option("--check", options.checks)->delimiter(',');
  bool is_smoke = false;
  app.add_flag("--smoke", is_smoke, "small");
  CLI11_PARSE(app, argc, argv);
  if (is_smoke) {
    options.words = 5000;
    options.tokens = 100'000;
    options.batches = 3;
  }
  return Run(options) ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
