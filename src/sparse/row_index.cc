#include "sparse/row_index.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace longtail::sparse {
namespace {

constexpr std::uint64_t kLinesAhead = 4;  // Enough rows to hide a cache miss.

// An index of fewer lines grows in one insertion.
constexpr std::uint64_t kLinesAtOnce = 64;

// Whether so many entries are more than nine tenths of all slots.
bool IsCrowded(std::uint64_t entries, std::uint64_t lines) {
  return entries * 10 > lines * IndexLine::kSlots * 9;
}

}  // namespace

void RowIndex::Insert(std::uint32_t row, std::uint64_t hash, const RowStore& rows) {
  if (IsCrowded(size_ + 1, lines_.count())) {
    if (is_growing()) Move(old_.count(), rows);  // Has long ended: see the header's arithmetic.
    Grow();
  }
  if (is_growing()) {
    Move(old_.count() < kLinesAtOnce ? old_.count() : kLinesPerTurn, rows);
  }
  // Into the old lines where those are not moved yet: so of the new ones no page is touched early.
  if (!BeginsInOld(hash) || !old_.PlaceBeforeEnd(hash, row)) lines_.Place(hash, row);
  ++size_;
}

void RowIndex::Erase(std::uint32_t row, std::uint64_t hash) {
  const bool is_removed = lines_.Remove(hash, row) || (is_growing() && old_.Remove(hash, row));
  LONGTAIL_CHECK(is_removed);
  --size_;
}

void RowIndex::Grow() {
  const std::uint64_t count = lines_.count();
  IndexLines larger(count + std::max<std::uint64_t>(count / 4, 1));
  old_ = std::exchange(lines_, std::move(larger));
}

void RowIndex::Move(std::uint64_t line_count, const RowStore& rows) {
  for (; line_count != 0; --line_count) {
    if (const std::uint64_t ahead = old_.moved() + kLinesAhead; ahead < old_.count()) {
      const IndexLine& line = old_[ahead];
      for (std::uint32_t taken = line.Taken(); taken != 0; taken &= taken - 1) {
        __builtin_prefetch(rows.Header(line.Row(static_cast<unsigned>(std::countr_zero(taken)))));
      }
    }
    const bool is_done =
        old_.MoveLine([&](std::uint32_t row) { lines_.Place(Mix64(rows.KeyOf(row)), row); });
    if (!is_done) {
      // Entries come to the larger lines in order, too.
      if (old_.moved() % (IndexLines::kLinesPerPage / 2) == 1) {
        lines_.TouchAfter(old_.moved() * lines_.count() / old_.count());
      }
      continue;
    }
    old_ = IndexLines();
    return;
  }
}

}  // namespace longtail::sparse
