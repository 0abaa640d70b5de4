#include "server/lane_census.h"

#include <algorithm>

#include "longtail/ids.h"

namespace longtail::server {

void LaneCensus::Advance(const LaneCore& lane, std::size_t places) {
  const std::uint64_t rounds = rounds_;
  while (places > 0 && rounds_ == rounds) {
    if (partition_ >= lane.partition_count()) {
      partition_ = table_ = place_ = 0;
      complete_.swap(counted_);
      counted_.clear();
      ++rounds_;
      return;
    }
    const PartitionCore& partition = lane.partition(partition_);
    if (table_ >= partition.table_count()) {
      ++partition_;
      table_ = place_ = 0;
      continue;
    }
    counted_.resize(std::max<std::size_t>(counted_.size(), table_ + 1));
    const std::uint32_t end =
        partition.WithTable(TableId{table_}, [](const auto& table) { return table.place_end(); });
    const std::uint32_t left = end > place_ ? end - place_ : 0;
    const auto looked = static_cast<std::uint32_t>(std::min<std::size_t>(left, places));
    Classes& classes = counted_[table_];
    partition.WithTable(TableId{table_}, [&](const auto& table) {
      table.ForEachCount(place_, place_ + looked,
                         [&](std::uint32_t count) { ++classes[CountClassOf(count)]; });
    });
    places -= looked;
    place_ += looked;
    if (looked < left) return;
    ++table_;
    place_ = 0;
  }
}

std::vector<std::vector<std::pair<std::uint32_t, std::uint64_t>>> LaneCensus::RowsByCount() const {
  std::vector<std::vector<std::pair<std::uint32_t, std::uint64_t>>> tables(complete_.size());
  for (std::size_t t = 0; t < tables.size(); ++t) {
    for (std::size_t c = 0; c < kCountClasses; ++c) {
      if (complete_[t][c] != 0) tables[t].emplace_back(CountClassMin(c), complete_[t][c]);
    }
  }
  return tables;
}

}  // namespace longtail::server
