#include "sparse/row_changes.h"

#include <algorithm>

namespace longtail::sparse {
namespace {

// Keys that went, in a small table; in a large one an eighth of its rows.
constexpr std::uint64_t kGoneMin = 4096;
constexpr std::uint64_t kRowsPerGone = 8;

}  // namespace

void RowChanges::Create(const RowStore& store, std::uint32_t row) {
  if (!is_whole_) return;
  const bool is_tail = store.IsTail(row);
  const std::uint32_t number = store.NumberOf(row);
  Set(changed_[is_tail ? 1 : 0], number);
  Bits& created = created_[is_tail ? 1 : 0];
  if (gone_.erase(store.KeyOf(row)) == 0) {
    Set(created, number);
  } else {
    Clear(created, number);
  }
}

void RowChanges::Free(const RowStore& store, std::uint32_t row) {
  if (!is_whole_) return;
  const bool is_tail = store.IsTail(row);
  const std::uint32_t number = store.NumberOf(row);
  Bits& created = created_[is_tail ? 1 : 0];
  if (Has(created, number)) {
    Clear(created, number);
  } else {
    gone_.insert(store.KeyOf(row));
    Bound(store);
  }
}

void RowChanges::Prepend(const RowChanges& older, const RowStore& store,
                         absl::FunctionRef<bool(Key key)> has_row) {
  is_whole_ = is_whole_ && older.is_whole_;
  if (!is_whole_) return Bound(store);
  for (std::size_t part = 0; part < changed_.size(); ++part) {
    const Bits& before = older.changed_[part];
    Bits& changed = changed_[part];
    changed.resize(std::max(changed.size(), before.size()));
    for (std::size_t i = 0; i < before.size(); ++i) changed[i] |= before[i];
    // A key that went before and came back after was no new one. That is not known of a place.
    created_[part].clear();
  }
  for (const Key key : older.gone_) {
    if (!has_row(key)) gone_.insert(key);
  }
  Bound(store);
}

void RowChanges::Bound(const RowStore& store) {
  const std::uint64_t rows = std::uint64_t{store.full().size()} + store.tail().size();
  if (is_whole_ && gone_.size() <= std::max(kGoneMin, rows / kRowsPerGone)) return;
  is_whole_ = false;  // (Bits go on being set: to ask first would cost more.)
  gone_.clear();
  created_ = {};
}

}  // namespace longtail::sparse
