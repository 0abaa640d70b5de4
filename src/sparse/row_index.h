// From a key to the number of its row, in one cache line.
//
// Lines of fifteen entries (sparse/index_line.h). Keys are compared in the rows, which a caller
// wants to read anyway, so every key is legal and an entry takes little more than four bytes.
//
// The index grows by a quarter when it is nine tenths full. A growth is spread over insertions: the
// larger lines are made at once, empty, and each insertion moves one of the old lines; meanwhile a
// key is looked for in both. The order of hashes is the order of lines, so old lines are given back
// as they are moved, and both generations together are never larger than the new one by more than a
// huge page. Worst case of one insertion: one line, 15 entries. Who only reads or updates rows
// calls MoveOn now and then: a growth under way costs every search.
//
// Thread: one owner.
#pragma once

#include <bit>
#include <cstdint>

#include "base/hash.h"
#include "longtail/ids.h"
#include "sparse/index_lines.h"
#include "sparse/row_store.h"

namespace longtail::sparse {

class RowIndex {
 public:
  /// No row has this number.
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  /// Nor this one: only a line that has not been fetched can tell.
  static constexpr std::uint32_t kElsewhere = 0xFFFFFFFE;

  RowIndex() : lines_(1) {}

  /// Fetches the line that a search for `hash` = Mix64(key) begins with.
  void Prefetch(std::uint64_t hash) const { __builtin_prefetch(FirstLine(hash)); }

  /// What the line that was fetched says: the first row whose tag fits; kNone if surely no row has
  /// this hash; or kElsewhere, and the lines behind it are fetched, in which Candidate then looks.
  /// Calls also(row) for each further row whose tag fits: one key in twenty has such.
  template <typename Also>
  std::uint32_t NearCandidate(std::uint64_t hash, Also&& also) const {
    const IndexLine* const line = FirstLine(hash);
    std::uint32_t matches = line->Match(TagOf(hash));
    if (matches == 0) [[unlikely]] {
      if (!line->IsPassed() && !(is_growing() && MayBeInOther(hash))) return kNone;
      for (int behind = 1; behind <= kLinesBehind; ++behind) __builtin_prefetch(line + behind);
      return kElsewhere;
    }
    const std::uint32_t row = line->Row(static_cast<unsigned>(std::countr_zero(matches)));
    for (matches &= matches - 1; matches != 0; matches &= matches - 1) {
      also(line->Row(static_cast<unsigned>(std::countr_zero(matches))));
    }
    return row;
  }

  /// The first row whose tag fits, or kNone if surely no row has this hash. Reads no row, so a
  /// caller may fetch the row's memory before it compares the key: most often it is the one.
  std::uint32_t Candidate(std::uint64_t hash) const {
    std::uint32_t candidate = kNone;
    Search(hash, [&](std::uint32_t row) {
      candidate = row;
      return true;
    });
    return candidate;
  }

  /// The row of `key`, or kNone.
  std::uint32_t Find(Key key, std::uint64_t hash, const RowStore& rows) const {
    std::uint32_t found = kNone;
    Search(hash, [&](std::uint32_t row) {
      if (rows.KeyOf(row) != key) return false;
      found = row;
      return true;
    });
    return found;
  }

  /// Adds a row. Its key must be written in its header and must not be in the index.
  ///
  /// Cost: constant; up to one line is moved, each entry of which reads its row's key.
  void Insert(std::uint32_t row, std::uint64_t hash, const RowStore& rows);

  /// Moves a growth on for so many keys that are looked for, so that it also ends where nothing
  /// more is inserted: a line for each sixteen of them, as many entries again.
  void MoveOn(std::size_t key_count, const RowStore& rows) {
    if (is_growing()) [[unlikely]]
      Move(key_count / kKeysPerLine + 1, rows);
  }

  /// Removes a row that is in the index.
  void Erase(std::uint32_t row, std::uint64_t hash);

  /// Calls visit(row, hash) for the rows whose hashes' lowest 32 bits lie in [from, to), at most
  /// 2^32, in no useful order; the index must not be changed meanwhile.
  ///
  /// Cost: a cache miss a row, overlapped.
  template <typename Visit>
  void ForEachIn(std::uint64_t from, std::uint64_t to, const RowStore& rows, Visit&& visit) const {
    if (from >= to) return;
    for (const IndexLines* lines : {&lines_, &old_}) {
      if (lines->count() == 0) continue;
      lines->VisitHomes(from, to - 1, [&](const IndexLine& line) {
        for (std::uint32_t taken = line.Taken(); taken != 0; taken &= taken - 1) {
          const auto slot = static_cast<unsigned>(std::countr_zero(taken));
          __builtin_prefetch(rows.Header(line.Row(slot)));
        }
        for (std::uint32_t taken = line.Taken(); taken != 0; taken &= taken - 1) {
          const std::uint32_t row = line.Row(static_cast<unsigned>(std::countr_zero(taken)));
          const std::uint64_t hash = Mix64(rows.KeyOf(row));
          const std::uint64_t place = hash & 0xFFFFFFFF;
          if (from <= place && place < to) visit(row, hash);
        }
      });
    }
  }

  /// Rows in the index.
  std::uint64_t size() const { return size_; }

  /// Whether a growth is under way.
  bool is_growing() const { return old_.count() != 0; }

  /// Bytes of all lines, but for those of the next growth, of which one huge page is touched.
  std::uint64_t bytes() const { return lines_.bytes() + old_.bytes(); }

 private:
  static constexpr std::size_t kKeysPerLine = 16;
  static constexpr int kLinesBehind = 3;  // Nine tenths full, an entry that moved on is 2.4 behind.

  bool BeginsInOld(std::uint64_t hash) const {
    return is_growing() && old_.Home(hash) >= old_.moved();
  }

  // Whether an entry of this hash may be in the generation in which it does not begin.
  bool MayBeInOther(std::uint64_t hash) const {
    const std::uint64_t home = old_.Home(hash);
    return home >= old_.moved() ? home >= early_from_ : old_.IsPassedAtFront();
  }

  // While a growth is under way the generation is a matter of even odds: no branch on it.
  const IndexLine* FirstLine(std::uint64_t hash) const {
    const IndexLine* line = &lines_[lines_.Home(hash)];
    if (is_growing()) [[unlikely]] {
      const std::uint64_t home = old_.Home(hash);
      const IndexLine* const old = &old_[home];
      line = home >= old_.moved() ? old : line;
    }
    return line;
  }

  template <typename Visit>
  bool Search(std::uint64_t hash, Visit&& visit) const {
    if (!is_growing()) [[likely]]
      return lines_.Search(hash, visit);
    // The other generation's line is one that nobody has fetched: it is read only if it must be.
    const bool begins_in_old = BeginsInOld(hash);
    const IndexLines& first = begins_in_old ? old_ : lines_;
    const IndexLines& other = begins_in_old ? lines_ : old_;
    return first.Search(hash, visit) || (MayBeInOther(hash) && other.Search(hash, visit));
  }

  std::uint64_t LargerCount() const;
  void Grow();
  void Move(std::uint64_t line_count, const RowStore& rows);

  IndexLines lines_;
  IndexLines old_;   // Of 0 lines unless the index is growing.
  IndexLines next_;  // For the next growth, not touched but for its first page; or of 0 lines.
  std::uint64_t size_ = 0;

  // In a growth, no entry that wants one of the old lines before this is in lines_ already. Those
  // behind, which are few, found no room before the end of the old lines.
  std::uint64_t early_from_ = 0;
};

}  // namespace longtail::sparse
