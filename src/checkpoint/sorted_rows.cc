#include "checkpoint/sorted_rows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace longtail::checkpoint {

absl::Status SortedRows::Add(RowBlock block) {
  if (has_table() && block.value_count != value_count_) {
    return absl::DataLossError(absl::StrCat("table ", static_cast<std::uint32_t>(block.table),
                                            ": rows of ", block.value_count,
                                            " floats beside rows of ", value_count_));
  }
  value_count_ = block.value_count;
  const auto number = static_cast<std::uint32_t>(blocks_.size());
  for (std::uint32_t row = 0; row < block.keys.size(); ++row) {
    order_.push_back({.key = block.keys[row], .block = number, .row = row});
  }
  blocks_.push_back(std::move(block));
  return absl::OkStatus();
}

absl::Status SortedRows::Sort() {
  std::ranges::sort(order_, {}, &Place::key);
  const auto twice = std::ranges::adjacent_find(order_, {}, &Place::key);
  if (twice == order_.end()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("table ",
                                          static_cast<std::uint32_t>(blocks_[twice->block].table),
                                          ": key ", twice->key, " is there twice"));
}

StoredRow SortedRows::at(std::size_t i) const {
  const Place& place = order_[i];
  const RowBlock& block = blocks_[place.block];
  const std::span<const std::byte> packed =
      block.has_counts() ? PackedRowOf(block, place.row) : std::span<const std::byte>();
  return {.key = place.key,
          .count = block.counts[place.row],
          .last_step = block.last_steps[place.row],
          .values =
              std::span(block.values).subspan(std::size_t{place.row} * value_count_, value_count_),
          .packed = packed};
}

}  // namespace longtail::checkpoint
