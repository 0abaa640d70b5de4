// The contract of every core: what goes in, what comes out.
//
// A core is a deterministic state machine. `Step(event, now, effects)` takes an event and the time,
// changes the core's state and appends what must be done to `effects`. It never blocks, locks,
// logs, reads a clock or draws a random number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "protocol/evicted_keys.h"
#include "protocol/lane_log.h"
#include "protocol/messages.h"
#include "protocol/snapshot_format.h"

namespace longtail {

/// A blob to be written; its outcome comes back as a StoreAnswer with the same ticket.
struct StoreWrite {
  std::uint64_t ticket = 0;
  std::string name;
  std::string bytes{};
  /// If not null, the blob is this chunk, encoded by who writes it: the core need not wait for
  /// that.
  std::shared_ptr<const SnapshotChunk> chunk{};
  bool is_base = false;        ///< Goes to where the log is, not to where checkpoints are.
  bool is_background = false;  ///< The core goes on meanwhile; the others are written first.
};

struct StoreAnswer {
  std::uint64_t ticket = 0;
  absl::Status status;
  std::uint64_t bytes = 0;     ///< Of the blob,
  std::uint64_t checksum = 0;  ///< and XXH3-64 over them.
};

/// A message that changed state, for the lane's log.
struct LogEntry {
  std::uint64_t number = 0;  ///< One after the other, from 0.
  Message message;
  std::uint64_t time_us = 0;  ///< See LogRecordHeader.
  /// The message as a frame, if it is one already, and what keeps its bytes.
  std::span<const std::byte> frame{};
  std::shared_ptr<const void> owner{};
};

/// A log begins, or goes on; the one before it, if it is another, goes once this one is whole.
struct LogBegin {
  std::uint64_t log = 0;   ///< Its number, for OnLogged.
  std::string prefix;      ///< Of its blobs' names. Empty: nothing is logged from here on.
  LaneLogHeader header{};  ///< `first`: the entry that comes next.
  bool is_whole = false;   ///< The entries before that are there; else a base will stand for them.
};

/// The outcome of a call that this process's own threads wait for.
struct Completion {
  std::uint64_t call = 0;
  absl::Status status;
  std::uint64_t applied = 0;  ///< Pulls: steps that all who answered had applied.
};

/// What the caller must do after a Step, in this order: make the writes durable (each answered by
/// a StoreAnswer event) or begin those in the background, in any order among them, begin a log,
/// hand entries to it (OnLogged tells when they are durable), let its beginning go, note evictions
/// down if there is an audit, send, tell waiting callers, note when to call Tick next. Reused by
/// the caller: Clear keeps memory.
struct Effects {
  std::vector<StoreWrite> writes;
  std::optional<LogBegin> log_begin;
  std::vector<LogEntry> log;
  /// A base of the log is durable: entries below this number are no longer needed.
  std::optional<std::uint64_t> log_base;
  std::vector<EvictedKeys> evictions;
  std::vector<Envelope> sends;
  std::vector<Completion> completions;
  std::optional<absl::Time> wake_at;

  void Clear() {
    writes.clear();
    log_begin.reset();
    log.clear();
    log_base.reset();
    evictions.clear();
    sends.clear();
    completions.clear();
    wake_at.reset();
  }
  void WakeAt(absl::Time when) {
    if (!wake_at || when < *wake_at) wake_at = when;
  }
};

/// A core as its loop sees it.
class Core {
 public:
  virtual ~Core() = default;
  virtual void Step(const Envelope& event, absl::Time now, Effects& effects) = 0;
  virtual void OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) = 0;
  virtual void Tick(absl::Time now, Effects& effects) = 0;

  /// Entries of that log with numbers below `end` are durable. For cores that keep one.
  virtual void OnLogged(std::uint64_t /*log*/, std::uint64_t /*end*/, absl::Time /*now*/,
                        Effects& /*effects*/) {}
};

}  // namespace longtail
