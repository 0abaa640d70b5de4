// Pulls and pushes of count tables.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/sole_holder.h"
#include "base/status_macros.h"
#include "worker/call_parts.h"
#include "worker/connected_worker.h"
#include "worker/count_changes.h"
#include "worker/key_batch_planner.h"

namespace longtail {
namespace {

// What a batch of a count table says in place of floats a row: nothing is cut by it.
constexpr std::uint32_t kNoFloats = 1;

absl::Status CheckCountKeys(const ClusterMap& map, TableId table, std::size_t keys) {
  const auto index = static_cast<std::size_t>(table);
  if (index >= map.tables.size()) {
    return absl::NotFoundError(
        absl::StrCat("table ", index, ": this cluster has ", map.tables.size(), " tables"));
  }
  if (map.tables[index].kind != TableKind::kCounts) {
    return absl::InvalidArgumentError(
        absl::StrCat("table '", map.tables[index].name,
                     "' is one of weights: want one of counts, or Pull and Push"));
  }
  if (keys <= kKeysPerRequestMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("batch of ", keys, " keys: want at most ", kKeysPerRequestMax));
}

}  // namespace

Pending ConnectedWorker::PullCountsAsync(TableId table, std::span<const Key> keys, CountRows* rows,
                                         const CallOptions& options) {
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  absl::Status checked = CheckCountKeys(*map, table, keys.size());
  if (checked.ok() && rows == nullptr) {
    checked = absl::InvalidArgumentError("pull of counts without rows: want where they go");
  }
  if (!checked.ok()) return Fail(std::move(checked));
  const MutexLock lock(&mutex_);
  pulls_.ReleaseOwners();  // The keys of fetches that have ended, to be filled again.
  std::shared_ptr<CountFetch> fetch = TakeIdle(count_fetches_);
  const std::size_t partitions = map->lane_of.size();
  KeyBatchPlanner::Fill(table, kNoFloats, static_cast<std::uint32_t>(partitions), keys,
                        fetch->keys());
  fetch->Begin(partitions, map->tables[static_cast<std::size_t>(table)].dim, rows);
  std::shared_ptr<PullSink> sink = TakeIdle(sinks_);
  sink->Open();
  outgoing_.clear();
  const CountItem item{.keys = &fetch->keys()};
  CutCall(*map, std::span(&item, 1), identity_.request_floats_max, parts_);
  for (const CallPart& part : parts_) BuildCountPull(*map, part, *fetch, sink);
  return Submit({.kind = "pull of counts",
                 .keys = keys.size(),
                 .deadline = Deadline(options),
                 .sink = std::move(sink),
                 .steps_ahead = options.steps_ahead},
                nullptr, std::move(fetch));
}

void ConnectedWorker::BuildCountPull(const ClusterMap& map, const CallPart& part, CountFetch& fetch,
                                     const std::shared_ptr<PullSink>& sink) {
  const std::shared_ptr<KeyBatch::Plan>& plan = WorkerAccess::PlanOf(fetch.keys());
  std::shared_ptr<PullRequest> request = pulls_.Take();
  request->compact.reset();
  request->epoch = epoch_;
  request->sink = sink;
  request->wants_counts = false;
  request->owners.emplace_back(plan);
  for (std::uint32_t p = part.begin; p < part.end; ++p) {
    const std::uint32_t begin = plan->begins[p];
    const std::uint32_t end = plan->begins[p + 1];
    if (map.lane_of[p] != part.lane || begin == end) continue;
    request->sections.push_back({.partition = PartitionId{p},
                                 .table = plan->table,
                                 .dim = map.tables[static_cast<std::size_t>(plan->table)].dim,
                                 .keys = std::span(plan->keys).subspan(begin, end - begin),
                                 .target = {.packed = fetch.PartOf(p)},
                                 .kind = TableKind::kCounts});
  }
  outgoing_.push_back({map.lanes[part.lane], std::move(request)});
}

Pending ConnectedWorker::PushCountsAsync(TableId table, std::span<const Key> keys,
                                         const CountRows& changes, const CallOptions& options) {
  if (identity_.is_reader) return Fail(OnlyPulls());
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  absl::Status checked = CheckCountKeys(*map, table, keys.size());
  if (!checked.ok()) return Fail(std::move(checked));
  const TableSpec& spec = map->tables[static_cast<std::size_t>(table)];
  checked = CheckCountChanges(spec, keys.size(), changes);
  if (!checked.ok()) return Fail(std::move(checked));
  KeyBatch batch;
  KeyBatchPlanner::Fill(table, kNoFloats, static_cast<std::uint32_t>(map->lane_of.size()), keys,
                        batch);
  // One copy of all changes, which the requests share; it can be sent again.
  const auto packed = std::make_shared<std::string>();
  std::vector<std::size_t> ends;
  checked = PackCountChanges(spec, *WorkerAccess::PlanOf(batch), changes, *packed, ends);
  if (!checked.ok()) return Fail(std::move(checked));
  const absl::Time deadline = Deadline(options);
  const std::size_t bytes = batch.unique_size() * sizeof(Key) + packed->size();
  if (absl::Status room = AwaitRoom(bytes, deadline); !room.ok()) return Fail(std::move(room));
  const MutexLock lock(&mutex_);
  outgoing_.clear();
  const CountItem item{.keys = &batch, .ends = ends};
  CutCall(*map, std::span(&item, 1), identity_.request_floats_max, parts_);
  for (const CallPart& part : parts_) BuildCountPush(*map, part, item, spec.dim, packed);
  return Submit({.kind = "push of counts", .keys = keys.size(), .deadline = deadline});
}

void ConnectedWorker::BuildCountPush(const ClusterMap& map, const CallPart& part,
                                     const CountItem& item, std::uint32_t dim,
                                     const std::shared_ptr<const std::string>& packed) {
  const std::shared_ptr<KeyBatch::Plan>& plan = WorkerAccess::PlanOf(*item.keys);
  std::shared_ptr<PooledPush> request = pushes_.Take();
  request->compact.reset();
  request->epoch = epoch_;
  request->learning_rate_scale = 1;
  request->owners.emplace_back(plan);
  request->owners.emplace_back(packed);
  for (std::uint32_t p = part.begin; p < part.end; ++p) {
    const std::uint32_t begin = plan->begins[p];
    const std::size_t n = plan->begins[p + 1] - begin;
    if (map.lane_of[p] != part.lane || n == 0) continue;
    request->sections.push_back(
        {.partition = PartitionId{p},
         .table = plan->table,
         .dim = dim,
         .sequence = 0,
         .keys = std::span(plan->keys).subspan(begin, n),
         .counts = {},
         .gradients = {},
         .kind = TableKind::kCounts,
         .packed = AsBytes(*packed).subspan(item.begin(p), item.ends[p] - item.begin(p))});
  }
  outgoing_.push_back({map.lanes[part.lane], std::shared_ptr<PushRequest>(std::move(request))});
}

}  // namespace longtail
