// The worker of a connected process: cuts calls into requests to lanes and waits for the core.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "io/cluster_map_holder.h"
#include "io/core_loop.h"
#include "io/transport.h"
#include "longtail/worker.h"
#include "worker/call_parts.h"
#include "worker/count_fetch.h"
#include "worker/pending_state.h"
#include "worker/request_pool.h"
#include "worker/row_cache.h"
#include "worker/row_fetch.h"
#include "worker/worker_core.h"

namespace longtail {

class ConnectedWorker final : public Worker, private CallOwner {
 public:
  struct Identity {
    SessionId session{};
    std::uint32_t rank = 0;
    std::function<void()> on_close = {};                    ///< Called when the worker has left.
    std::function<std::string(NodeId lane)> describe = {};  ///< What a lane is called in errors.
    /// Floats of one request; a larger part of a call is cut, between partitions. What travels is
    /// then worked on in pieces by all who handle it, at the same time and in their caches.
    std::size_t request_floats_max = std::numeric_limits<std::size_t>::max();
    /// Messages travel as bytes: those are counted, and the worker's options for them hold.
    bool is_remote = false;
    bool is_reader = false;  ///< It pulls and does nothing else: it has no session.
  };

  /// Registers with every lane. `map` must outlive the worker. Needs options that Validate
  /// (worker_options.h) takes.
  ///
  /// Errors: DeadlineExceeded, naming the lane that did not answer; what a lane refuses with.
  static absl::StatusOr<std::unique_ptr<Worker>> Connect(const WorkerOptions& options,
                                                         const Identity& identity,
                                                         std::unique_ptr<Transport> transport,
                                                         const ClusterMapHolder& map);

  /// Waits for its pushes to be acknowledged and leaves, within the worker's timeout.
  ~ConnectedWorker() override;

  absl::Status Prepare(TableId table, std::span<const Key> keys, KeyBatch& batch) override;
  Pending PullAsync(std::span<const PullItem> items, const CallOptions& options) override;
  Pending PushAsync(std::span<const PushItem> items, const CallOptions& options) override;
  Pending PullCountsAsync(TableId table, std::span<const Key> keys, CountRows* rows,
                          const CallOptions& options) override;
  Pending PushCountsAsync(TableId table, std::span<const Key> keys, const CountRows& changes,
                          const CallOptions& options) override;
  Pending EndStepAsync(const CallOptions& options) override;
  std::uint64_t step() const override;
  std::uint32_t rank() const override { return identity_.rank; }
  WorkerStatistics statistics() const override;
  absl::StatusOr<TableSpec> Table(TableId table) const override;

 private:
  // A push's gradients live beside its message: one copy, and one thing to keep alive.
  struct PooledPush : PushRequest {
    std::vector<float> gradients;
    std::vector<std::uint32_t> zeros;  // Counts of keys whose occurrences do not count.
  };

  ConnectedWorker(const WorkerOptions& options, const Identity& identity,
                  std::unique_ptr<Transport> transport, const ClusterMapHolder& map);

  void Abandon(std::uint64_t call) override;
  void OnCompletion(const Completion& completion);
  void ReleaseIdle();
  absl::Time Deadline(const CallOptions& options) const;
  absl::Status AwaitRoom(std::size_t bytes, absl::Time deadline);
  Pending Fail(absl::Status status);
  Pending Submit(WorkerCore::Call call, std::shared_ptr<RowFetch> fetch = nullptr,
                 std::shared_ptr<CountFetch> counts = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<Pending::State> TakeState(absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static absl::Status OnlyPulls();
  absl::Status CheckItem(const ClusterMap& map, const KeyBatch* keys, std::size_t floats) const;
  // How values of a call travel; none: as plain messages.
  std::optional<WireValues> Compact(WireValues values, const CallOptions& options) const;
  // Writes what the cache has of a pull; gives the rest of it.
  std::shared_ptr<RowFetch> BeginFetch(std::span<const PullItem> items)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BuildPull(const ClusterMap& map, const CallPart& part, std::span<const PullItem> items,
                 const CallOptions& options, const std::shared_ptr<PullSink>& sink)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BuildPush(const ClusterMap& map, const CallPart& part, std::span<const PushItem> items,
                 const CallOptions& options) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BuildCountPull(const ClusterMap& map, const CallPart& part, CountFetch& fetch,
                      const std::shared_ptr<PullSink>& sink) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BuildCountPush(const ClusterMap& map, const CallPart& part, const CountItem& item,
                      std::uint32_t dim, const std::shared_ptr<const std::string>& packed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename T>
  absl::Status ToEveryLane(const char* kind, absl::Duration timeout);

  const WorkerOptions options_;
  const Identity identity_;
  const std::uint64_t epoch_;  // Of the cluster whose rows it is to work on; 0: any.
  const ClusterMapHolder& map_;
  const std::unique_ptr<Transport> transport_;
  const std::shared_ptr<CallOwnerLink> link_;
  WorkerCore core_;  // Touched under the loop's lock only.

  // Calls are built one at a time.
  mutable Mutex mutex_;
  std::vector<CallPart> parts_ ABSL_GUARDED_BY(mutex_);
  std::vector<WorkerCore::Outgoing> outgoing_ ABSL_GUARDED_BY(mutex_);
  RequestPool<PullRequest> pulls_ ABSL_GUARDED_BY(mutex_);
  RequestPool<PooledPush> pushes_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<PullSink>> sinks_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Pending::State>> states_ ABSL_GUARDED_BY(mutex_);

  std::vector<std::shared_ptr<RowFetch>> fetches_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<CountFetch>> count_fetches_ ABSL_GUARDED_BY(mutex_);

  // Touched under the loop's lock only: calls the core works on. Who gives a call up takes that
  // lock, so no row is written to its caller's memory, or into the cache, after that.
  struct OpenCall {
    std::uint64_t number = 0;
    std::shared_ptr<Pending::State> state;
    std::shared_ptr<RowFetch> fetch;     // Null: not a pull that the cache has a part in.
    std::shared_ptr<CountFetch> counts;  // Null: not a pull of counts.
  };
  std::vector<OpenCall> calls_;

  // Taken by callers under mutex_ and by the loop under its own lock; the last of them. The pointer
  // is null without a cache.
  mutable Mutex cache_mutex_;
  const std::unique_ptr<RowCache> cache_ ABSL_PT_GUARDED_BY(cache_mutex_);

  std::unique_ptr<CoreLoop> loop_;  // Last: its thread uses all the others.
};

}  // namespace longtail
