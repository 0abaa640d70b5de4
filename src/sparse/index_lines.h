// An array of index lines of any length: one generation of a row index.
//
// An entry wants the line that its hash names, in the order of hashes: the lowest 32 bits scaled to
// the number of lines. If that line is full it lies in the next one with room, around the end.
//
// Thread: one owner.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/page_toucher.h"
#include "sparse/index_line.h"
#include "sparse/pages.h"

namespace longtail::sparse {

class IndexLines {
 public:
  static constexpr std::uint64_t kLinesPerPage = kHugePageBytes / sizeof(IndexLine);

  IndexLines() = default;

  /// `count` empty lines; 0 < count < 2^32.
  explicit IndexLines(std::uint64_t count)
      : lines_(static_cast<IndexLine*>(TakePages(count * sizeof(IndexLine)))), count_(count) {
    if (count * sizeof(IndexLine) >= kHugePageBytes)
      return;  // Zero as they are: no page is touched.
    std::uninitialized_default_construct_n(lines_, count);
  }

  IndexLines(IndexLines&& other) noexcept { Swap(other); }
  IndexLines& operator=(IndexLines&& other) noexcept {
    IndexLines taken(std::move(other));
    Swap(taken);
    return *this;
  }
  IndexLines(const IndexLines&) = delete;
  IndexLines& operator=(const IndexLines&) = delete;
  ~IndexLines() {
    if (lines_ != nullptr) ReleasePages(lines_, count_ * sizeof(IndexLine));
  }

  std::uint64_t count() const { return count_; }

  IndexLine& operator[](std::uint64_t line) { return lines_[line]; }
  const IndexLine& operator[](std::uint64_t line) const { return lines_[line]; }

  /// The line that an entry of this hash wants.
  std::uint64_t Home(std::uint64_t hash) const { return ((hash & 0xFFFFFFFF) * count_) >> 32; }
  std::uint64_t After(std::uint64_t line) const { return line + 1 == count_ ? 0 : line + 1; }

  /// Calls visit(row) for each entry that has the tag of `hash`, from the line that it wants on,
  /// until one returns true. Whether one did.
  template <typename Visit>
  bool Search(std::uint64_t hash, Visit&& visit) const {
    return Walk(hash, [&](std::uint64_t at) {
      for (std::uint32_t matches = lines_[at].Match(TagOf(hash)); matches != 0;
           matches &= matches - 1) {
        if (visit(lines_[at].Row(static_cast<unsigned>(std::countr_zero(matches))))) return true;
      }
      return false;
    });
  }

  /// Adds an entry. Needs a free slot in some line.
  void Place(std::uint64_t hash, std::uint32_t row) {
    std::uint64_t at = Home(hash);
    std::uint32_t room = lines_[at].Match(0);
    while (room == 0) {
      lines_[at].CountPassed();
      at = After(at);
      room = lines_[at].Match(0);
    }
    lines_[at].Fill(static_cast<unsigned>(std::countr_zero(room)), TagOf(hash), row);
  }

  /// Adds an entry that wants a line that has not been moved; false, and nothing is changed, if
  /// there is no free slot from that line to the last.
  bool PlaceBeforeEnd(std::uint64_t hash, std::uint32_t row) {
    const std::uint64_t home = Home(hash);
    std::uint64_t at = home;
    std::uint32_t room = lines_[at].Match(0);
    while (room == 0) {
      if (++at == count_) return false;
      room = lines_[at].Match(0);
    }
    for (std::uint64_t passed = home; passed != at; ++passed) lines_[passed].CountPassed();
    lines_[at].Fill(static_cast<unsigned>(std::countr_zero(room)), TagOf(hash), row);
    return true;
  }

  /// Removes an entry; false if it is not here.
  bool Remove(std::uint64_t hash, std::uint32_t row) {
    std::uint64_t found = 0;
    const bool is_here = Walk(hash, [&](std::uint64_t at) {
      for (std::uint32_t matches = lines_[at].Match(TagOf(hash)); matches != 0;
           matches &= matches - 1) {
        const auto slot = static_cast<unsigned>(std::countr_zero(matches));
        if (lines_[at].Row(slot) != row) continue;
        lines_[at].Clear(slot);
        found = at;
        return true;
      }
      return false;
    });
    if (!is_here) return false;
    Walk(hash, [&](std::uint64_t at) {
      if (at != found) lines_[at].CountBack();
      return at == found;
    });
    return true;
  }

  /// Calls visit(line) for every line in which an entry may lie whose hash has lowest 32 bits from
  /// `first` to `last`, each line once.
  template <typename Visit>
  void VisitHomes(std::uint64_t first, std::uint64_t last, Visit&& visit) const {
    const std::uint64_t end = Home(last);
    std::uint64_t at = Home(first);
    bool is_past_end = false;  // On lines that hold only what found no room in its own.
    for (std::uint64_t begin = count_;;) {
      if (at < moved_) {
        const bool has_home_left = !is_past_end && end >= moved_;
        if (moved_ == count_ || (!has_home_left && !lines_[moved_ - 1].IsPassed())) return;
        is_past_end |= end < moved_;
        at = moved_;
      }
      if (at == begin) return;
      if (begin == count_) begin = at;
      visit(lines_[at]);
      is_past_end |= at == end;
      if (is_past_end && !lines_[at].IsPassed()) return;
      at = After(at);
    }
  }

  /// Lines 0 to moved() - 1 are given up: their entries are in another generation, none is looked
  /// for there.
  std::uint64_t moved() const { return moved_; }

  /// Whether an entry that wants a line that was given up may lie in one that was not.
  bool IsPassedAtFront() const {
    return moved_ > 0 && moved_ < count_ && lines_[moved_ - 1].IsPassed();
  }

  /// Calls visit(row) for each entry of the next line and gives it up; true if it was the last.
  template <typename Visit>
  bool MoveLine(Visit&& visit) {
    const IndexLine& line = lines_[moved_];
    for (std::uint32_t taken = line.Taken(); taken != 0; taken &= taken - 1) {
      visit(line.Row(static_cast<unsigned>(std::countr_zero(taken))));
    }
    ++moved_;
    // Huge pages go back one by one, but for the line that says whether any entry has passed it.
    if (moved_ - dropped_ > kLinesPerPage) {
      DropPages(lines_ + dropped_, kHugePageBytes);
      dropped_ += kLinesPerPage;
    }
    return moved_ == count_;
  }

  /// Asks for the first huge page to be touched, or all lines if they are less.
  void TouchFirst() { TouchSoon(lines_, std::min(kLinesPerPage, count_) * sizeof(IndexLine)); }

  /// Asks for the memory behind the huge page of `line` to be touched: entries come to it next.
  void TouchAfter(std::uint64_t line) {
    const std::uint64_t next = (line / kLinesPerPage + 1) * kLinesPerPage;
    if (next < count_) {
      TouchSoon(lines_ + next, std::min(kLinesPerPage, count_ - next) * sizeof(IndexLine));
    }
  }

  /// Bytes of the lines that have not gone back to the system.
  std::uint64_t bytes() const { return (count_ - dropped_) * sizeof(IndexLine); }

 private:
  void Swap(IndexLines& other) noexcept {
    std::swap(lines_, other.lines_);
    std::swap(count_, other.count_);
    std::swap(moved_, other.moved_);
    std::swap(dropped_, other.dropped_);
  }

  // Calls visit(line number) for the lines in which an entry of this hash may lie, in the order in
  // which it was placed, until one returns true. Lines that were given up are left out: the last of
  // them knows whether an entry has passed them all.
  template <typename Visit>
  bool Walk(std::uint64_t hash, Visit&& visit) const {
    std::uint64_t at = Home(hash);
    for (std::uint64_t left = count_; left != 0; --left) {
      if (at < moved_) {
        if (moved_ == count_ || !lines_[moved_ - 1].IsPassed()) return false;
        at = moved_;
      }
      if (visit(at)) return true;
      if (!lines_[at].IsPassed()) return false;
      at = After(at);
    }
    return false;
  }

  IndexLine* lines_ = nullptr;
  std::uint64_t count_ = 0;
  std::uint64_t moved_ = 0;
  std::uint64_t dropped_ = 0;  // Of the moved lines, those whose memory has gone back.
};

}  // namespace longtail::sparse
