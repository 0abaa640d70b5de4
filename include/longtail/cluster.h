// A cluster of lanes and partitions, as the program that starts or joins it sees it.
//
// The embedded cluster runs in this process: workers talk to its lanes with the messages that
// travel to a remote one, by pointer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "longtail/checkpoint.h"
#include "longtail/ids.h"
#include "longtail/statistics.h"
#include "longtail/step_mode.h"
#include "longtail/table_spec.h"
#include "longtail/worker.h"

namespace longtail {

struct ClusterOptions {
  std::uint32_t lanes = 1;  ///< Threads that own partitions, 1 … 256.
  std::uint32_t partitions =
      64;  ///< A power of two, at least `lanes`; fixed for the cluster's life.
  StepMode step_mode = StepMode::kAsynchronous;
  /// Bounded staleness alone: how many steps a worker may be ahead of the slowest one, at most
  /// kStalenessMax. 0: a pull waits for all steps before its own.
  std::uint32_t staleness = 0;
  /// Workers that a step waits for, whether they came yet or not; asynchronous: the most at once.
  std::uint32_t workers = 1;
  /// Where checkpoints go: a directory, made if need be. Empty: this cluster saves none.
  std::string store{};
  /// A directory, made if need be, in which each lane writes down every key evicted with its
  /// reason, as lines of text (docs/FORMATS.md); files that are there are continued. Empty: no
  /// audit. Costs a write a step that evicts. What cannot be written is lost, is counted
  /// (Cluster::unaudited_evictions) and stops nothing.
  std::string eviction_audit{};
  /// How long a control call (table, statistics, session) may take before it fails.
  std::chrono::milliseconds control_timeout{30'000};
  /// How long saving or restoring may go without progress before it fails.
  std::chrono::milliseconds checkpoint_timeout{600'000};
};

/// How a program joins a cluster of server processes.
struct RemoteOptions {
  /// The coordinator's address, tcp://HOST:PORT, or a file whose first line is that.
  std::string coordinator;
  /// Where checkpoints go: the store that the servers name, too. Empty: this program saves none.
  std::string store{};
  /// How long to wait for the coordinator, and for all servers to be there.
  std::chrono::milliseconds join_timeout{60'000};
  std::chrono::milliseconds control_timeout{30'000};      ///< As ClusterOptions'.
  std::chrono::milliseconds checkpoint_timeout{600'000};  ///< As ClusterOptions'.
};

/// A cluster's last rollback.
struct RollbackInfo {
  std::uint64_t number = 0;  ///< 1 for the cluster's first.
  std::string name;          ///< Of the checkpoint.
  std::uint64_t step = 0;    ///< Of it.
  std::string at;            ///< RFC 3339, UTC, by the coordinator's clock.
};

/// A running cluster. An embedded one owns its lanes' threads; workers must be gone before it is.
///
/// Thread: any thread may call; calls may overlap.
class Cluster {
 public:
  /// Starts lanes in this process.
  ///
  /// Errors: InvalidArgument, naming the option that is wrong and what was wanted.
  static absl::StatusOr<std::unique_ptr<Cluster>> Embedded(const ClusterOptions& options);

  /// Starts lanes in this process with the tables, rows and step of a checkpoint. The numbers of
  /// lanes and partitions need not be those of the cluster that saved it. All or nothing: on any
  /// error no cluster is left.
  ///
  /// Errors: as Embedded; NotFound (no such checkpoint); DataLoss or InvalidArgument naming the
  /// file,
  ///         the offset and the cause, if it is truncated, damaged, foreign or newer.
  static absl::StatusOr<std::unique_ptr<Cluster>> Restore(const ClusterOptions& options,
                                                          const CheckpointName& from);

  /// Joins the cluster of a coordinator. Its options() are that cluster's. (Component cluster.)
  ///
  /// Errors: InvalidArgument (options, an address, another version of Longtail); NotFound (the
  ///         file); DeadlineExceeded naming the coordinator and why it cannot be reached, or the
  ///         servers that it waits for.
  static absl::StatusOr<std::unique_ptr<Cluster>> Remote(const RemoteOptions& options);

  virtual ~Cluster() = default;

  /// Makes a table on every partition. A table of that name with an equal spec is returned as it
  /// is.
  ///
  /// Errors: InvalidArgument (see Validate); AlreadyExists (same name, another spec).
  virtual absl::StatusOr<TableId> CreateTable(const TableSpec& spec) = 0;

  /// Errors: NotFound, listing the tables there are.
  virtual absl::StatusOr<TableId> FindTable(std::string_view name) const = 0;

  /// Registers a worker. Its rank (its place in a step) is the one that its options name, or the
  /// lowest that is free; no more than `workers` may be connected. Synchronous and bounded steps
  /// wait for every rank that no worker took yet, and for none whose worker has left.
  ///
  /// Errors: ResourceExhausted (all ranks are taken, within a process); AlreadyExists (that rank
  ///         is); DeadlineExceeded, which says who has the rank.
  virtual absl::StatusOr<std::unique_ptr<Worker>> Connect(const WorkerOptions& options = {}) = 0;

  /// A worker that only pulls, as what serves a model does. It takes no rank and no step waits for
  /// it; its pulls wait for none. Servers that only read (`longtail serve --reads`) answer it, if
  /// there are any, each reader one of them: rows are then as old as that server is behind, as a
  /// rule some milliseconds; else the lanes' leaders do. Its step and rank are 0.
  ///
  /// Errors: those of Connect that are not of ranks. Pushes and ends of steps: FailedPrecondition.
  virtual absl::StatusOr<std::unique_ptr<Worker>> ConnectReader(
      const WorkerOptions& options = {}) = 0;

  /// Sums of all partitions. Cost: one pass over the table's rows.
  virtual absl::StatusOr<TableStatistics> Statistics(TableId table) = 0;

  /// The same of every table, in the order of their ids.
  virtual absl::StatusOr<std::vector<TableReport>> AllStatistics() = 0;

  /// Saves every table and the trainer's own state, as they are when each lane hears of it; lanes
  /// go on while they write. In synchronous mode an unfinished step is refused: call it between
  /// steps. In the others what was applied is saved, whatever step it is of, and steps go on from
  /// the last that any partition has reached.
  ///
  /// Errors: FailedPrecondition (no store; a step or another checkpoint is under way);
  ///         InvalidArgument (options, name); AlreadyExists, also if objects of a checkpoint of
  ///         that name are still needed by others; ResourceExhausted (disk full); Aborted (a lane
  ///         got another leader; what an increment builds on was removed meanwhile). The checkpoint
  ///         is then not there: its manifest is written last.
  /// Cost:   memory of the rows that change before they are written, at most a third of all. From
  ///         the first checkpoint with increments_max > 0 on, four bits a row and the keys of rows
  ///         that go, up to a quarter of the rows.
  virtual absl::StatusOr<CheckpointInfo> Checkpoint(const std::string& name,
                                                    const TrainerState& trainer,
                                                    const CheckpointOptions& options) = 0;

  /// A full one.
  absl::StatusOr<CheckpointInfo> Checkpoint(const std::string& name,
                                            const TrainerState& trainer = {}) {
    return Checkpoint(name, trainer, CheckpointOptions());
  }

  /// Brings the tables, rows and step of a checkpoint into this cluster, which must be new: without
  /// tables and workers. After another error than AlreadyExists it holds a part of them and is good
  /// for nothing.
  ///
  /// Errors: as Restore; AlreadyExists (it has tables: see RollBack).
  virtual absl::Status Load(const CheckpointName& from) = 0;

  /// Makes tables of a checkpoint here, rows and all, beside those that there are; training may go
  /// on. Nothing else of the checkpoint comes with them. After an error a table may be there with a
  /// part of its rows.
  ///
  /// Errors: as Restore; NotFound (a table, listing those it has); AlreadyExists (a table that is
  ///         here); InvalidArgument (none is named).
  virtual absl::Status LoadTables(const CheckpointName& from,
                                  const std::vector<std::string>& tables) = 0;

  /// Has the cluster go back to a checkpoint of its tables in the store, while it runs: all rows
  /// are then those of the checkpoint, and whatever came since is gone. Every worker's calls fail
  /// as Aborted from then on, and name the checkpoint; who connects anew begins at its step.
  /// Readers have the rows of before until those of all lanes are there. Servers read them, so
  /// theirs must be the same store. Returns once every lane's leader has them.
  ///
  /// Errors: FailedPrecondition (no store; tables that differ from the checkpoint's; an embedded
  ///         cluster, which is restored anew instead); NotFound; DeadlineExceeded naming a lane
  ///         and what keeps it: it goes on trying.
  /// Cost:   until a lane has its rows, memory for both.
  virtual absl::Status RollBack(const std::string& name) = 0;

  /// None if it was never rolled back.
  virtual std::optional<RollbackInfo> last_rollback() const = 0;

  /// Waits until `participants` Cluster objects, one a process, have come to the barrier of that
  /// name; a process passes it once.
  ///
  /// Errors: DeadlineExceeded, naming it; InvalidArgument (others came with another number; within
  ///         a process: more than one participant).
  virtual absl::Status Barrier(const std::string& name, std::uint32_t participants,
                               std::chrono::milliseconds timeout) = 0;

  /// Keys evicted of which the audit could not write; 0 without an audit.
  virtual std::uint64_t unaudited_evictions() const = 0;

  /// Steps that were applied when the cluster was restored; 0 for a new one.
  virtual std::uint64_t restored_step() const = 0;

  virtual const ClusterOptions& options() const = 0;
};

/// Writes what AllStatistics gave to a JSON file (docs/FORMATS.md), for people and for `longtail
/// inspect`, in the place of one that is there: who reads it meanwhile has the old one or the new
/// one whole. `step` is how far the run has come. The directory is made if need be.
///
/// Errors: InvalidArgument (the file's name has other characters than [a-zA-Z0-9._-]);
///         ResourceExhausted (disk full); Unavailable.
absl::Status WriteStatisticsFile(const std::string& path, std::uint64_t step,
                                 const std::vector<TableReport>& tables);

}  // namespace longtail
