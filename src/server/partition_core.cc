#include "server/partition_core.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
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
    if (tables_[number]->spec() == spec) return absl::OkStatus();
    return absl::AlreadyExistsError(
        absl::StrCat("table ", number, " '", tables_[number]->spec().name,
                     "' exists with another spec than '", spec.name, "' has"));
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
  tables_.push_back(std::make_unique<sparse::Table>(spec));
  if (options_.audits_evictions) tables_.back()->eviction_log().Open();
  tables_.back()->BeginAtStep(step_);
  if (mark_ != 0) tables_.back()->MarkChanges();  // All its rows will be new.
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
  if (section.dim != tables_[table]->dim()) {
    return absl::InvalidArgumentError(absl::StrCat("table '", tables_[table]->spec().name,
                                                   "': dim ", section.dim, ": want ",
                                                   tables_[table]->dim()));
  }
  return absl::OkStatus();
}

void PartitionCore::Pull(const PullSection& section, const PullTarget& target) {
  tables_[Number(section.table)]->Pull(
      section.keys, {.rows = target.rows, .stride = section.dim, .counts = target.counts});
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
                                        .target = {}}));
    const std::size_t n = section.keys.size();
    if (section.counts.size() != n || section.gradients.size() != n * section.dim) {
      return absl::InvalidArgumentError(absl::StrCat("push to table ", Number(section.table), ": ",
                                                     section.counts.size(), " counts and ",
                                                     section.gradients.size(), " gradients for ", n,
                                                     " keys: want ", n, " and ", n * section.dim));
    }
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
    tables_[Number(section.table)]->Push(section.keys, section.counts, section.gradients,
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
  for (const auto& table : tables_) table->EndSteps(applied_step());
}

std::uint64_t PartitionCore::BeginCut() {
  std::uint64_t bytes = 0;
  for (const auto& table : tables_) bytes += table->BeginCut();
  return bytes;
}

PartitionCore::CheckpointCut PartitionCore::BeginCheckpointCut(std::uint64_t checkpoint,
                                                               std::uint64_t base,
                                                               bool wants_increment) {
  using sparse::ChangesSince;
  auto since = ChangesSince::kUnknown;
  if (base != 0 && base == mark_before_) since = ChangesSince::kMarkBefore;
  if (base != 0 && base == mark_) since = ChangesSince::kMark;
  for (const auto& table : tables_) table->KeepChanges(since);
  const bool is_known = since != ChangesSince::kUnknown;
  CheckpointCut cut{.bytes = 0,
                    .is_increment = wants_increment && is_known &&
                                    std::ranges::all_of(tables_, [](const auto& table) {
                                      return table->knows_changes();
                                    })};
  for (const auto& table : tables_) {
    cut.bytes += cut.is_increment ? table->BeginCutOfChanges() : table->BeginCut();
    table->MarkChanges();
  }
  mark_before_ = is_known ? base : 0;
  mark_ = checkpoint;
  return cut;
}

std::uint64_t PartitionCore::row_count() const {
  std::uint64_t rows = 0;
  for (const auto& table : tables_) rows += table->row_count();
  return rows;
}

void PartitionCore::EndCut() {
  for (const auto& table : tables_) table->EndCut();
}

std::uint64_t PartitionCore::cut_kept_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& table : tables_) bytes += table->cut_kept_bytes();
  return bytes;
}

std::uint64_t PartitionCore::cut_copied_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& table : tables_) bytes += table->cut_copied_bytes();
  return bytes;
}

void PartitionCore::TakeEvictions(std::vector<EvictedKeys>& evictions) {
  for (const auto& table : tables_) {
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

absl::Status PartitionCore::ImportRow(TableId table, const sparse::RowView& row) {
  if (Number(table) >= tables_.size()) {
    return absl::NotFoundError(absl::StrCat("table ", Number(table), ": partition ",
                                            Number(options_.id), " has ", tables_.size()));
  }
  if (PartitionOf(row.key, options_.partition_count) != options_.id) {
    return absl::InvalidArgumentError(absl::StrCat(
        "row of key ", row.key, " does not belong to partition ", Number(options_.id)));
  }
  LONGTAIL_RETURN_IF_ERROR(tables_[Number(table)]->Import(row));
  ++log_position_;
  return absl::OkStatus();
}

void PartitionCore::ImportStep(std::uint64_t step) {
  step_ = step;
  for (const auto& table : tables_) table->BeginAtStep(step);
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
  for (const auto& table : tables_) {
    base.tables.push_back({.newest = table->newest_step(), .ended = table->steps_ended()});
  }
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
    tables_[t]->RestoreSteps(base.tables[t].newest, base.tables[t].ended);
  }
  log_position_ = base.log_position;
}

}  // namespace longtail::server
