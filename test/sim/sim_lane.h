// A lane of a simulation, with its log and what a crash leaves of that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "base/random.h"
#include "protocol/cluster_map.h"
#include "server/lane_core.h"
#include "sim/memory_store.h"
#include "sim/sim_log.h"

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
  absl::Time next() const { return is_up() ? log_.next() : up_at_; }

  /// Loses all but its log, of which the write under way leaves a part, or all, or nothing; comes
  /// back at `up_at`. Needs a log and to be up.
  void Crash(absl::Time up_at);

  bool is_up() const { return core_ != nullptr; }
  bool keeps_log() const { return keeps_log_; }
  const server::LaneCore& core() const { return *core_; }

  /// Why it could not come back; empty: it always could.
  const std::string& wrong() const { return wrong_.empty() ? log_.wrong() : wrong_; }

  std::uint64_t torn_writes() const { return log_.torn_writes(); }
  std::uint64_t bases() const { return log_.bases(); }

 private:
  void BeginLog(std::uint64_t first);
  NodeId Node() const;
  std::string Prefix() const;

  const std::shared_ptr<const ClusterMap> map_;
  const std::uint32_t lane_;
  const bool keeps_log_;
  Rng rng_;
  MemoryStore store_;
  SimLog log_;
  std::unique_ptr<server::LaneCore> core_;  // Null: it is down.
  absl::Time up_at_ = absl::InfiniteFuture();
  std::string wrong_;
};

}  // namespace longtail::sim
