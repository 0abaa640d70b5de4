// A training process's connection to a cluster: pulls rows, pushes gradients.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "longtail/count_rows.h"
#include "longtail/ids.h"
#include "longtail/key_batch.h"
#include "longtail/row_format.h"
#include "longtail/statistics.h"
#include "longtail/table_spec.h"

namespace longtail {

struct WorkerOptions {
  /// How long a call may take, where it does not say otherwise.
  std::chrono::milliseconds timeout{60'000};
  /// An unanswered request is sent again after this long. A push counts once however often it is
  /// sent.
  std::chrono::milliseconds retry_after{5'000};
  /// Bytes of pushes that may be unacknowledged: a push beyond that waits for room, until its
  /// deadline. One push goes through however large it is. A remote worker holds them twice at most.
  /// So a server that stands still never makes its workers grow without bound, nor a fast worker
  /// its servers.
  std::size_t push_bytes_max = std::size_t{256} << 20;
  /// Its place in a synchronous step, 0 … workers - 1; none: the lowest that is free. Processes
  /// that must give the same bits every time name theirs.
  std::optional<std::uint32_t> rank{};

  /// Memory for rows that were pulled, of all tables together. Rows that are asked for often are
  /// then served from there, by a copy, and only the others are asked of servers. 0: none are kept;
  /// else 64 KiB … 16 GiB, of which rows of dim d take 4 d + 32 bytes each and a quarter goes to
  /// the index. When it is full, those stay that are asked for most. Pushes are sent as ever.
  std::size_t row_cache_bytes = 0;
  /// How old such a row may be: a pull is served what another pull of this worker brought that was
  /// made in the same step, or at most so many steps earlier; at most 1,000,000.
  ///
  /// So it may lack all that was pushed since then, by others and by this worker itself: a push is
  /// seen by all pulls of its thread that are made row_cache_steps + 1 steps later or more, and
  /// perhaps by none before. With bounded staleness a pull of step c sees all updates of the
  /// steps before c - staleness - row_cache_steps. Steps end by EndStep, in asynchronous mode too:
  /// a worker that never ends one is served for ever what it pulled first. In synchronous mode want
  /// 0: there rows stay what they are within a step, and the result does not depend on the cache.
  ///
  /// Pulls that are not for training (CallOptions::steps_ahead), fresh or exact on the wire are not
  /// served from it.
  std::uint32_t row_cache_steps = 0;

  // What follows is for servers in other processes; within a process nothing is rounded or named.

  /// How pushed gradients travel. What rounding takes from a key's gradient is added to its next
  /// one, so that over many pushes only one rounding is lost.
  WireValues wire_gradients = WireValues::kFloat32;
  /// How pulled rows travel. The servers' own stay as they are.
  WireValues wire_rows = WireValues::kFloat32;
  /// A list of keys that a lane was sent before is sent by its name of 16 bytes: the push after a
  /// pull of the same KeyBatch sends no keys, nor does the batch's next use. Lanes keep 64 MiB of
  /// lists each, those used last, and ask for one that they no longer have: that request then comes
  /// after those that were sent behind it, but for the order of pushes and ends of steps. With a
  /// row cache a pull's list has the keys alone that are not served from it, hardly ever the same
  /// ones twice: of those only the pushes' gain by it.
  bool wire_names_key_lists = false;
  /// Memory for what rounding took, about: of a row of fp32 and 48 bytes for each key that was
  /// pushed. When it is full, keys that were not pushed for long lose theirs
  /// (WorkerStatistics::feedback_dropped).
  std::size_t wire_feedback_bytes_max = std::size_t{256} << 20;
};

/// Rows of one table to pull.
struct PullItem {
  const KeyBatch* keys = nullptr;
  std::span<float> rows;  ///< [keys->unique_size(), dim], written in that order.
  std::span<std::uint32_t> counts =
      {};  ///< Empty, or [unique_size]: training counts; 0: no row yet.
};

/// Gradients of one table to push.
struct PushItem {
  const KeyBatch* keys = nullptr;
  /// Whether the keys' occurrences are added to their rows' training counts: not when the same data
  /// is seen again, so that a count says how often the data have the feature.
  bool counts_occurrences = true;
  std::span<const float>
      gradients;  ///< [keys->unique_size(), dim], summed over a key's occurrences.
};

struct CallOptions {
  std::chrono::milliseconds timeout{0};  ///< 0: the worker's.
  /// Push: multiplies the optimizer's learning rate for this push.
  float learning_rate_scale = 1;
  /// Pull: the rows are used so many steps after the one the worker is in, 1 for a prefetch; none:
  /// not for training. The latter are not counted in WorkerStatistics, and not served from the row
  /// cache: rows are as servers have them.
  std::optional<std::uint32_t> steps_ahead = 0;
  /// The values travel as fp32, whatever the worker's options are.
  bool exact_on_wire = false;
  /// Pull: all rows are asked of servers, whatever the row cache has; it is left as it is.
  bool fresh = false;
};

/// A call in flight. Dropping it gives the call up: a pull then writes nothing more; a push may
/// still take effect.
///
/// Thread: one thread at a time.
class Pending {
 public:
  class State;
  Pending() = default;
  Pending(Pending&&) noexcept = default;
  Pending& operator=(Pending&& other) noexcept;
  ~Pending();

  /// Waits for the end of the call, at most until its deadline, and gives its outcome. A second
  /// Wait gives it again.
  ///
  /// Errors: those of the call.
  absl::Status Wait();

  /// True once Wait will not block.
  bool done() const;

 private:
  friend class WorkerAccess;
  explicit Pending(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// Errors of all calls: NotFound (no such table); InvalidArgument (sizes); DeadlineExceeded, naming
/// what was waited for and for how long; ResourceExhausted (a named limit).
///
/// Thread: any thread may call; calls may overlap. Calls of one thread reach a lane in their order,
/// so a pull that follows a push of the same thread sees it, but for rows served from a row cache.
/// Owns one background thread.
class Worker {
 public:
  virtual ~Worker() = default;

  /// Deduplicates `keys` of a table and groups them by partition, into `batch`.
  ///
  /// Cost: two passes over keys; no allocation once warm.
  virtual absl::Status Prepare(TableId table, std::span<const Key> keys, KeyBatch& batch) = 0;

  /// Pulls rows of any number of tables in one request a lane. The memory of the items must live
  /// until the call has ended. A pull inserts nothing: a key without a row gives its initial value.
  /// In synchronous mode it is answered when every step before this worker's is applied; made
  /// before a step's push, as a prefetch does, it gives the rows as they are one step earlier. With
  /// bounded staleness it is answered when the slowest worker is within so many steps.
  ///
  /// Cost: a row is copied once, from the table to `rows`; with a row cache, those that it lacks
  ///       twice more.
  virtual Pending PullAsync(std::span<const PullItem> items, const CallOptions& options = {}) = 0;

  /// Pushes gradients of any number of tables. The gradients are copied before the call returns.
  /// Counts exactly once. Returns at once unless WorkerOptions::push_bytes_max are on their way.
  virtual Pending PushAsync(std::span<const PushItem> items, const CallOptions& options = {}) = 0;

  /// Ends this worker's step. In synchronous mode its pushes take effect when every worker has
  /// ended the step. With bounded staleness others wait for it, see StepMode.
  virtual Pending EndStepAsync(const CallOptions& options = {}) = 0;

  /// Pulls rows of a count table, in the order of keys, which may repeat. A key never pushed has an
  /// empty row. `rows` is replaced whole when the call has ended well, and must live until then;
  /// otherwise it is left as it is. When it is answered is as of PullAsync; there is no row cache.
  ///
  /// Errors: InvalidArgument (a table of weights).
  /// Cost:   a row is copied once as it is kept, a few bytes an entry, and unpacked once.
  virtual Pending PullCountsAsync(TableId table, std::span<const Key> keys, CountRows* rows,
                                  const CallOptions& options = {}) = 0;

  /// Adds `changes`, of any sign, to rows of a count table: row i to that of keys[i]. A key may
  /// repeat: its changes are summed, and count as one. A change of 0 is none. Copied before the
  /// call returns; counts exactly once, like a push. Sums do not depend on the order of pushes. A
  /// row whose counts are all zero again stays, empty. A key whose changes would take a count out
  /// of 64 bits keeps the row it has and is counted (TableStatistics::non_finite_refused).
  ///
  /// Errors: InvalidArgument (a table of weights; sizes that do not fit; columns that do not ascend
  ///         or are not below the table's dim; changes of one key whose sum is out of 64 bits).
  virtual Pending PushCountsAsync(TableId table, std::span<const Key> keys,
                                  const CountRows& changes, const CallOptions& options = {}) = 0;

  absl::Status PullCounts(TableId table, std::span<const Key> keys, CountRows* rows,
                          const CallOptions& options = {});
  absl::Status PushCounts(TableId table, std::span<const Key> keys, const CountRows& changes,
                          const CallOptions& options = {});

  absl::Status Pull(std::span<const PullItem> items, const CallOptions& options = {});
  absl::Status Push(std::span<const PushItem> items, const CallOptions& options = {});
  absl::Status EndStep(const CallOptions& options = {});

  /// The simple forms: keys may repeat, rows and gradients are in the order of keys; gradients of
  /// equal keys are summed.
  ///
  /// Shapes: keys [n]; rows, gradients [n, dim].
  /// Cost:   allocates, and copies once more than the forms above.
  absl::Status Pull(TableId table, std::span<const Key> keys, std::span<float> rows,
                    const CallOptions& options = {});
  absl::Status Push(TableId table, std::span<const Key> keys, std::span<const float> gradients,
                    const CallOptions& options = {});

  /// The step this worker is in, counted from the cluster's step when it connected.
  virtual std::uint64_t step() const = 0;

  /// Its place in a synchronous step.
  virtual std::uint32_t rank() const = 0;

  /// What this worker has counted since it connected.
  virtual WorkerStatistics statistics() const = 0;

  /// Errors: NotFound.
  virtual absl::StatusOr<TableSpec> Table(TableId table) const = 0;
};

}  // namespace longtail
