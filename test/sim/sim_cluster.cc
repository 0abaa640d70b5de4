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
#include "sim/ledger.h"
#include "sim/sim_closer.h"
#include "sim/sim_counts.h"
#include "sim/sim_lane.h"
#include "sim/sim_network.h"
#include "sim/sim_replicas.h"
#include "sim/sim_worker.h"

namespace longtail::sim {
namespace {

constexpr std::uint64_t kHealAfter = 600;  // Steps of a simulation with faults, and at most in all.
constexpr std::uint64_t kStepsMax = 40'000;
constexpr absl::Duration kTimeMax = absl::Seconds(5);  // That it may take once it is healed.
constexpr std::uint64_t kRollback = 12;                // Among those who crash.
constexpr NodeId kCloser{98};
constexpr std::uint32_t kFirstWorker = 100;

Faults DrawFaults(std::uint64_t seed) {
  Rng rng(Mix64(seed + 1));
  Faults faults;
  if (rng.Below(2) == 0) faults.loss_percent = static_cast<unsigned>(rng.Below(40));
  if (rng.Below(2) == 0) faults.repeat_percent = static_cast<unsigned>(rng.Below(40));
  if (rng.Below(2) == 0) faults.delay_percent = static_cast<unsigned>(rng.Below(60));
  if (rng.Below(3) == 0) faults.cut_percent = static_cast<unsigned>(rng.Below(5));
  if (rng.Below(3) == 0) faults.part_percent = static_cast<unsigned>(rng.Below(3));
  if (rng.Below(3) == 0) faults.stall_percent = static_cast<unsigned>(rng.Below(5));
  faults.reorders = rng.Below(2) == 0;
  return faults;
}

class SimCluster {
 public:
  SimCluster(std::uint64_t seed, Carriage carriage, Lanes lanes)
      : carriage_(carriage),
        is_replicated_(lanes != Lanes::kAlone),
        keep_logs_(lanes == Lanes::kLogged),
        rng_(seed),
        wire_rng_(Mix64(seed + 2)),
        network_(DrawFaults(seed), Mix64(seed)) {
    ledgers_.emplace_back(map_);
    DrawMap();
    steps_ = 2 + rng_.Below(7);
    const bool leave_early = rng_.Below(3) == 0;
    short_deadlines_ = rng_.Below(3) == 0;
    for (std::uint32_t rank = 0; rank < map_.worker_count; ++rank) {
      const std::uint64_t steps = leave_early ? 1 + rng_.Below(steps_) : steps_;
      AddWorker(rank, steps);
      ledgers_.back().Came(workers_.back().script().session,
                           0);  // Ranks are waited for from the start.
    }
    for (std::uint64_t i = 0, n = rng_.Below(3) == 0 ? 1 + rng_.Below(2) : 0; i < n; ++i) {
      const std::uint64_t when = rng_.Below(200);
      const std::uint64_t victim = rng_.Below(map_.worker_count);
      deaths_.emplace(when, victim);
    }
  }

  SimResult Run() {
    for (; wrong_.empty() && !IsOver() && result_.steps < kStepsMax; ++result_.steps) {
      if (replicas_ != nullptr && replicas_->is_lost()) {
        result_.is_lost = true;
        return result_;
      }
      if (result_.steps == HealAfter()) {
        network_.Heal();
        if (replicas_ != nullptr) replicas_->Heal();
        healed_at_ = now_;
      }
      if (replicas_ != nullptr) wrong_ = replicas_->wrong();
      KillSome();
      CrashSome();
      OneStep();
      if (now_ - healed_at_ > kTimeMax) {
        wrong_ = absl::StrCat("not over ", absl::FormatDuration(kTimeMax), " after it healed",
                              replicas_ == nullptr ? "" : replicas_->Describe());
      }
    }
    if (wrong_.empty() && !IsOver()) wrong_ = absl::StrCat("not over after ", kStepsMax, " steps");
    if (wrong_.empty()) CheckTables();
    for (const SimWorker& worker : workers_) {
      result_.resent += worker.resent();
      result_.timed_out += worker.timed_out();
      result_.workers += worker.statistics();
    }
    if (replicas_ != nullptr) {
      if (wrong_.empty()) wrong_ = replicas_->CompareReplicas();
      result_.leaderships = replicas_->leaderships();
      result_.images = replicas_->images();
      result_.loads = replicas_->loads();
      result_.torn_writes = replicas_->torn_writes();
      result_.bases = replicas_->bases();
      result_.remade = replicas_->remade();
    }
    for (const auto& lane : lanes_) {
      result_.torn_writes += lane->torn_writes();
      result_.bases += lane->bases();
    }
    result_.step_mode = map_.step_mode;
    result_.wrong = wrong_;
    return result_;
  }

 private:
  // Replicas and the coordinator have much to say to one another.
  std::uint64_t HealAfter() const { return is_replicated_ ? 4 * kHealAfter : kHealAfter; }

  void DrawMap() {
    constexpr StepMode kModes[] = {StepMode::kAsynchronous, StepMode::kSynchronous,
                                   StepMode::kBoundedStaleness, StepMode::kBoundedStaleness};
    map_.step_mode = kModes[rng_.Below(std::size(kModes))];
    if (map_.step_mode == StepMode::kBoundedStaleness) {
      map_.staleness = static_cast<std::uint32_t>(rng_.Below(5));
    }
    map_.worker_count = static_cast<std::uint32_t>(1 + rng_.Below(3));
    const auto lanes = static_cast<std::uint32_t>(1 + rng_.Below(4));
    const std::uint32_t partitions = 4U << rng_.Below(3);
    for (std::uint32_t t = 0, n = static_cast<std::uint32_t>(1 + rng_.Below(3)); t < n; ++t) {
      const auto dim = static_cast<std::uint32_t>(1 + rng_.Below(5));
      map_.tables.push_back({.name = absl::StrCat("t", t),
                             .dim = dim,
                             .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
                             .initializer = ConstantSpec{.value = kRowStart}});
    }
    // Sometimes so few that lists are gone when they are named.
    const std::size_t key_list_bytes_max =
        wire_rng_.Below(2) == 0 ? std::size_t{136} * (1 + wire_rng_.Below(8)) : kKeyListBytesMax;
    for (std::uint32_t p = 0; p < partitions; ++p) map_.lane_of.push_back(p % lanes);
    map_.cluster = rng_.Next();
    for (std::uint32_t t = 0; t < map_.tables.size(); ++t) {  // A third of them have counts.
      if (Mix64(map_.cluster + t) % 3 != 0) continue;
      map_.tables[t] = {
          .name = map_.tables[t].name, .dim = kCountColumns, .kind = TableKind::kCounts};
    }
    if (is_replicated_) {
      replicas_ = std::make_unique<SimReplicas>(map_, rng_.Next(), key_list_bytes_max, keep_logs_,
                                                keep_logs_ && wire_rng_.Below(2) == 0);
      for (std::uint64_t i = 0, n = rng_.Below(8); i < n; ++i) {
        const std::uint64_t when = rng_.Below(HealAfter());
        const std::uint64_t victim = rng_.Below(12);
        crashes_.emplace(when, victim);
      }
      if (rng_.Below(3) == 0) crashes_.emplace(rng_.Below(HealAfter()), kRollback);
      return;
    }
    for (std::uint32_t l = 0; l < lanes; ++l) {
      map_.lanes.push_back(NodeId{l});
      map_.servers.push_back(
          {.name = absl::StrCat("s", l), .incarnation = 1, .host = "", .lanes = {{NodeId{l}, {}}}});
    }
    // Logs in half of the clusters; crashes, of lanes that have one, in most of those.
    const bool keep_logs = rng_.Below(2) == 0;
    const std::uint64_t crashes = keep_logs ? rng_.Below(4) : 0;
    for (std::uint64_t i = 0; i < crashes; ++i) {
      const std::uint64_t when = rng_.Below(kHealAfter);
      const std::uint64_t victim = rng_.Below(lanes);
      crashes_.emplace(when, victim);
    }
    const auto map = std::make_shared<const ClusterMap>(map_);
    for (std::uint32_t l = 0; l < lanes; ++l) {
      const std::uint64_t seed = rng_.Next();
      lanes_.push_back(std::make_unique<SimLane>(map, l, keep_logs, seed, key_list_bytes_max));
    }
  }

  // Lanes whose time has come crash, and come back some time later.
  void CrashSome() {
    while (!crashes_.empty() && crashes_.begin()->first <= result_.steps) {
      if (replicas_ != nullptr) {
        const std::uint64_t victim = crashes_.begin()->second;
        const absl::Time up_at = now_ + absl::Milliseconds(rng_.Below(1000));
        if (victim >= 8 && victim != kRollback) {
          effects_.Clear();
          replicas_->PlaceSome(effects_);
          CarryOut();
          ++result_.placed;
        } else if (victim == kRollback) {
          RollBack();
        } else if (victim == 7) {
          replicas_->CrashCoordinator();
        } else if (victim == 6 && keep_logs_) {
          replicas_->CrashAll(up_at);
          ++result_.crashed;
        } else if (replicas_->CrashServer(victim, now_, up_at)) {
          ++result_.crashed;
        } else if (result_.steps < HealAfter()) {
          return;  // As soon as it may.
        }
        crashes_.erase(crashes_.begin());
        continue;
      }
      SimLane& lane = *lanes_[crashes_.begin()->second];
      crashes_.erase(crashes_.begin());
      if (!lane.is_up()) continue;
      lane.Crash(now_ + absl::Milliseconds(rng_.Below(400)));
      ++result_.crashed;
    }
  }

  // To rows that nobody pushed.
  void RollBack() {
    std::vector<RowBlock> rows;
    for (std::uint32_t t = 0; t < map_.tables.size(); ++t) {
      const bool has_counts = HasCounts(map_.tables[t]);
      const std::uint32_t dim = map_.tables[t].dim;
      RowBlock& block = rows.emplace_back();
      block.table = TableId{t};
      block.value_count = has_counts ? 0 : dim;
      for (Key k = 0; k < kKeys; ++k) {
        if (rng_.Below(2) == 0) continue;
        const Key key = KeyOf(k);
        const FoundRow row{.sum = static_cast<std::int64_t>(rng_.Below(50)),
                           .count = 1 + rng_.Below(9)};
        restored_[{t, key}] = row;
        if (has_counts) {
          AppendPackedRow(key, AsBytes(PackedCounts(row)), block);
          continue;
        }
        block.keys.push_back(key);
        block.counts.push_back(static_cast<std::uint32_t>(row.count));
        block.last_steps.push_back(0);
        for (std::uint32_t c = 0; c < dim; ++c) {
          block.values.push_back(static_cast<float>(kRowStart - row.sum * (c + 1)));
        }
      }
    }
    restored_step_ = rng_.Below(5);
    replicas_->RollBack(std::move(rows), restored_step_);
    asks_to_roll_back_ = true;
    to_replace_.clear();  // All ranks are taken anew behind it.
    ++result_.rolled_back;
  }

  // The cluster was rolled back: workers that come now begin with what it has.
  void BeginAnew() {
    has_rolled_back_ = true;
    ledgers_.emplace_back(map_, restored_);
    for (std::uint32_t rank = 0; rank < map_.worker_count; ++rank) {
      AddWorker(rank, 1 + rng_.Below(steps_));
      ledgers_.back().Came(workers_.back().script().session, restored_step_);
    }
  }

  void AddWorker(std::uint32_t rank, std::uint64_t steps) {
    const auto number = static_cast<std::uint32_t>(workers_.size());
    const std::uint64_t compute_ms_max = rng_.Below(3) == 0 ? 1 + rng_.Below(200) : 0;
    WorkerScript script{.self = NodeId{kFirstWorker + number},
                        .session = SessionId{500 + number},
                        .rank = rank,
                        .seed = rng_.Next(),
                        .steps = steps,
                        .compute_ms_max = compute_ms_max,
                        .has_short_deadlines = short_deadlines_};
    if (replicas_ != nullptr) {
      script.epoch = replicas_->epoch();
      script.may_be_rolled_back = script.epoch == kFirstEpoch;
      if (has_rolled_back_) script.session = SessionId{SimReplicas::kSessionBehind + number};
    }
    DrawWireForms(script);
    workers_.emplace_back(script, map_, ledgers_.back());
    wake_.push_back(now_);
  }

  // Forms that have all of the whole numbers that are pushed, and those that rows come to.
  void DrawWireForms(WorkerScript& script) {
    if (carriage_ == Carriage::kByPointer || wire_rng_.Below(2) == 0) return;
    constexpr WireValues kGradients[] = {WireValues::kFloat32, WireValues::kBfloat16,
                                         WireValues::kFloat16, WireValues::kInt8};
    script.gradients = kGradients[wire_rng_.Below(std::size(kGradients))];
    script.rows = wire_rng_.Below(2) == 0 ? WireValues::kFloat32 : WireValues::kFloat16;
    script.names_key_lists = wire_rng_.Below(4) != 0;
  }

  // Workers whose time has come die, as soon as they train.
  void KillSome() {
    if (deaths_.empty() || deaths_.begin()->first > result_.steps) return;
    const std::uint64_t victim = deaths_.begin()->second;
    SimWorker& worker = workers_[victim];
    if (!worker.is_gone() && !worker.trains()) return;
    deaths_.erase(deaths_.begin());
    if (worker.is_gone()) return;
    worker.Die();
    ++result_.died;
    wake_[victim] = absl::InfiniteFuture();
    const absl::Duration unnoticed = absl::Milliseconds(rng_.Below(300));
    closer_.CloseAt(now_ + unnoticed, worker.script().session);
    if (rng_.Below(2) == 0 && !asks_to_roll_back_) to_replace_.push_back(victim);
  }

  // A rank is free when the session of the worker that died is closed everywhere.
  void ReplaceSome() {
    std::erase_if(to_replace_, [&](std::uint64_t victim) {
      if (!closer_.is_done(workers_[victim].script().session)) return false;
      ++result_.replaced;
      const std::uint64_t steps = 1 + rng_.Below(steps_);
      AddWorker(workers_[victim].script().rank, steps);
      return true;
    });
  }

  bool IsOver() const {
    if (asks_to_roll_back_ != has_rolled_back_) return false;
    const bool all_up = std::ranges::all_of(lanes_, [](const auto& lane) { return lane->is_up(); });
    return all_up && (replicas_ == nullptr || replicas_->IsSettled()) && to_replace_.empty() &&
           std::ranges::all_of(workers_, [&](const SimWorker& w) {
             return w.is_dead() ? closer_.is_done(w.script().session) : w.is_gone();
           });
  }

  // Whatever is next: a delivery, a worker's tick, or the closer's.
  void OneStep() {
    const auto earliest = std::ranges::min_element(wake_);
    const auto lane = std::ranges::min_element(
        lanes_, {}, [](const std::unique_ptr<SimLane>& l) { return l->next(); });
    const absl::Time lane_next = replicas_ != nullptr ? replicas_->next() : (*lane)->next();
    const absl::Time next = std::min({network_.next(), *earliest, closer_.next(), lane_next});
    if (next == absl::InfiniteFuture()) {
      wrong_ = "nothing is under way and nobody will wake";
      return;
    }
    now_ = std::max(now_, next);
    effects_.Clear();
    if (next == network_.next()) {
      Deliver(network_.Deliver());
    } else if (next == lane_next && replicas_ != nullptr) {
      replicas_->Tick(now_, effects_);
      CarryOut();
    } else if (next == lane_next) {
      (*lane)->Tick(now_, effects_);
      if (wrong_.empty()) wrong_ = (*lane)->wrong();
      CarryOut();
    } else if (next == closer_.next()) {
      closer_.Tick(now_, effects_);
      for (SimWorker& worker : workers_) {
        if (worker.is_dead() && closer_.has_begun(worker.script().session)) {
          worker.ledger().Left(worker.script().session);
        }
      }
      CarryOut();
    } else {
      const auto w = static_cast<std::size_t>(earliest - wake_.begin());
      wake_[w] = absl::InfiniteFuture();
      workers_[w].Tick(now_, effects_);
      AfterWorker(w);
    }
  }

  void Deliver(Envelope event) {
    Trace(event);
    const auto node = static_cast<std::size_t>(event.target);
    if (replicas_ != nullptr && SimReplicas::IsHere(event.target)) {
      replicas_->Step(event, now_, effects_);
      CarryOut();
      if (replicas_->TakeNews()) TellWorkers();
      if (replicas_->epoch() != kFirstEpoch && !has_rolled_back_) BeginAnew();
    } else if (node < lanes_.size()) {
      lanes_[node]->Step(event, now_, effects_);
      CarryOut();
    } else if (event.target == kCloser) {
      closer_.Step(event);
      ReplaceSome();
    } else if (const std::size_t w = node - kFirstWorker; !workers_[w].is_dead()) {
      workers_[w].Step(event, now_, effects_);
      AfterWorker(w);
    }
  }

  // Lanes are led elsewhere.
  void TellWorkers() {
    for (std::size_t w = 0; w < workers_.size(); ++w) {
      if (workers_[w].is_dead()) continue;
      const NodeId self = workers_[w].script().self;
      workers_[w].Step({kCoordinatorNode, self, MapReply{0, {}, "", nullptr}}, now_, effects_);
      AfterWorker(w);
    }
  }

  void AfterWorker(std::size_t w) {
    if (wrong_.empty()) wrong_ = workers_[w].Note(effects_.completions, now_);
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
      if (replicas_ != nullptr) replicas_->Address(envelope);
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

  // Of a row, whose first column says the sum.
  void CheckRow(const RowName& name, std::span<const float> values, std::uint64_t count,
                FoundRows& found) {
    const std::int64_t sum = kRowStart - static_cast<std::int64_t>(values[0]);
    found[name] = {.sum = sum, .count = count};
    for (std::size_t c = 0; c < values.size(); ++c) {
      const std::int64_t want = kRowStart - sum * static_cast<std::int64_t>(c + 1);
      if (values[c] == static_cast<float>(want)) continue;
      wrong_ = absl::StrCat("table ", name.first, " key ", name.second, " column ", c, ": ",
                            values[c], ": want ", want, ", by its first one");
    }
  }

  // Each push counted exactly once: each row is its start less the sum of its gradients, and no
  // other row is there. (Pushes of workers that died: see Ledger::Died.)
  void CheckTables() {
    for (std::uint32_t p = 0; p < map_.lane_of.size(); ++p) {
      const server::PartitionCore& core =
          replicas_ != nullptr ? replicas_->Leader(PartitionId{p})
                               : *lanes_[map_.lane_of[p]]->core().FindPartition(PartitionId{p});
      FoundRows found;
      for (std::uint32_t t = 0; t < map_.tables.size(); ++t) {
        if (HasCounts(map_.tables[t])) {
          core.count_table(TableId{t}).ForEachRow([&](const sparse::CountRowView& row) {
            const CountedRow counted = Counted(row.packed);
            CheckRow({t, row.key}, counted.weights, counted.count, found);
          });
          continue;
        }
        core.table(TableId{t}).ForEachRow([&](const sparse::RowView& row) {
          CheckRow({t, row.key}, row.values, row.count, found);
        });
      }
      if (!wrong_.empty()) return;
      if (core.has_unapplied_pushes()) {
        wrong_ = absl::StrCat("partition ", p, " holds pushes though all workers are gone");
      } else if (!ledgers_.back().MayHold(PartitionId{p}, found)) {
        wrong_ = absl::StrCat("partition ", p, " holds ", found.size(),
                              " rows that are not the sums of what was pushed, each push once");
      }
    }
  }

  const Carriage carriage_;
  const bool is_replicated_;
  const bool keep_logs_;  // With replicas.
  Rng rng_;
  Rng wire_rng_;  // Its own, so that what else is drawn does not depend on how it travels.
  SimNetwork network_;
  absl::Time now_ = absl::UnixEpoch();
  absl::Time healed_at_ = absl::InfiniteFuture();
  ClusterMap map_;
  std::deque<Ledger> ledgers_;  // Before a rollback, and behind it.
  SimCloser closer_{kCloser, map_.lanes};
  std::multimap<std::uint64_t, std::uint64_t> deaths_;  // Workers, by the step when they die.
  std::vector<std::uint64_t> to_replace_;
  std::uint64_t steps_ = 0;  // That a worker does, at most.
  bool asks_to_roll_back_ = false;
  bool has_rolled_back_ = false;  // For all that workers know.
  FoundRows restored_;            // What it was rolled back to,
  std::uint64_t restored_step_ = 0;
  bool short_deadlines_ = false;
  std::vector<std::unique_ptr<SimLane>> lanes_;
  std::unique_ptr<SimReplicas> replicas_;                // Instead of those.
  std::multimap<std::uint64_t, std::uint64_t> crashes_;  // Lanes, by the step when they crash.
  std::deque<SimWorker> workers_;                        // Cores do not move.
  std::vector<absl::Time> wake_;                         // Of workers.
  Effects effects_;
  std::string bytes_;
  std::string wrong_;
  SimResult result_;
};

}  // namespace

SimResult Simulate(std::uint64_t seed, Carriage carriage, Lanes lanes) {
  return SimCluster(seed, carriage, lanes).Run();
}

}  // namespace longtail::sim
