#include "sim/sim_worker.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "server/request_builder.h"
#include "sim/sim_counts.h"

namespace longtail::sim {
namespace {

constexpr absl::Duration kLong = absl::Hours(24);

// Of each key that is pushed, as the ledger counts them.
constexpr std::uint32_t kOccurrences = 2;

}  // namespace

SimWorker::SimWorker(const WorkerScript& script, const ClusterMap& map, Ledger& ledger)
    : script_(script),
      map_(map),
      ledger_(ledger),
      rng_(script.seed),
      core_({.self = script.self,
             .session = script.session,
             .rank = script.rank,
             .partition_count = static_cast<std::uint32_t>(map.lane_of.size()),
             .epoch = script.epoch,
             .retry_after = absl::Milliseconds(50),
             .step_mode = map.step_mode,
             .staleness = map.staleness,
             .compact = {.names_key_lists = script.names_key_lists, .named_keys_min = 1}}) {}

void SimWorker::Advance(absl::Time now, Effects& effects) {
  switch (phase_) {
    case Phase::kNew:
      phase_ = Phase::kOpening;
      return ToEveryLane(true, now, effects);
    case Phase::kComputing:
      if (now < compute_until_) return effects.WakeAt(compute_until_);
      return StartPushes(now, effects);
    case Phase::kDraining:
      // A session is closed once its pushes are there: a late one would find it gone.
      if (core_.outstanding() != 0) return;
      phase_ = Phase::kClosing;
      ledger_.Left(script_.session);
      return ToEveryLane(false, now, effects);
    default:
      return;
  }
}

void SimWorker::Step(const Envelope& event, absl::Time now, Effects& effects) {
  core_.Step(event, now, effects);
}

void SimWorker::ToEveryLane(bool opens, absl::Time now, Effects& effects) {
  std::vector<WorkerCore::Outgoing> requests;
  for (const NodeId lane : map_.lanes) {
    requests.push_back(opens ? WorkerCore::Outgoing{lane, OpenSession{}}
                             : WorkerCore::Outgoing{lane, CloseSession{}});
  }
  waited_for_ = core_.Submit({.kind = opens ? "opening" : "closing", .deadline = now + kLong},
                             requests, now, effects);
}

void SimWorker::StartPull(absl::Time now, Effects& effects) {
  Pull pull;
  std::map<std::size_t, std::map<PartitionId, std::map<RowName, bool>>> by_lane;
  const auto partitions = static_cast<std::uint32_t>(map_.lane_of.size());
  for (std::uint64_t i = 0, n = 1 + rng_.Below(5); i < n; ++i) {
    const RowName name{rng_.Below(map_.tables.size()), DrawKey()};
    const PartitionId partition = PartitionOf(name.second, partitions);
    by_lane[map_.lane_of[static_cast<std::size_t>(partition)]][partition][name] = true;
  }
  std::size_t row_count = 0;
  for (const auto& [lane, parts] : by_lane) {
    for (const auto& [partition, names] : parts) row_count += names.size();
  }
  pull.rows.reserve(row_count);   // Sections point into it,
  pull.packed.resize(row_count);  // and into this.
  std::vector<WorkerCore::Outgoing> requests;
  for (const auto& [lane, parts] : by_lane) {
    std::vector<test::PullPart> sections;
    bool has_counts = false;
    const std::size_t first = pull.rows.size();
    for (const auto& [partition, names] : parts) {
      for (const auto& [name, used] : names) {
        const TableSpec& spec = map_.tables[name.first];
        has_counts |= HasCounts(spec);
        sections.push_back({.partition = partition,
                            .table = TableId{static_cast<std::uint32_t>(name.first)},
                            .dim = spec.dim,
                            .keys = {name.second},
                            .kind = spec.kind});
        pull.rows.emplace_back(name, std::vector<float>(WidthOf(spec), -1e9F));
      }
    }
    const auto request = test::MakePull(0, 0, std::move(sections));
    request->epoch = script_.epoch;
    request->sink = pull.sink;
    if (!has_counts) request->compact = script_.rows;
    for (std::size_t s = 0; s < request->sections.size(); ++s) {
      request->sections[s].target.rows = pull.rows[first + s].second.data();
      request->sections[s].target.packed = &pull.packed[first + s];
    }
    requests.push_back({map_.lanes[lane], request});
  }
  seen_ = core_.statistics();
  pull.call = core_.Submit({.kind = "pull",
                            .keys = row_count,
                            .deadline = now + kLong,
                            .sink = pull.sink,
                            .steps_ahead = 0},
                           requests, now, effects);
  waited_for_ = pull.call;
  pull_ = std::move(pull);
}

void SimWorker::StartPushes(absl::Time now, Effects& effects) {
  for (std::uint64_t i = 0, n = rng_.Below(3); i < n; ++i) PushSome(now, effects);
  EndStep(now, effects);
  if (++steps_done_ == script_.steps) {
    phase_ = Phase::kDraining;
    waited_for_ = 0;
    effects.WakeAt(now);  // There may be no answer to wait for.
    return;
  }
  phase_ = Phase::kPulling;
  StartPull(now, effects);
}

void SimWorker::PushSome(absl::Time now, Effects& effects) {
  std::map<std::size_t, std::map<PartitionId, std::map<RowName, int>>> by_lane;
  const auto partitions = static_cast<std::uint32_t>(map_.lane_of.size());
  for (std::uint64_t i = 0, n = 1 + rng_.Below(6); i < n; ++i) {
    const RowName name{rng_.Below(map_.tables.size()), DrawKey()};
    const PartitionId partition = PartitionOf(name.second, partitions);
    const int gradient = 1 + static_cast<int>(rng_.Below(9));
    by_lane[map_.lane_of[static_cast<std::size_t>(partition)]][partition][name] = gradient;
  }
  std::vector<WorkerCore::Outgoing> requests;
  std::map<PartitionId, Sums> pushed;
  std::size_t keys = 0;
  for (const auto& [lane, parts] : by_lane) {
    std::vector<test::PushPart> sections;
    bool has_counts = false;
    for (const auto& [partition, gradients] : parts) {
      for (const auto& [name, gradient] : gradients) {
        const TableSpec& spec = map_.tables[name.first];
        test::PushPart part{.partition = partition,
                            .table = TableId{static_cast<std::uint32_t>(name.first)},
                            .dim = spec.dim,
                            .keys = {name.second},
                            .kind = spec.kind};
        if (HasCounts(spec)) {
          has_counts = true;
          AppendSizedRow(AsBytes(PackedCounts({.sum = gradient, .count = kOccurrences})),
                         part.packed);
        } else {
          part.counts = {kOccurrences};
        }
        for (std::uint32_t c = 0; c < spec.dim && !HasCounts(spec); ++c) {
          part.gradients.push_back(static_cast<float>(gradient * static_cast<int>(c + 1)));
        }
        sections.push_back(std::move(part));
        pushed[partition][name] = gradient;
        ++keys;
      }
    }
    const auto request = test::MakePush({}, 0, std::move(sections));
    request->epoch = script_.epoch;
    if (!has_counts) request->compact = script_.gradients;
    requests.push_back({map_.lanes[lane], request});
  }
  const bool is_short = script_.has_short_deadlines && rng_.Below(3) == 0;
  const std::uint64_t step = core_.step();
  const std::uint64_t call = core_.Submit(
      {.kind = "push", .keys = keys, .deadline = now + (is_short ? absl::Milliseconds(1) : kLong)},
      requests, now, effects);
  for (auto& [partition, gradients] : pushed) {
    ledger_.Pushed(script_.session, call, step, partition, std::move(gradients));
  }
}

void SimWorker::EndStep(absl::Time now, Effects& effects) {
  std::vector<WorkerCore::Outgoing> requests;
  if (map_.step_mode != StepMode::kAsynchronous) {
    for (std::uint32_t lane = 0; lane < map_.lanes.size(); ++lane) {
      auto barrier = std::make_shared<BarrierRequest>();
      barrier->epoch = script_.epoch;
      for (std::uint32_t p = 0; p < map_.lane_of.size(); ++p) {
        if (map_.lane_of[p] == lane) barrier->sections.push_back({PartitionId{p}, 0});
      }
      requests.push_back({map_.lanes[lane], std::move(barrier)});
    }
  }
  core_.Submit({.kind = "end of step", .deadline = now + kLong, .ends_step = true}, requests, now,
               effects);
  ledger_.EndedStep(script_.session);
}

void SimWorker::Compute(absl::Time now) {
  phase_ = Phase::kComputing;
  compute_until_ = now;
  if (script_.compute_ms_max == 0) return;
  compute_until_ += absl::Milliseconds(rng_.Below(script_.compute_ms_max));
}

void SimWorker::Die() {
  phase_ = Phase::kDead;
  Effects unsaid;  // The dead say nothing.
  core_.AbandonPulls(absl::InfiniteFuture(), unsaid);
  ledger_.Died(script_.session);
}

std::string SimWorker::Note(const std::vector<Completion>& completions, absl::Time now) {
  for (const Completion& completion : completions) {
    if (completion.status.ok()) ledger_.Acknowledged(script_.session, completion.call);
    if (absl::IsDeadlineExceeded(completion.status) && script_.has_short_deadlines) {
      ++timed_out_;
    } else if (absl::IsAborted(completion.status) && script_.may_be_rolled_back) {
      phase_ = Phase::kLeft;
      return "";
    } else if (!completion.status.ok()) {
      return absl::StrCat("worker ", script_.rank, " of session ",
                          static_cast<std::uint64_t>(script_.session), ": ",
                          completion.status.ToString());
    }
    if (completion.call != waited_for_) continue;
    if (phase_ == Phase::kPulling) {
      std::string wrong = CheckPulled();
      if (!wrong.empty()) return wrong;
    }
    if (phase_ == Phase::kOpening) ledger_.Came(script_.session, core_.step());
    if (phase_ == Phase::kClosing) {
      phase_ = Phase::kLeft;
    } else {
      Compute(now);
    }
  }
  return "";
}

std::string SimWorker::CheckPulled() {
  for (std::size_t i = 0; i < pull_->rows.size(); ++i) {
    auto& [name, row] = pull_->rows[i];
    if (!HasCounts(map_.tables[name.first])) continue;
    std::span<const std::byte> left = AsBytes(pull_->packed[i]);
    std::span<const std::byte> packed;
    if (!TakeSizedRow(left, packed) || !left.empty()) return "a pull of counts brought no row";
    row = Counted(packed).weights;
  }
  std::optional<std::uint64_t> staleness;
  const auto counts = core_.statistics().pulls_by_staleness;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != seen_.pulls_by_staleness[i]) staleness = i;
  }
  const std::string wrong = ledger_.CheckPull(core_.step(), staleness, pull_->rows);
  if (wrong.empty()) return "";
  return absl::StrCat("worker ", script_.rank, " pulls in step ", core_.step(), ": ", wrong);
}

}  // namespace longtail::sim
