// Writes a lane's log: one thread that takes all entries there are, writes them together, and says
// how far the log is durable.
//
// While a write is under way the lane goes on, and what it does meanwhile is the next write: so the
// cost of a sync is shared by all that wait for it. A write that fails is tried again until it
// succeeds; nothing is acknowledged meanwhile, and the log says why.
//
// Once a base is durable (protocol/lane_base.h) it removes what that has made superfluous; and,
// once a log is whole, the one that it takes the place of. Where logs are kept for a while it only
// marks the latter, and removing is left to who keeps them (log_keeper.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/mutex.h"
#include "io/blob_store.h"
#include "protocol/step.h"

namespace longtail {

/// Removes a whole log, or what is left of one, but for its mark.
absl::Status RemoveLaneLog(BlobStore& store, const std::string& prefix);

class LaneLogWriter {
 public:
  struct Options {
    BlobStore* store = nullptr;  ///< Must outlive the writer.
    /// A new segment is begun behind so many bytes; a larger entry is one by itself.
    std::size_t segment_bytes_max = std::size_t{32} << 20;
    absl::Duration retry_after = absl::Seconds(1);
    bool keeps_history = false;  ///< It removes nothing.
    Log log{};
  };

  explicit LaneLogWriter(Options options) : options_(std::move(options)) {}
  ~LaneLogWriter() { Stop(); }
  LaneLogWriter(const LaneLogWriter&) = delete;
  LaneLogWriter& operator=(const LaneLogWriter&) = delete;

  /// Begins to write. `on_durable(log, end)` is called on the writer's thread: entries of that log
  /// below `end` are durable.
  using OnDurable = std::function<void(std::uint64_t log, std::uint64_t end)>;
  void Start(OnDurable on_durable);

  /// What is appended from here on is of that log. The one before it, and what that one was to take
  /// the place of, is removed once this one is whole. `bytes_since_base`: of what is there of it.
  /// Thread: as Append.
  void Begin(LogBegin begin, std::uint64_t bytes_since_base = 0);

  /// Takes entries, in the order of their numbers, and empties the list. Thread: any, one at a
  /// time.
  void Append(std::vector<LogEntry>& entries);

  /// A base begins that stands for all that was appended. Thread: as Append.
  void NoteBase() { base_bytes_ = bytes_written_.load(); }

  /// Entries below `end` are in a base that is durable: what no longer serves is removed, segments
  /// older bases and the logs before this one, as soon as the thread comes to it. Thread: as
  /// Append.
  void Trim(std::uint64_t end);

  BlobStore* store() const { return options_.store; }

  /// Bytes written to it, with what was there of the log that it goes on with. Thread: any.
  std::uint64_t bytes_written() const { return bytes_written_; }

  /// Bytes written since the newest base that is durable began, about. Thread: any.
  std::uint64_t bytes_since_base() const { return bytes_written_ - trimmed_bytes_; }

  /// Writes what it has, unless that fails, and ends the thread.
  void Stop();

 private:
  // What there is to do, in order: a log to begin, entries of it, what a base makes superfluous.
  struct Work {
    std::optional<LogBegin> begin{};
    std::vector<LogEntry> entries{};
    std::optional<std::uint64_t> trim{};
  };

  void Run(const OnDurable& on_durable);
  void StartLog(LogBegin begin);
  // One write: `entries` from `at` on, as many as a segment takes. The end of what it took, or `at`
  // if it was stopped while the store refused.
  std::size_t WriteSome(const std::vector<LogEntry>& entries, std::size_t at);
  void RemoveBefore(std::uint64_t end);
  // `marks`: their lane went elsewhere, and a base of theirs may still be under way.
  void RemoveReplaced(bool marks);
  // False once it must stop.
  bool Pause(absl::Duration duration);

  const Options options_;

  Mutex mutex_;
  CondVar changed_;
  std::vector<Work> pending_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<std::uint64_t> bytes_written_ = 0;  // Of the log, with what was there.
  std::atomic<std::uint64_t> base_bytes_ = 0;     // Those before the base that is written began,
  std::atomic<std::uint64_t> trimmed_bytes_ = 0;  // and before the one that is durable did.

  // The thread's own.
  LogBegin log_;                       // The one that is written,
  std::vector<std::string> replaced_;  // and the prefixes of those that go once it is whole.
  std::string segment_;       // The name of the segment that is written, empty before the first.
  std::uint64_t offset_ = 0;  // Its durable bytes.
  std::string bytes_;         // Of one write.
  std::string frame_;         // Of one record.
  std::thread thread_;
};

}  // namespace longtail
