// A worker's core with the training it does: opens its session, steps, leaves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/random.h"
#include "protocol/cluster_map.h"
#include "protocol/step.h"
#include "worker/worker_core.h"

namespace longtail::sim {

/// A row by table and key.
using RowName = std::pair<std::size_t, Key>;

/// What all pushes together must have done to the tables, kept by the one who knows all of them.
struct Ledger {
  /// Sums of gradients, first column, by row: of all steps before step s at [s].
  std::map<std::uint64_t, std::map<RowName, std::int64_t>> pushed_in_step;
  std::map<RowName, std::int64_t> pushed;         ///< By row, all steps.
  std::map<RowName, std::uint64_t> pushed_count;  ///< By row, occurrences.
};

/// What one worker is to do.
struct WorkerScript {
  NodeId self{};
  SessionId session{};
  std::uint32_t rank = 0;
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;
  bool has_short_deadlines = false;  ///< Some calls end before they can be answered.
};

class SimWorker {
 public:
  SimWorker(const WorkerScript& script, const ClusterMap& map, Ledger& ledger);

  /// Goes on with the script as far as it can without waiting.
  void Advance(absl::Time now, Effects& effects);
  void Step(const Envelope& event, absl::Time now, Effects& effects);
  void Tick(absl::Time now, Effects& effects) { core_.Tick(now, effects); }

  /// Takes note of calls that ended. Returns what is wrong, or nothing.
  std::string Note(const std::vector<Completion>& completions);

  bool has_left() const { return phase_ == Phase::kLeft; }
  std::uint64_t resent() const { return core_.resent(); }
  std::uint64_t timed_out() const { return timed_out_; }

 private:
  enum class Phase { kNew, kOpening, kPulling, kPushing, kDraining, kClosing, kLeft };

  // A pull and the memory it writes to.
  struct Pull {
    std::uint64_t call = 0;
    std::vector<std::pair<RowName, std::vector<float>>> rows;
    std::shared_ptr<PullSink> sink = std::make_shared<PullSink>();
  };

  void ToEveryLane(bool opens, absl::Time now, Effects& effects);
  void StartPull(absl::Time now, Effects& effects);
  void StartPushes(absl::Time now, Effects& effects);
  void PushSome(absl::Time now, Effects& effects);
  void EndStep(absl::Time now, Effects& effects);
  std::string CheckPulled() const;
  Key DrawKey() { return rng_.Below(12) * 0x9E3779B97F4A7C15U; }

  const WorkerScript script_;
  const ClusterMap& map_;
  Ledger& ledger_;
  Rng rng_;
  WorkerCore core_;
  Phase phase_ = Phase::kNew;
  std::uint64_t waited_for_ = 0;  // The call that the script waits for.
  std::uint64_t steps_done_ = 0;
  std::uint64_t timed_out_ = 0;
  std::optional<Pull> pull_;
};

}  // namespace longtail::sim
