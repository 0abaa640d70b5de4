#include "worker/row_fetch.h"

#include <algorithm>
#include <cstring>

#include "worker/key_batch_planner.h"

namespace longtail {
namespace {

// Grows and never shrinks, so that a warm call allocates nothing.
template <typename T>
std::span<T> Sized(std::vector<T>& memory, std::size_t size) {
  if (memory.size() < size) memory.resize(size);
  return std::span(memory).first(size);
}

}  // namespace

void RowFetch::Begin(std::span<const PullItem> wanted, std::uint64_t step, RowCache& cache) {
  count_ = wanted.size();
  if (parts_.size() < count_) parts_.resize(count_);
  items_.clear();
  stamp_ = cache.BeginPull(step);
  served_applied_.reset();
  for (std::size_t i = 0; i < count_; ++i) {
    const PullItem& item = wanted[i];
    Part& part = parts_[i];
    const std::span<const Key> keys = item.keys->keys();
    part.dim = keys.empty() ? 0 : static_cast<std::uint32_t>(item.rows.size() / keys.size());
    part.to_rows = item.rows;
    part.to_counts = item.counts;
    part.places.clear();
    const std::uint64_t applied =
        cache.Find({.table = item.keys->table(), .dim = part.dim, .keys = keys}, stamp_, item.rows,
                   item.counts, part.places);
    const std::size_t lacking = part.places.size();
    if (lacking < keys.size()) {
      served_applied_ = std::min(applied, served_applied_.value_or(applied));
    }
    KeyBatchPlanner::Select(*item.keys, part.places, part.keys);
    items_.push_back({.keys = &part.keys, .rows = Sized(part.rows, lacking * part.dim)});
    if (!item.counts.empty()) items_.back().counts = Sized(part.counts, lacking);
  }
}

void RowFetch::Deliver() const {
  for (std::size_t i = 0; i < count_; ++i) {
    const Part& part = parts_[i];
    for (std::size_t j = 0; j < part.places.size(); ++j) {
      const std::size_t place = part.places[j];
      std::memcpy(part.to_rows.data() + place * part.dim, part.rows.data() + j * part.dim,
                  part.dim * sizeof(float));
      if (!part.to_counts.empty()) part.to_counts[place] = part.counts[j];
    }
  }
}

void RowFetch::Keep(std::uint64_t applied, RowCache& cache) const {
  for (const PullItem& item : items_) {
    const std::size_t n = item.keys->unique_size();
    if (n == 0) continue;
    cache.Put({.table = item.keys->table(),
               .dim = static_cast<std::uint32_t>(item.rows.size() / n),
               .keys = item.keys->keys()},
              stamp_, applied, item.rows, item.counts);
  }
}

}  // namespace longtail
