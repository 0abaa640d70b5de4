// Memory for records of different sizes that leave in the order in which they came.
//
//   0        tail             head            end of memory
//   | free   | oldest … newest | free          |
//   | newest | free | oldest …          | lost |    once the head has gone round
//
// A record is never cut in two: where it does not fit before the end of memory, it begins at 0 and
// what is left at the end is lost until the tail has gone round, too.
//
// Threads: not thread-safe; the owner locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace longtail {

/// Sizes and places are in words of 8 bytes. It does not know where a record ends: who drops one
/// says how long it is.
class RecordRing {
 public:
  /// Memory is taken whole and never touched before a record comes to lie there.
  explicit RecordRing(std::size_t size)
      : words_(std::make_unique_for_overwrite<std::uint64_t[]>(size)), size_(size), end_(size) {}

  /// Whether a record of so many words has room behind the newest.
  bool Fits(std::size_t words) const;

  /// Makes the newest record and gives its place. Needs Fits(words).
  std::size_t Add(std::size_t words);

  /// Drops the oldest record, of so many words.
  void DropOldest(std::size_t words);

  /// The place of the oldest record. Needs record_count() > 0.
  std::size_t oldest() const { return tail_; }

  std::uint64_t* At(std::size_t place) { return words_.get() + place; }
  const std::uint64_t* At(std::size_t place) const { return words_.get() + place; }

  std::size_t size() const { return size_; }
  std::size_t used() const { return used_; }  ///< Words of the records there are.
  std::size_t record_count() const { return record_count_; }

 private:
  const std::unique_ptr<std::uint64_t[]> words_;
  const std::size_t size_;
  std::size_t head_ = 0;  // Where the next record begins,
  std::size_t tail_ = 0;  // and the oldest one.
  std::size_t end_;       // Where the records behind the tail end, if the head has gone round.
  bool is_round_ = false;
  std::size_t used_ = 0;
  std::size_t record_count_ = 0;
};

}  // namespace longtail
