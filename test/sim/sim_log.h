// What carries out a simulated core's writes: its log, with what a crash leaves of that, and blobs
// in the background. As io/core_loop.h and io/lane_log_writer.h do it, in virtual time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "base/random.h"
#include "protocol/step.h"
#include "sim/memory_store.h"

namespace longtail::sim {

class SimLog {
 public:
  /// Its syncs take a time that is drawn; now and then, while the store is away, a long one.
  /// `keeps_history`: it removes nothing, as LaneLogWriter has it.
  SimLog(MemoryStore& store, std::uint64_t seed, bool keeps_history = false)
      : store_(store), rng_(seed), keeps_history_(keeps_history) {}

  /// The log that is there.
  void Begin(LogBegin begin) { work_.push_back({.begin = std::move(begin)}); }

  /// Takes what `core` wants written, and its wish to be woken.
  void TakeEffects(Core& core, absl::Time now, Effects& effects);

  /// Wakes the core, stores, syncs.
  void Tick(Core& core, absl::Time now, Effects& effects);

  /// When it wants Tick.
  absl::Time next() const { return std::min({synced_at_, stored_at_, wake_at_}); }

  /// All that was handed to it is durable.
  bool is_idle() const { return work_.empty() && writing_.empty() && storing_.empty(); }

  /// Whether it synced, once.
  bool TakeSynced() { return std::exchange(has_synced_, false); }

  /// The write under way leaves a part, or all, or nothing; nothing else is written any more.
  void Crash();

  /// What went wrong; empty: nothing did.
  const std::string& wrong() const { return wrong_; }
  std::uint64_t torn_writes() const { return torn_writes_; }
  std::uint64_t bases() const { return bases_; }

 private:
  struct Work {
    std::optional<LogBegin> begin{};
    std::vector<LogEntry> entries{};
    std::optional<std::uint64_t> trim{};
  };

  void Store(const StoreWrite& write, Core& core, absl::Time now, Effects& effects);
  void Go(absl::Time now);
  void BeginSync(const std::vector<LogEntry>& entries, absl::Time now);
  void RemoveReplaced(bool marks, absl::Time now);
  void Trim(std::uint64_t end, absl::Time now);
  void Write(std::string_view bytes);

  MemoryStore& store_;
  Rng rng_;
  const bool keeps_history_;
  LogBegin log_;                       // The one that is written,
  std::vector<std::string> replaced_;  // and those that go once it is whole.
  std::deque<Work> work_;
  std::string writing_;  // Records of the write under way; empty: none is.
  std::uint64_t writing_end_ = 0;
  absl::Time synced_at_ = absl::InfiniteFuture();
  std::string segment_;  // The one that is written, empty: the next write begins one.
  std::uint64_t segment_bytes_ = 0;
  bool has_synced_ = false;
  std::deque<StoreWrite> storing_;                 // In the background, one after the other;
  absl::Time stored_at_ = absl::InfiniteFuture();  // the first is done then.
  absl::Time wake_at_ = absl::InfiniteFuture();    // The core wants its Tick.
  std::string wrong_;
  std::uint64_t torn_writes_ = 0;
  std::uint64_t bases_ = 0;
};

}  // namespace longtail::sim
