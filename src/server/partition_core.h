// One partition's rules, as a deterministic state machine.
//
//     state(n+1) = apply(state(n), log[n])
//
// Its ops are pushes, barriers, table creation, session opening and closing, and imports of rows.
// Every push and barrier carries its session's next sequence number: one seen before is
// acknowledged and not applied, a gap is refused. The log itself is not kept yet, only its length:
// no follower reads it. An op that ends a step sweeps the part of each table that is due
// (longtail/eviction_spec.h): evictions follow the log like everything else.
//
// Threads: not thread-safe. One lane owns a partition.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "longtail/step_mode.h"
#include "longtail/table_spec.h"
#include "protocol/evicted_keys.h"
#include "protocol/lane_base.h"
#include "protocol/messages.h"
#include "sparse/count_table.h"
#include "sparse/table.h"

namespace longtail::server {

class PartitionCore {
 public:
  struct Options {
    PartitionId id{};
    std::uint32_t partition_count = 1;
    StepMode step_mode = StepMode::kAsynchronous;
    std::uint32_t worker_count = 1;
    bool audits_evictions = false;  ///< Keeps what is evicted until TakeEvictions.
    /// Synchronous mode: what was pushed for steps from that one on is never applied. So rows that
    /// are made of a log hold what so many steps left, whatever follows in it.
    std::uint64_t step_max = std::numeric_limits<std::uint64_t>::max();
  };

  struct Session {
    std::uint32_t rank = 0;
    std::uint64_t next_sequence = 0;
    std::uint64_t next_step = 0;  ///< Steps this worker has ended.
  };

  explicit PartitionCore(const Options& options);

  /// Errors: AlreadyExists if the number is taken by another spec; FailedPrecondition if it is not
  /// the next.
  absl::Status CreateTable(TableId table, const TableSpec& spec);

  /// The worker begins with `step`, or with the step under way here if that is later. Opening its
  /// session again can only make it begin later.
  ///
  /// Errors: InvalidArgument (rank too high); AlreadyExists (the rank belongs to another session);
  ///         FailedPrecondition (the session was closed: this is a late copy of its opening).
  absl::Status OpenSession(SessionId session, std::uint32_t rank, std::uint64_t step = 0);
  void CloseSession(SessionId session);

  /// Errors: NotFound (table); InvalidArgument (kind, dim).
  absl::Status CheckPull(const PullSection& section) const;

  /// Copies the section's rows. Needs CheckPull to be OK. Changes no state but statistics.
  void Pull(const PullSection& section, const PullTarget& target);

  /// The same of a count table: appends them to `rows` as sized rows.
  void PullCounts(const PullSection& section, std::string& rows);

  /// One push: sections first … last-1 of `push`, all of this partition. All or nothing. A push
  /// that is wrong in itself uses up its sequence number, so that those after it are not held up.
  ///
  /// Errors: NotFound (session, table); InvalidArgument (sizes, dim, step, a key of another
  /// partition);
  ///         Unavailable (gap: naming the sequence wanted).
  absl::Status Push(const std::shared_ptr<const PushRequest>& push, std::size_t first,
                    std::size_t last);

  /// Ends a worker's step. Once every worker has ended it, the partition's step moves on, and in
  /// synchronous mode the step's pushes are applied.
  ///
  /// Errors: as Push.
  absl::Status Barrier(SessionId session, std::uint64_t sequence, std::uint64_t step);

  /// Errors: InvalidArgument, NotFound; nothing is imported then.
  absl::Status ImportRow(TableId table, const sparse::RowView& row);
  absl::Status ImportRow(TableId table, const sparse::CountRowView& row);
  void ImportStep(std::uint64_t step);

  /// Asks memory for what an import of that key will touch first; any key and table will do.
  void ExpectRow(TableId table, Key key) const;

  /// All but rows and tables, for a base of the lane's log. Pushes that wait for their step are put
  /// into `pushes`, once for all partitions.
  PartitionBase Save(std::vector<std::shared_ptr<const PushRequest>>& pushes) const;

  /// Becomes what Save saw. Before that its tables must be created, afterwards its rows imported.
  ///
  /// Errors: InvalidArgument if there are other tables than it names, or a rank is too high.
  absl::Status Restore(const PartitionBase& base,
                       std::span<const std::shared_ptr<const PushRequest>> pushes);
  /// After the rows are imported.
  void RestoreSteps(const PartitionBase& base);

  /// Cuts all tables (sparse::Table::BeginCut). Bytes of their rows, about.
  std::uint64_t BeginCut();
  void EndCut();

  /// How a cut for a checkpoint was begun.
  struct CheckpointCut {
    std::uint64_t bytes = 0;  ///< Of the rows in it, about.
    bool is_increment = false;
  };

  /// Cuts all tables for a checkpoint, on which a later one can build: from now on they remember
  /// what changes. Of an increment, the cut has only what changed since `base` was cut; it is one
  /// if that is wanted and known. `base` is a checkpoint that is complete; 0: none is known. What
  /// changed since it stays remembered until a later cut is on top of this one, which may fail.
  ///
  /// That memory is no state of the partition: it does not follow the log.
  CheckpointCut BeginCheckpointCut(std::uint64_t checkpoint, std::uint64_t base,
                                   bool wants_increment);

  /// Calls visit(table) with the table to cut: a Table or a CountTable.
  template <typename Visit>
  auto WithTableToCut(TableId table, Visit&& visit) {
    return std::visit(visit, *tables_[static_cast<std::size_t>(table)]);
  }
  /// Of all tables.
  std::uint64_t cut_kept_bytes() const;
  std::uint64_t cut_copied_bytes() const;

  /// Appends what was evicted since the last call, by table; nothing unless it is audited. It is
  /// no state: replicas need not agree on who asks.
  void TakeEvictions(std::vector<EvictedKeys>& evictions);

  PartitionId id() const { return options_.id; }
  /// Steps applied: all that every worker which has not left has ended. In asynchronous mode the
  /// latest step of any push.
  std::uint64_t step() const { return step_; }
  /// Those of them whose pushes its rows have: all, but for Options::step_max.
  std::uint64_t applied_step() const { return std::min(step_, options_.step_max); }
  std::uint64_t log_position() const { return log_position_; }
  std::uint64_t row_count() const;
  bool has_unapplied_pushes() const { return !buffered_.empty(); }
  std::size_t table_count() const { return tables_.size(); }
  const TableSpec& spec(TableId table) const;
  /// What it has counted: with a look at all rows, and without.
  TableStatistics Statistics(TableId table) const;
  TableStatistics Counts(TableId table) const;
  /// Of all that its rows hold.
  std::uint64_t ContentHash(TableId table) const;

  /// Calls visit(table) with the table: a Table, or a CountTable.
  template <typename Visit>
  auto WithTable(TableId table, Visit&& visit) const {
    return std::visit(visit, std::as_const(*tables_[static_cast<std::size_t>(table)]));
  }

  /// The table itself, which must be one of weights, or one of counts.
  const sparse::Table& table(TableId table) const {
    return std::get<sparse::Table>(*tables_[static_cast<std::size_t>(table)]);
  }
  const sparse::CountTable& count_table(TableId table) const {
    return std::get<sparse::CountTable>(*tables_[static_cast<std::size_t>(table)]);
  }
  const absl::btree_map<SessionId, Session>& sessions() const { return sessions_; }

 private:
  // Sections of a push that wait for the end of their step.
  struct BufferedPush {
    std::shared_ptr<const PushRequest> push;
    std::size_t first = 0;
    std::size_t last = 0;
  };
  enum class Admission { kNew, kDuplicate };
  using AnyTable = std::variant<sparse::Table, sparse::CountTable>;

  absl::StatusOr<Admission> Admit(SessionId session, std::uint64_t sequence) const;
  absl::Status CheckSizes(const PushSection& section) const;
  absl::Status CheckImport(TableId table, TableKind kind, Key key) const;
  absl::Status CheckPush(const PushRequest& push, std::size_t first, std::size_t last,
                         const Session& session) const;
  void Apply(const PushRequest& push, std::size_t first, std::size_t last);
  void Advance();
  void EndSteps();

  // Calls visit(table) for each of them.
  template <typename Visit>
  void ForEachTable(Visit&& visit) const {
    for (const auto& table : tables_) std::visit(visit, *table);
  }

  const Options options_;
  std::vector<std::unique_ptr<AnyTable>> tables_;  // By TableId.
  absl::btree_map<SessionId, Session> sessions_;
  absl::btree_set<SessionId> closed_;  // Never to be opened again.
  std::vector<bool> left_;             // By rank: its session was closed, steps do not wait for it.
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::vector<BufferedPush>>
      buffered_;                     // By step, then rank; in it by sequence.
  std::uint64_t ended_by_left_ = 0;  // Steps that some worker had ended when it left.
  std::uint64_t step_ = 0;
  std::uint64_t log_position_ = 0;
  // The checkpoints of the tables' marks, the last one and the one before; 0: none.
  std::uint64_t mark_ = 0;
  std::uint64_t mark_before_ = 0;
};

}  // namespace longtail::server
