// What a core's loop has done: messages by kind with how long each took, refusals, writes.
//
// Counting costs some tens of nanoseconds a message, nothing a row, and no lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "protocol/messages.h"

namespace longtail {

/// Durations in classes. Thread: one at a time writes, any reads.
class DurationCounts {
 public:
  /// Upper bounds of the classes, in seconds; a last class is without one.
  static constexpr std::array<double, 16> kBounds{10e-6, 25e-6,  50e-6, 100e-6, 250e-6, 500e-6,
                                                  1e-3,  2.5e-3, 5e-3,  10e-3,  25e-3,  50e-3,
                                                  0.1,   0.25,   1,     10};

  struct Reading {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};  ///< By class, not cumulative.
    std::uint64_t count = 0;
    double seconds = 0;
  };

  void Add(absl::Duration duration);
  Reading Read() const;

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> nanoseconds_ = 0;
};

/// Thread: what is noted, the loop's, but for NoteWrite: any. Reading: any.
class LoopMeter {
 public:
  static constexpr std::size_t kKinds = std::variant_size_v<Message>;
  static constexpr std::size_t kCodes = 17;  ///< Of absl::StatusCode.

  struct Writes {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t failed = 0;
    double seconds = 0;
  };

  /// The loop has woken up and looks around.
  void NoteTurn(absl::Time now) { turned_at_ = absl::ToUnixMicros(now); }

  /// A message of that kind (Message::index()) was dealt with.
  void NoteMessage(std::size_t kind, absl::Duration took) { messages_[kind].Add(took); }

  /// A message is sent: if it is an answer, whether it says no.
  void NoteAnswer(const Message& message, absl::Time now);

  /// Something was written to the store, or was not.
  void NoteWrite(std::size_t bytes, bool is_ok, absl::Duration took);

  /// When the loop last looked around; one that has nothing to do looks around each second.
  /// InfinitePast: it has not yet.
  absl::Time turned_at() const;

  /// By Message::index().
  DurationCounts::Reading messages(std::size_t kind) const { return messages_[kind].Read(); }

  /// Answers that said no, by absl::StatusCode.
  std::uint64_t refusals(std::size_t code) const { return refusals_[code]; }

  Writes writes() const;

  /// Snapshots for checkpoints that were written whole, and when the last one was.
  std::uint64_t snapshots() const { return snapshots_; }
  absl::Time last_snapshot_at() const;

 private:
  static constexpr std::int64_t kNever = 0;

  std::array<DurationCounts, kKinds> messages_;
  std::array<std::atomic<std::uint64_t>, kCodes> refusals_{};
  std::atomic<std::int64_t> turned_at_ = kNever;
  std::atomic<std::uint64_t> snapshots_ = 0;
  std::atomic<std::int64_t> last_snapshot_at_ = kNever;
  std::atomic<std::uint64_t> writes_ = 0;
  std::atomic<std::uint64_t> written_bytes_ = 0;
  std::atomic<std::uint64_t> failed_writes_ = 0;
  std::atomic<std::uint64_t> write_nanoseconds_ = 0;
};

}  // namespace longtail
