#include "server/partition_core.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "base/count_row.h"
#include "base/status_macros.h"
#include "protocol/cluster_map.h"

namespace longtail::server {
namespace {

std::uint32_t Number(PartitionId id) {
  return static_cast<std::uint32_t>(id);
}
std::uint32_t Number(TableId id) {
  return static_cast<std::uint32_t>(id);
}

}  // namespace

PartitionCore::PartitionCore(const Options& options)
    : options_(options), left_(options.worker_count, false) {}

absl::Status PartitionCore::CreateTable(TableId table, const TableSpec& spec) {
  const std::uint32_t number = Number(table);
  if (number < tables_.size()) {
    if (this->spec(table) == spec) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat("table ", number, " '", this->spec(table).name,
                                                 "' exists with another spec than '", spec.name,
                                                 "' has"));
  }
  if (number != tables_.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat("table ", number, ": want the next number, ", tables_.size()));
  }
  LONGTAIL_RETURN_IF_ERROR(Validate(spec));
  // A back-off row must lie in the partition of the keys that share it.
  if (spec.tail.format.weights == WeightFormat::kShared && spec.tail.below > 1 &&
      options_.partition_count > std::uint32_t{1} << spec.tail.bucket_bits) {
    return absl::InvalidArgumentError(
        absl::StrCat("table '", spec.name, "': tail.bucket_bits ", spec.tail.bucket_bits,
                     ": want more, so that there are at least as many buckets as partitions (",
                     options_.partition_count, ")"));
  }
  if (spec.kind == TableKind::kCounts) {
    tables_.push_back(std::make_unique<AnyTable>(std::in_place_type<sparse::CountTable>, spec));
  } else {
    tables_.push_back(std::make_unique<AnyTable>(std::in_place_type<sparse::Table>, spec));
    if (options_.audits_evictions) std::get<sparse::Table>(*tables_.back()).eviction_log().Open();
  }
  std::visit(
      [&](auto& made) {
        made.BeginAtStep(step_);
        if (mark_ != 0) made.MarkChanges();  // All its rows will be new.
      },
      *tables_.back());
  ++log_position_;
  return absl::OkStatus();
}

absl::Status PartitionCore::OpenSession(SessionId session, std::uint32_t rank, std::uint64_t step) {
  if (rank >= options_.worker_count) {
    return absl::InvalidArgumentError(
        absl::StrCat("worker rank ", rank, ": want 0..", options_.worker_count - 1));
  }
  if (closed_.contains(session)) {
    return absl::FailedPreconditionError(
        absl::StrCat("session ", static_cast<std::uint64_t>(session), " was closed"));
  }
  for (auto& [other, state] : sessions_) {
    if (state.rank != rank) continue;
    if (other == session) {
      if (step <= state.next_step) return absl::OkStatus();
      state.next_step = step;
      ++log_position_;
      Advance();
      return absl::OkStatus();
    }
    return absl::AlreadyExistsError(absl::StrCat("worker rank ", rank, " belongs to session ",
                                                 static_cast<std::uint64_t>(other)));
  }
  sessions_[session] = {.rank = rank, .next_sequence = 0, .next_step = std::max(step, step_)};
  left_[rank] = false;
  ++log_position_;
  return absl::OkStatus();
}

void PartitionCore::CloseSession(SessionId session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  left_[found->second.rank] = true;
  ended_by_left_ = std::max(ended_by_left_, found->second.next_step);
  sessions_.erase(found);
  closed_.insert(session);
  ++log_position_;
  Advance();
}

absl::Status PartitionCore::CheckPull(const PullSection& section) const {
  const std::uint32_t table = Number(section.table);
  if (table >= tables_.size()) {
    return absl::NotFoundError(absl::StrCat("table ", table, ": partition ", Number(options_.id),
                                            " has ", tables_.size(), " tables"));
  }
  const TableSpec& known = spec(section.table);
  if (section.kind != known.kind) {
    const bool has_counts = known.kind == TableKind::kCounts;
    return absl::InvalidArgumentError(absl::StrCat("table '", known.name, "' is one of ",
                                                   has_counts ? "counts" : "weights", ": want no ",
                                                   has_counts ? "weights" : "counts", " of it"));
  }
  if (section.dim != known.dim) {
    return absl::InvalidArgumentError(
        absl::StrCat("table '", known.name, "': dim ", section.dim, ": want ", known.dim));
  }
  return absl::OkStatus();
}

void PartitionCore::Pull(const PullSection& section, const PullTarget& target) {
  std::get<sparse::Table>(*tables_[Number(section.table)])
      .Pull(section.keys, {.rows = target.rows, .stride = section.dim, .counts = target.counts});
}

void PartitionCore::PullCounts(const PullSection& section, std::string& rows) {
  std::get<sparse::CountTable>(*tables_[Number(section.table)]).Pull(section.keys, rows);
}

absl::StatusOr<PartitionCore::Admission> PartitionCore::Admit(SessionId session,
                                                              std::uint64_t sequence) const {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) {
    return absl::NotFoundError(absl::StrCat(
        "session ", static_cast<std::uint64_t>(session), " is not open in partition ",
        Number(options_.id), ": its worker left, or the coordinator heard nothing of it for ",
        "longer than its lease, and others went on without it"));
  }
  const std::uint64_t want = found->second.next_sequence;
  if (sequence < want) return Admission::kDuplicate;
  if (sequence > want) {
    return absl::UnavailableError(absl::StrCat("partition ", Number(options_.id), ": sequence ",
                                               sequence, ": want ", want, " first"));
  }
  return Admission::kNew;
}

// What a section brings for its keys; CheckPull is OK of its table.
absl::Status PartitionCore::CheckSizes(const PushSection& section) const {
  const std::size_t n = section.keys.size();
  if (section.kind == TableKind::kCounts) {
    const auto wrong = WrongSizedRows(section.packed, n, section.dim);
    if (!wrong) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("push to table '", spec(section.table).name, "': changes: ", *wrong));
  }
  if (section.counts.size() == n && section.gradients.size() == n * section.dim) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "push to table ", Number(section.table), ": ", section.counts.size(), " counts and ",
      section.gradients.size(), " gradients for ", n, " keys: want ", n, " and ", n * section.dim));
}

absl::Status PartitionCore::CheckPush(const PushRequest& push, std::size_t first, std::size_t last,
                                      const Session& session) const {
  if (options_.step_mode != StepMode::kAsynchronous && push.step != session.next_step) {
    return absl::InvalidArgumentError(absl::StrCat("push of step ", push.step, " by worker ",
                                                   session.rank, ": want step ",
                                                   session.next_step));
  }
  for (std::size_t i = first; i < last; ++i) {
    const PushSection& section = push.sections[i];
    LONGTAIL_RETURN_IF_ERROR(CheckPull({.partition = section.partition,
                                        .table = section.table,
                                        .dim = section.dim,
                                        .keys = {},
                                        .target = {},
                                        .kind = section.kind}));
    LONGTAIL_RETURN_IF_ERROR(CheckSizes(section));
    const bool is_ours = std::ranges::all_of(section.keys, [&](Key key) {
      return PartitionOf(key, options_.partition_count) == options_.id;
    });
    if (!is_ours) {
      return absl::InvalidArgumentError(absl::StrCat("push to table ", Number(section.table),
                                                     ": a key does not belong to partition ",
                                                     Number(options_.id)));
    }
  }
  return absl::OkStatus();
}

absl::Status PartitionCore::Push(const std::shared_ptr<const PushRequest>& push, std::size_t first,
                                 std::size_t last) {
  LONGTAIL_ASSIGN_OR_RETURN(const Admission admission,
                            Admit(push->session, push->sections[first].sequence));
  if (admission == Admission::kDuplicate) return absl::OkStatus();
  Session& session = sessions_[push->session];
  ++session.next_sequence;
  ++log_position_;
  LONGTAIL_RETURN_IF_ERROR(CheckPush(*push, first, last, session));
  if (options_.step_mode == StepMode::kSynchronous) {
    buffered_[{push->step, session.rank}].push_back({push, first, last});
    return absl::OkStatus();
  }
  Apply(*push, first, last);
  if (options_.step_mode == StepMode::kAsynchronous) {  // Nothing else tells of steps.
    step_ = std::max(step_, push->step);
    EndSteps();
  }
  return absl::OkStatus();
}

void PartitionCore::Apply(const PushRequest& push, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    const PushSection& section = push.sections[i];
    AnyTable& table = *tables_[Number(section.table)];
    if (auto* counts = std::get_if<sparse::CountTable>(&table)) {
      counts->Push(section.keys, section.packed);
      continue;
    }
    std::get<sparse::Table>(table).Push(section.keys, section.counts, section.gradients,
                                        static_cast<std::uint32_t>(push.step),
                                        push.learning_rate_scale);
  }
}

absl::Status PartitionCore::Barrier(SessionId session, std::uint64_t sequence, std::uint64_t step) {
  LONGTAIL_ASSIGN_OR_RETURN(const Admission admission, Admit(session, sequence));
  if (admission == Admission::kDuplicate) return absl::OkStatus();
  Session& state = sessions_[session];
  ++state.next_sequence;
  ++log_position_;
  if (step != state.next_step) {
    return absl::InvalidArgumentError(absl::StrCat("end of step ", step, " by worker ", state.rank,
                                                   ": want step ", state.next_step));
  }
  ++state.next_step;
  Advance();
  return absl::OkStatus();
}

// Moves to the first step that some worker has not ended, and applies the pushes of each step
// before it that synchronous mode held back. When all have left, a step that any of them had ended
// has ended, and what they pushed since counts, too: it was acknowledged.
void PartitionCore::Advance() {
  if (options_.step_mode == StepMode::kAsynchronous) return;
  const auto left = static_cast<std::size_t>(std::count(left_.begin(), left_.end(), true));
  if (sessions_.size() + left < options_.worker_count) return;
  std::uint64_t end = ended_by_left_;
  if (!sessions_.empty()) {
    end = std::numeric_limits<std::uint64_t>::max();
    for (const auto& [id, session] : sessions_) end = std::min(end, session.next_step);
  }
  step_ = std::max(step_, end);
  const bool takes_all = sessions_.empty() && step_ < options_.step_max;
  const auto last = takes_all ? buffered_.end() : buffered_.lower_bound({applied_step(), 0});
  for (auto pushes = buffered_.begin(); pushes != last; ++pushes) {
    for (const BufferedPush& push : pushes->second) Apply(*push.push, push.first, push.last);
  }
  buffered_.erase(buffered_.begin(), last);
  EndSteps();
}

void PartitionCore::EndSteps() {
  ForEachTable([&](auto& table) { table.EndSteps(applied_step()); });
}

std::uint64_t PartitionCore::BeginCut() {
  std::uint64_t bytes = 0;
  ForEachTable([&](auto& table) { bytes += table.BeginCut(); });
  return bytes;
}

PartitionCore::CheckpointCut PartitionCore::BeginCheckpointCut(std::uint64_t checkpoint,
                                                               std::uint64_t base,
                                                               bool wants_increment) {
  using sparse::ChangesSince;
  auto since = ChangesSince::kUnknown;
  if (base != 0 && base == mark_before_) since = ChangesSince::kMarkBefore;
  if (base != 0 && base == mark_) since = ChangesSince::kMark;
  const bool is_known = since != ChangesSince::kUnknown;
  CheckpointCut cut{.bytes = 0, .is_increment = wants_increment && is_known};
  ForEachTable([&](auto& table) {
    table.KeepChanges(since);
    cut.is_increment &= table.knows_changes();
  });
  ForEachTable([&](auto& table) {
    cut.bytes += cut.is_increment ? table.BeginCutOfChanges() : table.BeginCut();
    table.MarkChanges();
  });
  mark_before_ = is_known ? base : 0;
  mark_ = checkpoint;
  return cut;
}

std::uint64_t PartitionCore::row_count() const {
  std::uint64_t rows = 0;
  ForEachTable([&](const auto& table) { rows += table.row_count(); });
  return rows;
}

const TableSpec& PartitionCore::spec(TableId table) const {
  return std::visit([](const auto& known) -> const TableSpec& { return known.spec(); },
                    *tables_[Number(table)]);
}

TableStatistics PartitionCore::Statistics(TableId table) const {
  return WithTable(table, [](const auto& known) { return known.Statistics(); });
}

TableStatistics PartitionCore::Counts(TableId table) const {
  return WithTable(table, [](const auto& known) { return known.Counts(); });
}

std::uint64_t PartitionCore::ContentHash(TableId table) const {
  return WithTable(table, [](const auto& known) { return known.ContentHash(); });
}

void PartitionCore::EndCut() {
  ForEachTable([](auto& table) { table.EndCut(); });
}

std::uint64_t PartitionCore::cut_kept_bytes() const {
  std::uint64_t bytes = 0;
  ForEachTable([&](const auto& table) { bytes += table.cut_kept_bytes(); });
  return bytes;
}

std::uint64_t PartitionCore::cut_copied_bytes() const {
  std::uint64_t bytes = 0;
  ForEachTable([&](const auto& table) { bytes += table.cut_copied_bytes(); });
  return bytes;
}

void PartitionCore::TakeEvictions(std::vector<EvictedKeys>& evictions) {
  for (const auto& any : tables_) {
    auto* const table = std::get_if<sparse::Table>(any.get());
    if (table == nullptr) continue;  // No counts are evicted.
    sparse::EvictionLog& log = table->eviction_log();
    EvictedKeys taken{.table = {}, .keys = {}, .left_out = log.TakeLeftOut()};
    for (const sparse::EvictedRow& row : log.TakeRows()) {
      taken.keys.push_back({.key = row.key,
                            .reason = row.reason,
                            .count = row.count,
                            .last_step = row.last_step,
                            .step = row.step});
    }
    if (taken.keys.empty()) continue;
    taken.table = table->spec().name;
    evictions.push_back(std::move(taken));
  }
}

absl::Status PartitionCore::CheckImport(TableId table, TableKind kind, Key key) const {
  if (Number(table) >= tables_.size()) {
    return absl::NotFoundError(absl::StrCat("table ", Number(table), ": partition ",
                                            Number(options_.id), " has ", tables_.size()));
  }
  if (PartitionOf(key, options_.partition_count) != options_.id) {
    return absl::InvalidArgumentError(
        absl::StrCat("row of key ", key, " does not belong to partition ", Number(options_.id)));
  }
  if (spec(table).kind != kind) {
    return absl::InvalidArgumentError(absl::StrCat(
        "row of key ", key, " is one of ", kind == TableKind::kCounts ? "counts" : "weights",
        ": table '", spec(table).name, "' has none"));
  }
  return absl::OkStatus();
}

absl::Status PartitionCore::ImportRow(TableId table, const sparse::RowView& row) {
  LONGTAIL_RETURN_IF_ERROR(CheckImport(table, TableKind::kWeights, row.key));
  LONGTAIL_RETURN_IF_ERROR(std::get<sparse::Table>(*tables_[Number(table)]).Import(row));
  ++log_position_;
  return absl::OkStatus();
}

absl::Status PartitionCore::ImportRow(TableId table, const sparse::CountRowView& row) {
  LONGTAIL_RETURN_IF_ERROR(CheckImport(table, TableKind::kCounts, row.key));
  LONGTAIL_RETURN_IF_ERROR(std::get<sparse::CountTable>(*tables_[Number(table)]).Import(row));
  ++log_position_;
  return absl::OkStatus();
}

void PartitionCore::ExpectRow(TableId table, Key key) const {
  if (Number(table) >= tables_.size()) return;
  if (const auto* const rows = std::get_if<sparse::Table>(tables_[Number(table)].get())) {
    rows->ExpectKey(key);
  }
}

void PartitionCore::ImportStep(std::uint64_t step) {
  step_ = step;
  ForEachTable([&](auto& table) { table.BeginAtStep(step); });
  for (auto& [id, session] : sessions_) session.next_step = std::max(session.next_step, step);
  ++log_position_;
}

PartitionBase PartitionCore::Save(std::vector<std::shared_ptr<const PushRequest>>& pushes) const {
  PartitionBase base{.partition = options_.id,
                     .log_position = log_position_,
                     .step = step_,
                     .ended_by_left = ended_by_left_,
                     .sessions = {},
                     .closed = {closed_.begin(), closed_.end()},
                     .left = {},
                     .tables = {},
                     .held = {}};
  for (const auto& [id, session] : sessions_) {
    base.sessions.push_back({.session = id,
                             .rank = session.rank,
                             .next_sequence = session.next_sequence,
                             .first_step = session.next_step});
  }
  for (std::uint32_t rank = 0; rank < left_.size(); ++rank) {
    if (left_[rank]) base.left.push_back(rank);
  }
  ForEachTable([&](const auto& table) {
    base.tables.push_back({.newest = table.newest_step(), .ended = table.steps_ended()});
  });
  for (const auto& [place, held] : buffered_) {
    for (const BufferedPush& push : held) {
      const auto found = std::ranges::find(pushes, push.push);
      base.held.push_back({.rank = place.second,
                           .push = static_cast<std::uint32_t>(found - pushes.begin()),
                           .first = static_cast<std::uint32_t>(push.first),
                           .last = static_cast<std::uint32_t>(push.last)});
      if (found == pushes.end()) pushes.push_back(push.push);
    }
  }
  return base;
}

absl::Status PartitionCore::Restore(const PartitionBase& base,
                                    std::span<const std::shared_ptr<const PushRequest>> pushes) {
  const auto refuse = [&](const char* what, std::size_t got, std::size_t want) {
    return absl::InvalidArgumentError(absl::StrCat("base of partition ", Number(options_.id), ": ",
                                                   what, " ", got, ": want ", want));
  };
  if (base.tables.size() != tables_.size()) {
    return refuse("tables", base.tables.size(), tables_.size());
  }
  for (const SessionRecord& session : base.sessions) {
    if (session.rank >= options_.worker_count) {
      return refuse("a rank", session.rank, options_.worker_count - 1);
    }
    sessions_[session.session] = {.rank = session.rank,
                                  .next_sequence = session.next_sequence,
                                  .next_step = session.first_step};
  }
  for (const std::uint32_t rank : base.left) {
    if (rank >= left_.size()) return refuse("a rank that left", rank, left_.size() - 1);
    left_[rank] = true;
  }
  closed_.insert(base.closed.begin(), base.closed.end());
  for (const HeldSections& held : base.held) {
    const std::shared_ptr<const PushRequest>& push = pushes[held.push];
    buffered_[{push->step, held.rank}].push_back({push, held.first, held.last});
  }
  ended_by_left_ = base.ended_by_left;
  step_ = base.step;
  return absl::OkStatus();
}

void PartitionCore::RestoreSteps(const PartitionBase& base) {
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    std::visit(
        [&](auto& table) { table.RestoreSteps(base.tables[t].newest, base.tables[t].ended); },
        *tables_[t]);
  }
  log_position_ = base.log_position;
}

}  // namespace longtail::server
