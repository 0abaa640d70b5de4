// The newest entries of a lane's log, as the frames that its followers get.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

#include "protocol/replication.h"

namespace longtail::server {

/// Thread: as its replica.
class LaneTail {
 public:
  /// Forgets all it has; the next entry is number `first`.
  void Reset(std::uint64_t first);

  /// Adds the entry number end(), of that time. `owner` keeps its bytes.
  void Append(std::span<const std::byte> frame, std::shared_ptr<const void> owner,
              std::uint64_t time_us);

  std::uint64_t first() const { return first_; }
  std::uint64_t end() const { return first_ + frames_.size(); }
  std::size_t bytes() const { return BytesFrom(first_); }

  /// Bytes of the entries from that one on. Needs first() <= from.
  std::size_t BytesFrom(std::uint64_t from) const;

  /// Puts entries from `from` on into an answer: as many as `bytes_max` and a message allow, and
  /// at least one if there is one. Needs first() <= from.
  void Copy(std::uint64_t from, std::size_t bytes_max, LaneEntries& answer) const;

  /// Lets go of entries below `end`, the oldest first, as long as more than `bytes_kept` are left.
  void Trim(std::uint64_t end, std::size_t bytes_kept);

 private:
  struct Frame {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
    std::uint64_t time_us = 0;
    std::size_t before = 0;  // Bytes of all entries that ever were before it.
  };

  std::deque<Frame> frames_;
  std::uint64_t first_ = 0;
  std::size_t appended_ = 0;  // Bytes of all entries that ever were.
};

}  // namespace longtail::server
