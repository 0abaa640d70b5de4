#include "worker/connected_worker.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "worker/call_parts.h"
#include "worker/key_batch_plan.h"
#include "worker/key_batch_planner.h"

namespace longtail {

namespace {

constexpr absl::Duration kRoomPollPeriod = absl::Milliseconds(1);
constexpr absl::Duration kClosingMax = absl::Seconds(2);

std::unique_ptr<RowCache> MakeRowCache(const WorkerOptions& options) {
  if (options.row_cache_bytes == 0) return nullptr;
  return std::make_unique<RowCache>(
      RowCache::Options{.bytes = options.row_cache_bytes, .steps = options.row_cache_steps});
}

// Scoring wants rows as they are, and exact values none that were rounded.
bool MayUseCache(const CallOptions& options) {
  return options.steps_ahead && !options.exact_on_wire && !options.fresh;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> ConnectedWorker::Connect(
    const WorkerOptions& options, const Identity& identity, std::unique_ptr<Transport> transport,
    const ClusterMapHolder& map) {
  std::unique_ptr<ConnectedWorker> worker(
      new ConnectedWorker(options, identity, std::move(transport), map));
  if (!identity.is_reader) {
    LONGTAIL_RETURN_IF_ERROR(
        worker->ToEveryLane<OpenSession>("session opening", absl::FromChrono(options.timeout)));
  }
  return std::unique_ptr<Worker>(std::move(worker));
}

ConnectedWorker::ConnectedWorker(const WorkerOptions& options, const Identity& identity,
                                 std::unique_ptr<Transport> transport, const ClusterMapHolder& map)
    : options_(options),
      identity_(identity),
      epoch_(identity.is_reader ? 0 : map.Current()->epoch),
      map_(map),
      transport_(std::move(transport)),
      link_(std::make_shared<CallOwnerLink>()),
      core_({.self = transport_->node(),
             .session = identity.session,
             .rank = identity.rank,
             .partition_count = static_cast<std::uint32_t>(map.Current()->lane_of.size()),
             .epoch = epoch_,
             .retry_after = absl::FromChrono(options.retry_after),
             .step_mode = map.Current()->step_mode,
             .staleness = map.Current()->staleness,
             .describe = identity.describe,
             .counts_bytes = identity.is_remote,
             .is_reader = identity.is_reader,
             .compact = {.names_key_lists = options.wire_names_key_lists,
                         .feedback_bytes_max = options.wire_feedback_bytes_max}}),
      cache_(MakeRowCache(options)) {
  {
    const MutexLock lock(&link_->mutex);
    link_->owner = this;
  }
  loop_ = std::make_unique<CoreLoop>(
      core_, *transport_,
      CoreLoop::Options{.name = absl::StrCat("worker-", identity.rank),
                        .on_completion = [this](const Completion& c) { OnCompletion(c); }});
}

ConnectedWorker::~ConnectedWorker() {
  const absl::Time give_up = absl::Now() + absl::FromChrono(options_.timeout);
  std::size_t outstanding = 1;
  // A pull that waits for a step may wait for long, and nobody waits for it any more.
  loop_->Do([&](absl::Time now, Effects& effects) { core_.AbandonPulls(now, effects); });
  while (outstanding != 0 && absl::Now() < give_up) {
    loop_->Do([&](absl::Time, Effects&) { outstanding = core_.outstanding(); });
    if (outstanding != 0) absl::SleepFor(absl::Milliseconds(1));
  }
  if (!identity_.is_reader) {
    // That of a lane that does not answer is closed by the coordinator, when this worker's place is
    // given back (on_close) or its lease is over: nobody needs to wait for long here.
    ToEveryLane<CloseSession>("session closing", std::min(kClosingMax, give_up - absl::Now()))
        .IgnoreError();
  }
  {
    const MutexLock lock(&link_->mutex);
    link_->owner = nullptr;
  }
  loop_.reset();
  for (OpenCall& call : calls_) call.state->Finish(absl::CancelledError("the worker is gone"));
  if (identity_.on_close) identity_.on_close();
}

template <typename T>
absl::Status ConnectedWorker::ToEveryLane(const char* kind, absl::Duration timeout) {
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  Pending pending;
  {
    const MutexLock lock(&mutex_);
    outgoing_.clear();
    for (const NodeId lane : map->lanes) outgoing_.push_back({lane, T{}});
    pending = Submit({.kind = kind, .deadline = absl::Now() + timeout});
  }
  return pending.Wait();
}

absl::Status ConnectedWorker::Prepare(TableId table, std::span<const Key> keys, KeyBatch& batch) {
  if (keys.size() > kKeysPerRequestMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch of ", keys.size(), " keys: want at most ", kKeysPerRequestMax));
  }
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  const auto index = static_cast<std::size_t>(table);
  if (index >= map->tables.size()) {
    return absl::NotFoundError(
        absl::StrCat("table ", index, ": this cluster has ", map->tables.size(), " tables"));
  }
  ReleaseIdle();
  KeyBatchPlanner::Fill(table, map->tables[index].dim,
                        static_cast<std::uint32_t>(map->lane_of.size()), keys, batch);
  return absl::OkStatus();
}

// Requests that were answered since still hold the key batches they were made of. Let those go, so
// that a batch can be filled again in place.
void ConnectedWorker::ReleaseIdle() {
  const MutexLock lock(&mutex_);
  pulls_.ReleaseOwners();
  pushes_.ReleaseOwners();
}

absl::StatusOr<TableSpec> ConnectedWorker::Table(TableId table) const {
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  const auto index = static_cast<std::size_t>(table);
  if (index < map->tables.size()) return map->tables[index];
  return absl::NotFoundError(
      absl::StrCat("table ", index, ": this cluster has ", map->tables.size(), " tables"));
}

absl::Status ConnectedWorker::CheckItem(const ClusterMap& map, const KeyBatch* keys,
                                        std::size_t floats) const {
  if (keys == nullptr || WorkerAccess::PlanOf(*keys) == nullptr) {
    return absl::InvalidArgumentError("item without keys: want a KeyBatch filled by Prepare");
  }
  const KeyBatch::Plan& plan = *WorkerAccess::PlanOf(*keys);
  const auto table = static_cast<std::size_t>(plan.table);
  if (table >= map.tables.size()) {
    return absl::NotFoundError(
        absl::StrCat("table ", table, ": this cluster has ", map.tables.size(), " tables"));
  }
  const std::string& name = map.tables[table].name;
  if (plan.begins.size() != map.lane_of.size() + 1) {
    return absl::InvalidArgumentError(absl::StrCat("table '", name, "': keys prepared for ",
                                                   plan.begins.size() - 1, " partitions: want ",
                                                   map.lane_of.size()));
  }
  if (map.tables[table].kind != TableKind::kWeights) {
    return absl::InvalidArgumentError(absl::StrCat(
        "table '", name, "' is one of counts: want one of weights, or PullCounts and PushCounts"));
  }
  if (plan.dim != map.tables[table].dim) {
    return absl::InvalidArgumentError(absl::StrCat("table '", name, "': keys prepared for dim ",
                                                   plan.dim, ": want ", map.tables[table].dim));
  }
  if (floats != plan.keys.size() * plan.dim) {
    return absl::InvalidArgumentError(absl::StrCat("table '", name, "': ", floats, " floats for ",
                                                   plan.keys.size(), " keys: want ",
                                                   plan.keys.size() * plan.dim));
  }
  return absl::OkStatus();
}

Pending ConnectedWorker::PullAsync(std::span<const PullItem> items, const CallOptions& options) {
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  std::size_t keys = 0;
  for (const PullItem& item : items) {
    absl::Status checked = CheckItem(*map, item.keys, item.rows.size());
    if (checked.ok() && !item.counts.empty() && item.counts.size() != item.keys->unique_size()) {
      checked = absl::InvalidArgumentError(absl::StrCat(
          item.counts.size(), " counts for ", item.keys->unique_size(), " keys: want as many"));
    }
    if (!checked.ok()) return Fail(std::move(checked));
    keys += item.keys->unique_size();
  }
  const MutexLock lock(&mutex_);
  std::shared_ptr<RowFetch> fetch;
  std::optional<std::uint64_t> applied;
  if (cache_ != nullptr && MayUseCache(options)) {
    fetch = BeginFetch(items);
    items = fetch->items();
    applied = fetch->served_applied();
  }
  std::shared_ptr<PullSink> sink = TakeIdle(sinks_);
  sink->Open();
  outgoing_.clear();
  CutCall(*map, items, identity_.request_floats_max, parts_);
  for (const CallPart& part : parts_) BuildPull(*map, part, items, options, sink);
  return Submit({.kind = "pull",
                 .keys = keys,
                 .deadline = Deadline(options),
                 .sink = std::move(sink),
                 .steps_ahead = options.steps_ahead,
                 .applied = applied},
                std::move(fetch));
}

std::shared_ptr<RowFetch> ConnectedWorker::BeginFetch(std::span<const PullItem> items) {
  pulls_.ReleaseOwners();  // The key lists of fetches that have ended, to be filled again.
  std::uint64_t step = 0;
  // It stands still until the pull is submitted: ends of steps are built under mutex_, too.
  loop_->Do([&](absl::Time, Effects&) { step = core_.step(); });
  std::shared_ptr<RowFetch> fetch = TakeIdle(fetches_);
  const MutexLock lock(&cache_mutex_);
  fetch->Begin(items, step, *cache_);
  return fetch;
}

std::optional<WireValues> ConnectedWorker::Compact(WireValues values,
                                                   const CallOptions& options) const {
  if (!identity_.is_remote) return std::nullopt;
  if (options.exact_on_wire) values = WireValues::kFloat32;
  if (values == WireValues::kFloat32 && !options_.wire_names_key_lists) return std::nullopt;
  return values;
}

void ConnectedWorker::BuildPull(const ClusterMap& map, const CallPart& part,
                                std::span<const PullItem> items, const CallOptions& options,
                                const std::shared_ptr<PullSink>& sink) {
  std::shared_ptr<PullRequest> request = pulls_.Take();
  request->compact = Compact(options_.wire_rows, options);
  request->epoch = epoch_;
  request->sink = sink;
  request->wants_counts = false;
  for (const PullItem& item : items) {
    const std::shared_ptr<KeyBatch::Plan>& plan = WorkerAccess::PlanOf(*item.keys);
    const std::size_t before = request->sections.size();
    for (std::uint32_t p = part.begin; p < part.end; ++p) {
      const std::uint32_t begin = plan->begins[p];
      const std::uint32_t end = plan->begins[p + 1];
      if (map.lane_of[p] != part.lane || begin == end) continue;
      request->sections.push_back(
          {.partition = PartitionId{p},
           .table = plan->table,
           .dim = plan->dim,
           .keys = std::span(plan->keys).subspan(begin, end - begin),
           .target = {.rows = item.rows.data() + std::size_t{begin} * plan->dim,
                      .counts = item.counts.empty() ? nullptr : item.counts.data() + begin}});
    }
    request->wants_counts |= !item.counts.empty();
    if (request->sections.size() != before) request->owners.emplace_back(plan);
  }
  outgoing_.push_back({map.lanes[part.lane], std::move(request)});
}

Pending ConnectedWorker::PushAsync(std::span<const PushItem> items, const CallOptions& options) {
  if (identity_.is_reader) return Fail(OnlyPulls());
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  std::size_t keys = 0;
  std::size_t bytes = 0;
  for (const PushItem& item : items) {
    absl::Status checked = CheckItem(*map, item.keys, item.gradients.size());
    if (!checked.ok()) return Fail(std::move(checked));
    keys += item.keys->unique_size();
    bytes += item.keys->unique_size() * (sizeof(Key) + sizeof(std::uint32_t)) +
             item.gradients.size_bytes();
  }
  if (!std::isfinite(options.learning_rate_scale)) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        "push with learning_rate_scale ", options.learning_rate_scale, ": want a finite one")));
  }
  const absl::Time deadline = Deadline(options);
  if (absl::Status room = AwaitRoom(bytes, deadline); !room.ok()) return Fail(std::move(room));
  const MutexLock lock(&mutex_);
  outgoing_.clear();
  CutCall(*map, items, identity_.request_floats_max, parts_);
  for (const CallPart& part : parts_) BuildPush(*map, part, items, options);
  return Submit({.kind = "push", .keys = keys, .deadline = deadline});
}

// A caller who waits here holds no lock; room comes with acknowledgements.
absl::Status ConnectedWorker::AwaitRoom(std::size_t bytes, absl::Time deadline) {
  for (;;) {
    std::size_t pushed = 0;
    loop_->Do([&](absl::Time, Effects&) { pushed = core_.pushed_bytes(); });
    if (pushed == 0 || pushed + bytes <= options_.push_bytes_max) return absl::OkStatus();
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat(
          "push of ", bytes, " bytes: ", pushed, " bytes of earlier pushes are not ",
          "acknowledged (push_bytes_max ", options_.push_bytes_max, "); is a server away?"));
    }
    absl::SleepFor(kRoomPollPeriod);
  }
}

void ConnectedWorker::BuildPush(const ClusterMap& map, const CallPart& part,
                                std::span<const PushItem> items, const CallOptions& options) {
  std::shared_ptr<PooledPush> request = pushes_.Take();
  request->epoch = epoch_;
  request->learning_rate_scale = options.learning_rate_scale;
  request->compact = Compact(options_.wire_gradients, options);
  if (request->gradients.size() < part.floats) request->gradients.resize(part.floats);
  for (const PushItem& item : items) {
    request->owners.emplace_back(WorkerAccess::PlanOf(*item.keys));
    if (item.counts_occurrences) continue;
    const std::size_t unique = std::min(item.keys->unique_size(), part.floats);
    if (request->zeros.size() < unique) request->zeros.resize(unique, 0);
  }
  float* to = request->gradients.data();
  for (std::uint32_t p = part.begin; p < part.end; ++p) {
    if (map.lane_of[p] != part.lane) continue;
    for (const PushItem& item : items) {  // All of a partition's tables: one op of its log.
      const KeyBatch::Plan& plan = *WorkerAccess::PlanOf(*item.keys);
      const std::uint32_t begin = plan.begins[p];
      const std::size_t n = plan.begins[p + 1] - begin;
      if (n == 0) continue;
      std::memcpy(to, item.gradients.data() + std::size_t{begin} * plan.dim,
                  n * plan.dim * sizeof(float));
      request->sections.push_back(
          {.partition = PartitionId{p},
           .table = plan.table,
           .dim = plan.dim,
           .sequence = 0,
           .keys = std::span(plan.keys).subspan(begin, n),
           .counts = item.counts_occurrences
                         ? std::span<const std::uint32_t>(plan.counts).subspan(begin, n)
                         : std::span<const std::uint32_t>(request->zeros).first(n),
           .gradients = {to, n * plan.dim}});
      to += n * plan.dim;
    }
  }
  outgoing_.push_back({map.lanes[part.lane], std::shared_ptr<PushRequest>(std::move(request))});
}

absl::Status ConnectedWorker::OnlyPulls() {
  return absl::FailedPreconditionError("this worker was connected as a reader: it only pulls");
}

Pending ConnectedWorker::EndStepAsync(const CallOptions& options) {
  if (identity_.is_reader) return Fail(OnlyPulls());
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  const MutexLock lock(&mutex_);
  outgoing_.clear();
  if (map->step_mode != StepMode::kAsynchronous) {
    for (std::uint32_t lane = 0; lane < map->lanes.size(); ++lane) {
      auto request = std::make_shared<BarrierRequest>();
      request->epoch = epoch_;
      for (std::uint32_t p = 0; p < map->lane_of.size(); ++p) {
        if (map->lane_of[p] == lane) request->sections.push_back({PartitionId{p}, 0});
      }
      outgoing_.push_back({map->lanes[lane], std::move(request)});
    }
  }
  return Submit({.kind = "end of step", .deadline = Deadline(options), .ends_step = true});
}

std::uint64_t ConnectedWorker::step() const {
  std::uint64_t step = 0;
  loop_->Do([&](absl::Time, Effects&) { step = core_.step(); });
  return step;
}

WorkerStatistics ConnectedWorker::statistics() const {
  WorkerStatistics statistics;
  loop_->Do([&](absl::Time, Effects&) { statistics = core_.statistics(); });
  if (cache_ != nullptr) {
    const MutexLock lock(&cache_mutex_);
    statistics.cache_rows_served = cache_->served();
    statistics.cache_rows_missed = cache_->missed();
    statistics.cache_rows_evicted = cache_->evicted();
    statistics.cache_bytes = cache_->bytes();
  }
  return statistics;
}

absl::Time ConnectedWorker::Deadline(const CallOptions& options) const {
  return absl::Now() +
         absl::FromChrono(options.timeout.count() > 0 ? options.timeout : options_.timeout);
}

Pending ConnectedWorker::Fail(absl::Status status) {
  auto state = std::make_shared<Pending::State>();
  state->Start(link_, absl::Now());
  state->Finish(std::move(status));
  return WorkerAccess::MakePending(std::move(state));
}

std::shared_ptr<Pending::State> ConnectedWorker::TakeState(absl::Time deadline) {
  std::shared_ptr<Pending::State> state = TakeIdle(states_);
  state->Start(link_, deadline);
  return state;
}

Pending ConnectedWorker::Submit(WorkerCore::Call call, std::shared_ptr<RowFetch> fetch,
                                std::shared_ptr<CountFetch> counts) {
  std::shared_ptr<Pending::State> state = TakeState(call.deadline);
  const std::span<WorkerCore::Outgoing> requests(outgoing_);
  loop_->Do([&](absl::Time now, Effects& effects) {
    const std::uint64_t number = core_.Submit(std::move(call), requests, now, effects);
    state->SetCall(number);
    calls_.push_back(
        {.number = number, .state = state, .fetch = std::move(fetch), .counts = std::move(counts)});
  });
  outgoing_.clear();
  return WorkerAccess::MakePending(std::move(state));
}

void ConnectedWorker::Abandon(std::uint64_t call) {
  loop_->Do([&](absl::Time now, Effects& effects) {
    core_.Abandon(call, now, effects);
    std::erase_if(calls_, [call](const OpenCall& open) { return open.number == call; });
  });
}

void ConnectedWorker::OnCompletion(const Completion& completion) {
  const auto found = std::ranges::find(calls_, completion.call, &OpenCall::number);
  if (found == calls_.end()) return;
  if (found->fetch != nullptr && completion.status.ok()) {
    found->fetch->Deliver();
    const MutexLock lock(&cache_mutex_);
    found->fetch->Keep(completion.applied, *cache_);
  }
  absl::Status status = completion.status;
  if (found->counts != nullptr && status.ok()) status = found->counts->Deliver();
  found->state->Finish(std::move(status));
  calls_.erase(found);
}

}  // namespace longtail
