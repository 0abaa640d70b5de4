// Rows one by one: found, imported, erased.
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/random.h"
#include "sparse/table.h"

namespace longtail::sparse {

RowView Table::ViewOf(std::uint32_t row) const {
  return ViewOf(store_.Header(row), store_.IsTail(row), newest_step_);
}

// Of a header and the values behind it, which were written when this was the newest step.
RowView Table::ViewOf(const std::byte* row, bool is_tail, std::uint32_t newest_step) const {
  const RowTouch touch = TouchAt(row);
  layout_.codec(is_tail).Decode(row + kRowHeaderBytes, view_.data());
  if (is_tail) layout_.Expand(view_.data());
  return {.key = KeyAt(row),
          .count = CountOf(touch.count_code),
          .last_step = StepOf(touch.step_code, newest_step),
          .values = view_};
}

std::uint64_t Table::BeginCut() {
  LONGTAIL_CHECK(cut_ == nullptr);
  cut_ = std::make_unique<RowCut>(store_);
  Watch();
  cut_newest_step_ = newest_step_;
  return store_.full().size() * store_.full().row_bytes() +
         store_.tail().size() * store_.tail().row_bytes();
}

std::uint64_t Table::BeginCutOfChanges() {
  LONGTAIL_CHECK(cut_ == nullptr);
  LONGTAIL_CHECK(knows_changes());
  cut_ = std::make_unique<RowCut>(store_, *changes_);
  Watch();
  cut_newest_step_ = newest_step_;
  return cut_->CountRows(false) * store_.full().row_bytes() +
         cut_->CountRows(true) * store_.tail().row_bytes();
}

void Table::MarkChanges() {
  changes_before_ = std::exchange(changes_, std::make_unique<RowChanges>());
  Watch();
}

void Table::NoteChange(std::uint32_t row) {
  if (cut_ != nullptr) cut_->Keep(store_, row);
  if (changes_ != nullptr) changes_->Change(store_, row);
}

void Table::KeepChanges(ChangesSince since) {
  if (since == ChangesSince::kUnknown) changes_.reset();
  if (since == ChangesSince::kMarkBefore && changes_before_ != nullptr) {
    changes_->Prepend(*changes_before_, store_, [&](Key key) {
      return index_.Find(key, Mix64(key), store_) != RowIndex::kNone;
    });
  }
  changes_before_.reset();
  Watch();
}

bool Table::Find(Key key, RowView* view) const {
  const std::uint32_t row = index_.Find(key, Mix64(key), store_);
  if (row == RowIndex::kNone) return false;
  *view = ViewOf(row);
  return true;
}

absl::Status Table::Import(const RowView& row) {
  const auto where = [&] { return absl::StrCat("table '", spec_.name, "': key ", row.key, ": "); };
  if (row.values.size() != value_count()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where(), "row of ", row.values.size(), " values: want ", value_count(), " (",
                     dim(), " weights, ", layout_.state_size(), " of optimizer state)"));
  }
  const std::size_t finite = value_count() - ExactStateSize(spec_.optimizer);
  if (!layout_.is_plain() && !AllFinite(row.values.data(), finite)) {
    return absl::InvalidArgumentError(
        absl::StrCat(where(),
                     "an infinity or a NaN among its values: want finite ones, which the "
                     "table's row format can keep"));
  }
  const std::uint64_t hash = Mix64(row.key);
  const bool is_tail = BelongsInTail(hash, row.count);
  std::uint32_t number = index_.Find(row.key, hash, store_);
  const bool moves = number == RowIndex::kNone || store_.IsTail(number) != is_tail;
  if (moves) {
    if (store_.IsFull(is_tail)) {
      const Slabs& slabs = is_tail ? store_.tail() : store_.full();
      return absl::ResourceExhaustedError(
          absl::StrCat(where(), "this partition holds ", slabs.rows_max(),
                       " rows, which is its limit: want more partitions"));
    }
    if (number != RowIndex::kNone) {
      Remove(number, hash);
    } else if (!(layout_.is_shared() && backoff_.IsOne(hash))) {
      distinct_.Add(hash);
    }
    number = Settle(row.key, {.row = RowIndex::kNone, .hash = hash, .is_tail = is_tail});
  }
  BeforeChange(number);
  newest_step_ = std::max(newest_step_, row.last_step);
  SetTouch(store_.Header(number), {CountCode(row.count, 0), StepCode(row.last_step, newest_step_)});
  std::copy(row.values.begin(), row.values.end(), values_.begin());
  if (is_tail) layout_.Contract(values_.data());
  const std::uint64_t at = std::uint64_t{row.last_step} << 32 | row.count;
  layout_.codec(is_tail).Encode(values_.data(), RandomBits(~spec_.seed, row.key, at),
                                store_.Values(number));
  return absl::OkStatus();
}

bool Table::Erase(Key key) {
  const std::uint64_t hash = Mix64(key);
  const std::uint32_t row = index_.Find(key, hash, store_);
  if (row == RowIndex::kNone) return false;
  Remove(row, hash);
  return true;
}

}  // namespace longtail::sparse
