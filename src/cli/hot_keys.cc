#include "cli/hot_keys.h"

#include <algorithm>
#include <span>

#include "cli/weight_norm.h"

namespace longtail::cli {
namespace {

bool IsHotter(const HotKey& a, const HotKey& b) {
  return a.count != b.count ? a.count > b.count : a.key < b.key;
}

}  // namespace

void HotKeys::Add(const RowBlock& rows) {
  const std::span<const float> values(rows.values);
  for (std::size_t i = 0; i < rows.keys.size(); ++i) {
    ++rows_;
    occurrences_ += rows.counts[i];
    HotKey row{.key = rows.keys[i], .count = rows.counts[i], .last_step = rows.last_steps[i]};
    if (heap_.size() == top_) {
      if (top_ == 0 || !IsHotter(row, heap_.front())) continue;
      std::ranges::pop_heap(heap_, IsHotter);
      heap_.pop_back();
    }
    row.weight_norm =
        WeightNorm(values.subspan(i * rows.value_count, std::min(dim_, rows.value_count)));
    heap_.push_back(row);
    std::ranges::push_heap(heap_, IsHotter);
  }
}

std::vector<HotKey> HotKeys::Sorted() const {
  std::vector<HotKey> sorted = heap_;
  std::ranges::sort(sorted, IsHotter);
  return sorted;
}

}  // namespace longtail::cli
