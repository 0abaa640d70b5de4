#include "cli/count_histogram.h"

#include <bit>
#include <cstddef>

namespace longtail::cli {
namespace {

// The number of a count's bin: 0 is number 0, 1 is 1, 2-3 is 2, 4-7 is 3, …
std::size_t BinOf(std::uint32_t count) {
  return static_cast<std::size_t>(std::bit_width(count));
}

CountBin EmptyBin(std::size_t number) {
  if (number == 0) return {};
  const std::uint64_t count_min = std::uint64_t{1} << (number - 1);
  return {.count_min = count_min, .count_max = 2 * count_min - 1};
}

// Ascending: 1, 2, 5, 10, 20, 50, … up to `last`, and `last` itself.
std::vector<std::uint64_t> SampledRanks(std::uint64_t last) {
  std::vector<std::uint64_t> ranks;
  if (last == 0) return ranks;
  for (std::uint64_t decade = 1;; decade *= 10) {
    for (const std::uint64_t step : {1U, 2U, 5U}) {
      // Compared by division: the product could be too large for 64 bits.
      if (decade > (last - 1) / step) {
        ranks.push_back(last);
        return ranks;
      }
      ranks.push_back(step * decade);
    }
  }
}

}  // namespace

void CountHistogram::Add(const RowBlock& rows) {
  for (const std::uint32_t count : rows.counts) Add(count, 1);
}

void CountHistogram::Add(std::uint32_t count, std::uint64_t rows) {
  rows_by_count_[count] += rows;
  rows_ += rows;
  occurrences_ += count * rows;
}

std::vector<CountBin> CountHistogram::Bins() const {
  std::vector<CountBin> bins;
  if (rows_by_count_.empty()) return bins;
  const std::size_t first = BinOf(rows_by_count_.begin()->first);
  const std::size_t last = BinOf(rows_by_count_.rbegin()->first);
  for (std::size_t number = first; number <= last; ++number) bins.push_back(EmptyBin(number));
  for (const auto& [count, rows] : rows_by_count_) bins[BinOf(count) - first].rows += rows;
  return bins;
}

std::vector<RankCount> CountHistogram::RankSample() const {
  std::vector<RankCount> sample;
  auto entry = rows_by_count_.rbegin();
  std::uint64_t ranks_passed = 0;  // Of the counts above this entry's.
  for (const std::uint64_t rank : SampledRanks(rows_)) {
    while (ranks_passed + entry->second < rank) {
      ranks_passed += entry->second;
      ++entry;
    }
    sample.push_back({.rank = rank, .count = entry->first});
  }
  return sample;
}

}  // namespace longtail::cli
