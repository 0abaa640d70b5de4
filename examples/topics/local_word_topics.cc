#include "examples/topics/local_word_topics.h"

#include <algorithm>

namespace longtail::examples {

absl::Status LocalWordTopics::StartPull(std::span<const Key> words, CountRows* rows) {
  rows->clear();
  for (const Key word : words) {
    if (const auto row = rows_.find(word); row != rows_.end()) {
      for (const auto& [topic, count] : row->second) {
        rows->columns.push_back(topic);
        rows->counts.push_back(count);
      }
    }
    rows->ends.push_back(rows->columns.size());
  }
  return absl::OkStatus();
}

absl::Status LocalWordTopics::Push(std::span<const Key> words, const CountRows& changes,
                                   const CountRows& sum_changes) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (changes.begin(i) == changes.ends[i]) continue;
    Row& row = rows_[words[i]];
    merged_.clear();
    std::size_t change = changes.begin(i);
    for (std::size_t j = 0; j < row.size() || change < changes.ends[i];) {
      const bool is_old =
          change == changes.ends[i] || (j < row.size() && row[j].first < changes.columns[change]);
      if (is_old) {
        merged_.push_back(row[j++]);
        continue;
      }
      std::pair entry(changes.columns[change], changes.counts[change]);
      if (j < row.size() && row[j].first == entry.first) entry.second += row[j++].second;
      if (entry.second != 0) merged_.push_back(entry);
      ++change;
    }
    row.assign(merged_.begin(), merged_.end());
  }
  for (std::size_t i = 0; i < sum_changes.columns.size(); ++i) {
    sums_[sum_changes.columns[i]] += sum_changes.counts[i];
  }
  return absl::OkStatus();
}

absl::Status LocalWordTopics::PullSums(std::span<std::int64_t> sums) {
  std::ranges::copy(sums_, sums.begin());
  return absl::OkStatus();
}

}  // namespace longtail::examples
