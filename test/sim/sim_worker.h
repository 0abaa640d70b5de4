// A worker's core with the training it does: opens its session, steps, leaves or dies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/random.h"
#include "protocol/cluster_map.h"
#include "protocol/step.h"
#include "sim/ledger.h"
#include "worker/worker_core.h"

namespace longtail::sim {

/// What one worker is to do.
struct WorkerScript {
  NodeId self{};
  SessionId session{};
  std::uint32_t rank = 0;
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;
  std::uint64_t compute_ms_max = 0;  ///< How long it thinks between a pull and its pushes.
  bool has_short_deadlines = false;  ///< Some calls end before they can be answered.
  // How pulls and pushes travel; none: as plain messages.
  std::optional<WireValues> rows{};
  std::optional<WireValues> gradients{};
  bool names_key_lists = false;       ///< Of those that are compact.
  std::uint64_t epoch = kFirstEpoch;  ///< Of the cluster.
  bool may_be_rolled_back = false;    ///< Its calls may end as Aborted, and then it is over.
};

/// Keys of every table.
inline constexpr std::uint64_t kKeys = 12;
inline Key KeyOf(std::uint64_t number) {
  return number * 0x9E3779B97F4A7C15U;
}

class SimWorker {
 public:
  SimWorker(const WorkerScript& script, const ClusterMap& map, Ledger& ledger);

  /// Goes on with the script as far as it can without waiting.
  void Advance(absl::Time now, Effects& effects);
  void Step(const Envelope& event, absl::Time now, Effects& effects);
  void Tick(absl::Time now, Effects& effects) { core_.Tick(now, effects); }

  /// Takes note of calls that ended. Returns what is wrong, or nothing.
  std::string Note(const std::vector<Completion>& completions, absl::Time now);

  /// It does nothing any more. Only while it trains: a rank that nobody took is waited for.
  void Die();
  bool trains() const { return Phase::kPulling <= phase_ && phase_ <= Phase::kDraining; }

  bool is_gone() const { return phase_ >= Phase::kLeft; }
  bool is_dead() const { return phase_ == Phase::kDead; }
  const WorkerScript& script() const { return script_; }
  Ledger& ledger() { return ledger_; }
  WorkerStatistics statistics() const { return core_.statistics(); }
  std::uint64_t resent() const { return core_.resent(); }
  std::uint64_t timed_out() const { return timed_out_; }

 private:
  enum class Phase {
    kNew,
    kOpening,
    kPulling,
    kComputing,
    kDraining,
    kClosing,
    kLeft,
    kDead,
  };

  // A pull and the memory it writes to.
  struct Pull {
    std::uint64_t call = 0;
    std::vector<std::pair<RowName, std::vector<float>>> rows;
    std::vector<std::string> packed{};  // Of rows of counts, at their places.
    std::shared_ptr<PullSink> sink = std::make_shared<PullSink>();
  };

  void ToEveryLane(bool opens, absl::Time now, Effects& effects);
  void StartPull(absl::Time now, Effects& effects);
  void StartPushes(absl::Time now, Effects& effects);
  void PushSome(absl::Time now, Effects& effects);
  void EndStep(absl::Time now, Effects& effects);
  void Compute(absl::Time now);
  std::string CheckPulled();
  Key DrawKey() { return KeyOf(rng_.Below(kKeys)); }

  const WorkerScript script_;
  const ClusterMap& map_;
  Ledger& ledger_;
  Rng rng_;
  WorkerCore core_;
  Phase phase_ = Phase::kNew;
  std::uint64_t waited_for_ = 0;  // The call that the script waits for.
  std::uint64_t steps_done_ = 0;
  std::uint64_t timed_out_ = 0;
  absl::Time compute_until_;
  WorkerStatistics seen_;  // Before the pull that the script waits for.
  std::optional<Pull> pull_;
};

}  // namespace longtail::sim
