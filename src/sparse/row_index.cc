#include "sparse/row_index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace longtail::sparse {
namespace {

constexpr std::uint64_t kLinesAhead = 4;  // Enough rows to hide a cache miss.

// An index of fewer lines grows in one insertion.
constexpr std::uint64_t kLinesAtOnce = 64;

// Indexes of fewer lines take so little memory that nobody waits for it.
constexpr std::uint64_t kTouchAheadFrom = 2 * IndexLines::kLinesPerPage;

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
    Move(old_.count() < kLinesAtOnce ? old_.count() : 1, rows);
  } else if (lines_.count() >= kTouchAheadFrom && next_.count() == 0 &&
             IsCrowded(size_ + lines_.count() / 8, lines_.count())) [[unlikely]] {
    next_ = IndexLines(LargerCount());
    next_.TouchFirst();
  }
  // Into the old lines where those are not moved yet: so of the new ones no page is touched early.
  const bool begins_in_old = BeginsInOld(hash);
  if (!begins_in_old || !old_.PlaceBeforeEnd(hash, row)) {
    lines_.Place(hash, row);
    if (begins_in_old) early_from_ = std::min(early_from_, old_.Home(hash));
  }
  ++size_;
}

void RowIndex::Erase(std::uint32_t row, std::uint64_t hash) {
  const bool is_removed = lines_.Remove(hash, row) || (is_growing() && old_.Remove(hash, row));
  LONGTAIL_CHECK(is_removed);
  --size_;
}

std::uint64_t RowIndex::LargerCount() const {
  return lines_.count() + std::max<std::uint64_t>(lines_.count() / 4, 1);
}

void RowIndex::Grow() {
  IndexLines larger = next_.count() != 0 ? std::move(next_) : IndexLines(LargerCount());
  old_ = std::exchange(lines_, std::move(larger));
  early_from_ = old_.count();
}

void RowIndex::Move(std::uint64_t line_count, const RowStore& rows) {
  for (; line_count != 0; --line_count) {
    // Not in a function of its own: g++ takes one that only fetches for one without effect.
    if (const std::uint64_t ahead = old_.moved() + kLinesAhead; ahead < old_.count()) {
      const IndexLine& line = old_[ahead];
      for (std::uint32_t taken = line.Taken(); taken != 0; taken &= taken - 1) {
        __builtin_prefetch(rows.Header(line.Row(static_cast<unsigned>(std::countr_zero(taken)))));
      }
    }
    // All keys are read before one entry is placed, so that their misses overlap.
    std::array<std::uint32_t, IndexLine::kSlots> moved;
    std::array<std::uint64_t, IndexLine::kSlots> hashes;
    std::size_t count = 0;
    const bool is_done = old_.MoveLine([&](std::uint32_t row) { moved[count++] = row; });
    for (std::size_t i = 0; i < count; ++i) hashes[i] = Mix64(rows.KeyOf(moved[i]));
    for (std::size_t i = 0; i < count; ++i) {
      lines_.Place(hashes[i], moved[i]);
      if (BeginsInOld(hashes[i])) [[unlikely]]  // It had gone around the end.
        early_from_ = std::min(early_from_, old_.Home(hashes[i]));
    }
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
