// A lane of a simulation, with its log and what a crash leaves of that.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/random.h"
#include "protocol/cluster_map.h"
#include "server/lane_core.h"
#include "sim/memory_store.h"

namespace longtail::sim {

class SimLane {
 public:
  /// The lane that is number `lane` of `map`, one of a server of its own. Its syncs take a time
  /// that is drawn; now and then, while the store is away, a long one. It keeps as many bytes of
  /// lists of keys as it is given, and has none after a crash.
  SimLane(std::shared_ptr<const ClusterMap> map, std::uint32_t lane, bool keeps_log,
          std::uint64_t seed, std::size_t key_list_bytes_max);

  /// What is sent to a lane that is down is lost.
  void Step(const Envelope& event, absl::Time now, Effects& effects);

  /// Comes back, or has synced.
  void Tick(absl::Time now, Effects& effects);

  /// When it wants Tick.
  absl::Time next() const {
    return is_up() ? std::min({synced_at_, stored_at_, wake_at_}) : up_at_;
  }

  /// Loses all but its log, of which the write under way leaves a part, or all, or nothing; comes
  /// back at `up_at`. Needs a log and to be up.
  void Crash(absl::Time up_at);

  bool is_up() const { return core_ != nullptr; }
  bool keeps_log() const { return keeps_log_; }
  const server::LaneCore& core() const { return *core_; }

  /// Why it could not come back; empty: it always could.
  const std::string& wrong() const { return wrong_; }

  std::uint64_t torn_writes() const { return torn_writes_; }
  std::uint64_t bases() const { return bases_; }

 private:
  void TakeEffects(absl::Time now, Effects& effects);
  void Store(const StoreWrite& write, absl::Time now, Effects& effects);
  void BeginSync(absl::Time now);
  void WriteBase(absl::Time now, Effects& effects);
  void Trim();
  void Write(std::string_view bytes);
  std::string ServerName() const;

  const std::shared_ptr<const ClusterMap> map_;
  const std::uint32_t lane_;
  const bool keeps_log_;
  Rng rng_;
  MemoryStore store_;
  std::unique_ptr<server::LaneCore> core_;  // Null: it is down.

  std::vector<LogEntry> pending_;  // Not yet being written.
  std::string writing_;            // Records of the write under way; empty: none is.
  std::uint64_t writing_end_ = 0;
  absl::Time synced_at_ = absl::InfiniteFuture();
  absl::Time up_at_ = absl::InfiniteFuture();
  std::string segment_;  // The one that is written, empty: the next write begins one.
  std::uint64_t segment_bytes_ = 0;

  std::deque<StoreWrite> storing_;                 // In the background, one after the other;
  absl::Time stored_at_ = absl::InfiniteFuture();  // the first is done then.
  absl::Time wake_at_ = absl::InfiniteFuture();    // The lane wants its Tick.

  std::optional<std::uint64_t> trim_;  // The log before this is to go.

  std::string wrong_;
  std::uint64_t torn_writes_ = 0;
  std::uint64_t bases_ = 0;
};

}  // namespace longtail::sim
