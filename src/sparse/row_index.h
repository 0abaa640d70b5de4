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

  RowIndex() : lines_(1) {}

  /// Fetches the line that a search for `hash` = Mix64(key) begins with.
  void Prefetch(std::uint64_t hash) const {
    const IndexLines& first = BeginsInOld(hash) ? old_ : lines_;
    __builtin_prefetch(&first[first.Home(hash)]);
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

  /// Moves up to one line of a growth on, so that it also ends where nothing more is inserted.
  void MoveOn(const RowStore& rows) {
    if (is_growing()) [[unlikely]]
      Move(kLinesPerTurn, rows);
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

  /// Bytes of all lines.
  std::uint64_t bytes() const { return lines_.bytes() + old_.bytes(); }

 private:
  static constexpr std::uint64_t kLinesPerTurn = 1;

  bool BeginsInOld(std::uint64_t hash) const {
    return is_growing() && old_.Home(hash) >= old_.moved();
  }

  template <typename Visit>
  bool Search(std::uint64_t hash, Visit&& visit) const {
    if (!is_growing()) [[likely]]
      return lines_.Search(hash, visit);
    if (BeginsInOld(hash)) return old_.Search(hash, visit) || lines_.Search(hash, visit);
    return lines_.Search(hash, visit) || old_.Search(hash, visit);
  }

  void Grow();
  void Move(std::uint64_t line_count, const RowStore& rows);

  IndexLines lines_;
  IndexLines old_;  // Of 0 lines unless the index is growing.
  std::uint64_t size_ = 0;
};

}  // namespace longtail::sparse
