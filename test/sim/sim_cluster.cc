#include "sim/sim_cluster.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "protocol/checksum.h"
#include "protocol/wire.h"
#include "server/lane_core.h"
#include "sim/sim_network.h"
#include "sim/sim_worker.h"

namespace longtail::sim {
namespace {

constexpr std::uint64_t kHealAfter = 600;  // Steps of a simulation with faults, and at most in all.
constexpr std::uint64_t kStepsMax = 40'000;

Faults DrawFaults(Rng& rng) {
  Faults faults;
  if (rng.Below(2) == 0) faults.loss_percent = static_cast<unsigned>(rng.Below(40));
  if (rng.Below(2) == 0) faults.repeat_percent = static_cast<unsigned>(rng.Below(40));
  if (rng.Below(2) == 0) faults.delay_percent = static_cast<unsigned>(rng.Below(60));
  if (rng.Below(3) == 0) faults.cut_percent = static_cast<unsigned>(rng.Below(5));
  faults.reorders = rng.Below(2) == 0;
  return faults;
}

class SimCluster {
 public:
  SimCluster(std::uint64_t seed, Carriage carriage)
      : carriage_(carriage), rng_(seed), network_(DrawFaults(rng_), rng_.Next()) {
    DrawMap();
    const std::uint64_t steps = 2 + rng_.Below(5);
    const bool leave_early = rng_.Below(3) == 0;
    const bool short_deadlines = rng_.Below(3) == 0;
    for (std::uint32_t rank = 0; rank < map_.worker_count; ++rank) {
      workers_.emplace_back(WorkerScript{.self = NodeId{100 + rank},
                                         .session = SessionId{500 + rank},
                                         .rank = rank,
                                         .seed = rng_.Next(),
                                         .steps = leave_early ? 1 + rng_.Below(steps) : steps,
                                         .has_short_deadlines = short_deadlines},
                            map_, ledger_);
      wake_.push_back(now_);
    }
  }

  SimResult Run() {
    for (; wrong_.empty() && !IsOver() && result_.steps < kStepsMax; ++result_.steps) {
      if (result_.steps == kHealAfter) network_.Heal();
      OneStep();
    }
    if (wrong_.empty() && !IsOver()) wrong_ = absl::StrCat("not over after ", kStepsMax, " steps");
    if (wrong_.empty()) CheckTables();
    for (const SimWorker& worker : workers_) {
      result_.resent += worker.resent();
      result_.timed_out += worker.timed_out();
    }
    result_.wrong = wrong_;
    return result_;
  }

 private:
  void DrawMap() {
    map_.step_mode = rng_.Below(2) == 0 ? StepMode::kAsynchronous : StepMode::kSynchronous;
    map_.worker_count = static_cast<std::uint32_t>(1 + rng_.Below(3));
    const auto lanes = static_cast<std::uint32_t>(1 + rng_.Below(4));
    const std::uint32_t partitions = 4U << rng_.Below(3);
    for (std::uint32_t t = 0, n = static_cast<std::uint32_t>(1 + rng_.Below(3)); t < n; ++t) {
      map_.tables.push_back({.name = absl::StrCat("t", t),
                             .dim = static_cast<std::uint32_t>(1 + rng_.Below(5)),
                             .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
                             .initializer = ConstantSpec{.value = 3}});
    }
    std::vector<std::vector<PartitionId>> owned(lanes);
    for (std::uint32_t p = 0; p < partitions; ++p) {
      map_.lane_of.push_back(p % lanes);
      owned[p % lanes].push_back(PartitionId{p});
    }
    for (std::uint32_t l = 0; l < lanes; ++l) {
      map_.lanes.push_back(NodeId{l});
      lanes_.push_back(std::make_unique<server::LaneCore>(
          server::LaneCore::Options{.self = NodeId{l},
                                    .epoch = map_.epoch,
                                    .step_mode = map_.step_mode,
                                    .worker_count = map_.worker_count,
                                    .partition_count = partitions,
                                    .partitions = owned[l]}));
      for (std::uint32_t t = 0; t < map_.tables.size(); ++t) {
        effects_.Clear();
        lanes_.back()->Step({NodeId{99}, NodeId{l}, CreateTable{1, TableId{t}, map_.tables[t]}},
                            now_, effects_);
      }
    }
  }

  bool IsOver() const {
    return std::ranges::all_of(workers_, [](const SimWorker& w) { return w.has_left(); });
  }

  // Whatever is next: a delivery, or a worker's tick.
  void OneStep() {
    const auto earliest = std::ranges::min_element(wake_);
    if (network_.next() <= *earliest) {
      if (network_.next() == absl::InfiniteFuture()) {
        wrong_ = "nothing is under way and nobody will wake";
        return;
      }
      now_ = network_.next();
      Deliver(network_.Deliver());
      return;
    }
    now_ = *earliest;
    const auto w = static_cast<std::size_t>(earliest - wake_.begin());
    wake_[w] = absl::InfiniteFuture();
    effects_.Clear();
    workers_[w].Tick(now_, effects_);
    AfterWorker(w);
  }

  void Deliver(Envelope event) {
    Trace(event);
    effects_.Clear();
    const auto node = static_cast<std::size_t>(event.target);
    if (node < lanes_.size()) {
      lanes_[node]->Step(event, now_, effects_);
      CarryOut();
      return;
    }
    workers_[node - 100].Step(event, now_, effects_);
    AfterWorker(node - 100);
  }

  void AfterWorker(std::size_t w) {
    if (wrong_.empty()) wrong_ = workers_[w].Note(effects_.completions);
    effects_.completions.clear();
    workers_[w].Advance(now_, effects_);
    // What Advance ended at once, such as a step's end in asynchronous mode, nobody waits for.
    if (effects_.wake_at) wake_[w] = std::min(wake_[w], *effects_.wake_at);
    CarryOut();
  }

  void CarryOut() {
    for (Envelope& envelope : effects_.sends) {
      if (carriage_ == Carriage::kByBytes) {
        Encode(envelope.body, bytes_);
        absl::StatusOr<Message> decoded = Decode(AsBytes(bytes_));
        if (!decoded.ok()) wrong_ = decoded.status().ToString();
        if (decoded.ok()) envelope.body = *std::move(decoded);
      }
      network_.Send(std::move(envelope), now_);
    }
    effects_.sends.clear();
  }

  void Trace(const Envelope& event) {
    Encode(event.body, bytes_);
    const std::uint64_t ends =
        (static_cast<std::uint64_t>(event.source) << 32) + static_cast<std::uint64_t>(event.target);
    result_.trace = Mix64(result_.trace ^ Checksum(AsBytes(bytes_)));
    result_.trace = Mix64(result_.trace + ends);
    result_.trace = Mix64(result_.trace + static_cast<std::uint64_t>(absl::ToUnixNanos(now_)));
  }

  // Each push counted exactly once: each row is 3 less the sum of its gradients, and no other row
  // is there.
  void CheckTables() {
    std::map<RowName, std::int64_t> rows = ledger_.pushed;
    for (std::uint32_t p = 0; p < map_.lane_of.size(); ++p) {
      const server::PartitionCore& core = *lanes_[map_.lane_of[p]]->FindPartition(PartitionId{p});
      for (std::uint32_t t = 0; t < map_.tables.size(); ++t) {
        core.table(TableId{t}).ForEachRow([&](const sparse::RowView& row) {
          const RowName name{t, row.key};
          const std::int64_t sum = rows[name];
          bool is_right = rows.erase(name) == 1 && row.count == ledger_.pushed_count[name];
          for (std::size_t c = 0; c < row.values.size(); ++c) {
            is_right &=
                row.values[c] == static_cast<float>(3 - sum * static_cast<std::int64_t>(c + 1));
          }
          if (!is_right) {
            wrong_ =
                absl::StrCat("table ", t, " key ", row.key, ": weight ", row.values[0], " count ",
                             row.count, ": want ", 3 - sum, " and ", ledger_.pushed_count[name]);
          }
        });
      }
    }
    if (wrong_.empty() && !rows.empty()) {
      wrong_ = absl::StrCat(rows.size(), " rows that were pushed are not there");
    }
  }

  const Carriage carriage_;
  Rng rng_;
  SimNetwork network_;
  absl::Time now_ = absl::UnixEpoch();
  ClusterMap map_;
  Ledger ledger_;
  std::vector<std::unique_ptr<server::LaneCore>> lanes_;
  std::deque<SimWorker> workers_;  // Cores do not move.
  std::vector<absl::Time> wake_;   // Of workers.
  Effects effects_;
  std::string bytes_;
  std::string wrong_;
  SimResult result_;
};

}  // namespace

SimResult Simulate(std::uint64_t seed, Carriage carriage) {
  return SimCluster(seed, carriage).Run();
}

}  // namespace longtail::sim
