#include "server/lane_core.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "base/varint.h"
#include "protocol/lane_log_names.h"
#include "protocol/value_codec.h"

namespace longtail::server {
namespace {

template <typename... Ts>
struct Overload : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overload(Ts...) -> Overload<Ts...>;

// Floats that are gathered before they are packed.
constexpr std::size_t kPackedAtOnce = std::size_t{1} << 15;

// What the whole of a request is answered with. A gap anywhere must bring it again, and the parts
// that were applied or refused are then repeats.
void Combine(absl::Status part, absl::Status& whole) {
  if (whole.ok() || (absl::IsUnavailable(part) && !absl::IsUnavailable(whole))) {
    whole = std::move(part);
  }
}

}  // namespace

LaneCore::LaneCore(const Options& options)
    : options_(options),
      by_number_(options.partition_count, nullptr),
      key_lists_(options.key_list_bytes_max),
      snapshot_(options.snapshot) {
  for (const PartitionId id : options_.partitions) {
    partitions_.push_back(std::make_unique<PartitionCore>(
        PartitionCore::Options{.id = id,
                               .partition_count = options_.partition_count,
                               .step_mode = options_.step_mode,
                               .worker_count = options_.worker_count,
                               .audits_evictions = options_.audits_evictions,
                               .step_max = options_.step_max}));
    by_number_[static_cast<std::size_t>(id)] = partitions_.back().get();
    awake_.push_back(partitions_.back().get());
  }
}

std::uint64_t LaneCore::row_count() const {
  std::uint64_t rows = 0;
  for (const auto& partition : partitions_) rows += partition->row_count();
  return rows;
}

std::vector<TableStatistics> LaneCore::TableCounts() const {
  std::vector<TableStatistics> counts(table_count());
  for (const auto& partition : partitions_) {
    for (std::uint32_t t = 0; t < counts.size(); ++t) {
      counts[t] += partition->Counts(TableId{t});
    }
  }
  return counts;
}

std::uint64_t LaneCore::least_step() const {
  std::uint64_t step = partitions_.empty() ? 0 : std::numeric_limits<std::uint64_t>::max();
  for (const auto& partition : partitions_) step = std::min(step, partition->step());
  return step;
}

std::uint64_t LaneCore::greatest_step() const {
  std::uint64_t step = 0;
  for (const auto& partition : partitions_) step = std::max(step, partition->step());
  return step;
}

const PartitionCore* LaneCore::FindPartition(PartitionId partition) const {
  const auto number = static_cast<std::size_t>(partition);
  return number < by_number_.size() ? by_number_[number] : nullptr;
}

PartitionCore* LaneCore::Find(PartitionId partition) {
  const auto number = static_cast<std::size_t>(partition);
  return number < by_number_.size() ? by_number_[number] : nullptr;
}

absl::Status LaneCore::NotHere(PartitionId partition) const {
  return absl::FailedPreconditionError(
      absl::StrCat("partition ", static_cast<std::uint32_t>(partition), " is not on lane ",
                   static_cast<std::uint32_t>(options_.self), " in epoch ", options_.epoch));
}

absl::Status LaneCore::CheckEpoch(std::uint64_t epoch) const {
  if (epoch == options_.epoch) return absl::OkStatus();
  if (epoch < options_.epoch) return WasRolledBack();
  return absl::UnavailableError(absl::StrCat("epoch ", epoch, ": lane ",
                                             static_cast<std::uint32_t>(options_.self),
                                             " is yet in ", options_.epoch));
}

// Sessions have ever higher numbers.
absl::Status LaneCore::CheckSession(SessionId session) const {
  if (session >= options_.rolled_back.first_session) return absl::OkStatus();
  return WasRolledBack();
}

absl::Status LaneCore::WasRolledBack() const {
  return absl::AbortedError(absl::StrCat(
      "the cluster was rolled back to checkpoint '", options_.rolled_back.checkpoint, "', step ",
      options_.rolled_back.step, ", since this worker connected: want one that begins there"));
}

void LaneCore::Step(const Envelope& event, absl::Time now, Effects& effects) {
  if (const auto* push = std::get_if<std::shared_ptr<const CompactPush>>(&event.body)) {
    return OnCompactPush(event, *push, now, effects);
  }
  const std::size_t first_answer = effects.sends.size();
  const std::uint64_t position = Position();
  Handle(event, now, effects);
  if (options_.keeps_log) {
    if (Position() != position) AddToLog(event.body, now, effects);
    HoldAnswers(first_answer, effects);
  }
  snapshot_.Advance(now, effects);
  if (!options_.audits_evictions) return;
  for (const auto& partition : partitions_) partition->TakeEvictions(effects.evictions);
}

// Changes of state that all partitions have seen.
std::uint64_t LaneCore::Position() const {
  std::uint64_t position = 0;
  for (const auto& partition : partitions_) position += partition->log_position();
  return position;
}

// Whatever is said of a change, also to one who asks for it again, waits until it is durable. Rows
// do not wait: they may show what a crash takes back, and what its sender then sends again.
void LaneCore::HoldAnswers(std::size_t first, Effects& effects) {
  if (log_end_ == durable_end_) return;
  const auto is_held = [](const Envelope& answer) {
    return std::holds_alternative<Acknowledgement>(answer.body);
  };
  const auto begin = effects.sends.begin() + static_cast<std::ptrdiff_t>(first);
  for (auto answer = begin; answer != effects.sends.end(); ++answer) {
    if (is_held(*answer)) held_.push_back({log_end_, std::move(*answer)});
  }
  effects.sends.erase(std::remove_if(begin, effects.sends.end(), is_held), effects.sends.end());
}

void LaneCore::OnLogged(std::uint64_t /*log*/, std::uint64_t end, absl::Time /*now*/,
                        Effects& effects) {
  durable_end_ = end;
  while (!held_.empty() && held_.front().log_end <= durable_end_) {
    effects.sends.push_back(std::move(held_.front().answer));
    held_.pop_front();
  }
}

void LaneCore::AddToLog(Message message, absl::Time now, Effects& effects) {
  time_us_ = std::max(
      time_us_, static_cast<std::uint64_t>(std::max<std::int64_t>(absl::ToUnixMicros(now), 0)));
  effects.log.push_back({.number = log_end_++, .message = std::move(message), .time_us = time_us_});
}

void LaneCore::BeginLog(std::shared_ptr<const ClusterMap> map, absl::Time now, Effects& effects) {
  AddToLog(MapReply{.request = 0, .status = {}, .waits_for = {}, .map = std::move(map)}, now,
           effects);
}

void LaneCore::Replay(const Message& message, std::uint64_t time_us) {
  time_us_ = std::max(time_us_, time_us);
  WakePartitions();
  Effects effects;
  const std::uint64_t pushed = rows_pushed_;
  Handle({options_.self, options_.self, message}, absl::InfinitePast(), effects);
  rows_pushed_ = pushed;
  for (const auto& partition : partitions_) partition->TakeEvictions(effects.evictions);
  durable_end_ = ++log_end_;
  WakePartitions();  // Who comes next may be another than a replay.
}

void LaneCore::Handle(const Envelope& event, absl::Time now, Effects& effects) {
  const NodeId source = event.source;
  std::visit(
      Overload{
          [&](const std::shared_ptr<const PullRequest>& m) { OnPull(source, m, effects); },
          [&](const std::shared_ptr<const PushRequest>& m) { OnPush(source, m, effects); },
          [&](const std::shared_ptr<const CompactPull>& m) { OnCompactPull(source, m, effects); },
          [&](const std::shared_ptr<const BarrierRequest>& m) { OnBarrier(source, *m, effects); },
          [&](const CreateTable& m) { OnCreateTable(source, m, effects); },
          [&](const OpenSession& m) { OnOpenSession(source, m, effects); },
          [&](const CloseSession& m) { OnCloseSession(source, m, effects); },
          [&](const StatisticsRequest& m) { OnStatistics(source, m, effects); },
          [&](const SnapshotRequest& m) { OnSnapshot(source, m, now, effects); },
          [&](const ImportRows& m) { OnImport(source, m, effects); },
          [&](const ImportStep& m) { OnImportStep(source, m, effects); },
          // Answers are dropped: a lane asks nobody anything.
          [&](const auto& m) { OnOther(source, m, effects); },
      },
      event.body);
}

template <typename T>
void LaneCore::OnOther(NodeId source, const T& m, Effects& effects) {
  ++dropped_;
  // Questions for the coordinator come when an address is taken for another.
  if constexpr (
      requires { m.request; } && !requires { m.status; }) {
    Acknowledge(source, m.request,
                absl::FailedPreconditionError(
                    absl::StrCat("what answers is lane ", static_cast<std::uint32_t>(options_.self),
                                 " of a server: want the coordinator's address")),
                effects);
  }
}

void LaneCore::Tick(absl::Time now, Effects& effects) {
  snapshot_.Advance(now, effects);
}

void LaneCore::OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) {
  if (answer.ticket == BaseTicket()) {
    if (answer.status.ok() && base_) effects.log_base = base_->log_end;
    base_.reset();
    return;
  }
  snapshot_.OnStored(answer, now, effects);
  if (base_) FinishBase(effects);
}

void LaneCore::OnPull(NodeId source, const std::shared_ptr<const PullRequest>& pull,
                      Effects& effects) {
  absl::Status status = CheckPull(*pull);
  if (status.ok() && !IsReady(*pull)) {
    const bool is_repeat = std::ranges::any_of(waiting_, [&](const WaitingPull& other) {
      return other.source == source && other.pull->request == pull->request;
    });
    if (is_repeat) return;
    if (waiting_.size() < kWaitingPullsMax) {
      waiting_.push_back({source, pull});
      return;
    }
    status = absl::ResourceExhaustedError(
        absl::StrCat("lane ", static_cast<std::uint32_t>(options_.self), ": ", waiting_.size(),
                     " pulls wait for a step to end: want at most ", kWaitingPullsMax));
  }
  if (!status.ok()) return RefusePull(source, pull->request, std::move(status), effects);
  Serve(source, pull, effects);
}

void LaneCore::RefusePull(NodeId source, std::uint64_t request, absl::Status status,
                          Effects& effects) {
  effects.sends.push_back({options_.self, source,
                           PullReply{.request = request,
                                     .status = std::move(status),
                                     .step = 0,
                                     .epoch = options_.epoch,
                                     .values = {},
                                     .counts = {},
                                     .owner = nullptr}});
}

void LaneCore::OnCompactPull(NodeId source, const std::shared_ptr<const CompactPull>& pull,
                             Effects& effects) {
  absl::StatusOr<std::shared_ptr<const PullRequest>> plain = Expand(pull, key_lists_);
  if (plain.ok()) return OnPull(source, *plain, effects);
  if (absl::IsNotFound(plain.status())) {
    effects.sends.push_back({options_.self, source, KeysWanted{pull->request}});
    return;
  }
  RefusePull(source, pull->request, plain.status(), effects);
}

// Steps with the push that a compact one stands for, so that it is this one that a log has: lists
// that are known by name are not in it.
void LaneCore::OnCompactPush(const Envelope& event, const std::shared_ptr<const CompactPush>& push,
                             absl::Time now, Effects& effects) {
  absl::StatusOr<std::shared_ptr<const PushRequest>> plain = Expand(push, key_lists_);
  if (plain.ok()) return Step({event.source, event.target, *std::move(plain)}, now, effects);
  if (absl::IsNotFound(plain.status())) {
    effects.sends.push_back({options_.self, event.source, KeysWanted{push->request}});
    return;
  }
  Acknowledge(event.source, push->request, plain.status(), effects);
}

absl::Status LaneCore::CheckPull(const PullRequest& pull) const {
  if (pull.epoch != 0) {
    if (absl::Status status = CheckEpoch(pull.epoch); !status.ok()) return status;
  }
  std::uint64_t floats = 0;
  for (const PullSection& section : pull.sections) {
    // (What rows of counts take is known once they are gathered.)
    if (section.kind == TableKind::kWeights) {
      floats += std::uint64_t{section.keys.size()} * section.dim;
    }
    const PartitionCore* const partition = FindPartition(section.partition);
    if (partition == nullptr) return NotHere(section.partition);
    if (absl::Status status = partition->CheckPull(section); !status.ok()) return status;
  }
  // Within a process rows go to memory that the asker has.
  if (pull.sink == nullptr && floats > kReplyBytesMax / sizeof(float)) {
    return absl::ResourceExhaustedError(absl::StrCat("pull of ", floats * sizeof(float),
                                                     " bytes of rows: want at most ",
                                                     kReplyBytesMax, " in one request"));
  }
  return absl::OkStatus();
}

bool LaneCore::IsReady(const PullRequest& pull) const {
  if (options_.step_mode == StepMode::kAsynchronous) return true;
  const bool is_bounded = options_.step_mode == StepMode::kBoundedStaleness;
  const std::uint64_t behind = is_bounded ? options_.staleness : 0;
  return std::ranges::all_of(pull.sections, [&](const PullSection& section) {
    const std::uint64_t step = FindPartition(section.partition)->step();
    return step >= pull.step || pull.step - step <= behind;
  });
}

// What all partitions that a pull names have applied.
std::uint64_t LaneCore::StepOf(const PullRequest& pull) const {
  if (pull.sections.empty()) return 0;
  std::uint64_t step = std::numeric_limits<std::uint64_t>::max();
  for (const PullSection& section : pull.sections) {
    step = std::min(step, FindPartition(section.partition)->step());
  }
  return step;
}

void LaneCore::Serve(NodeId source, const std::shared_ptr<const PullRequest>& pull,
                     Effects& effects) {
  for (const PullSection& section : pull->sections) rows_pulled_ += section.keys.size();
  PullReply reply{.request = pull->request,
                  .status = {},
                  .step = StepOf(*pull),
                  .epoch = options_.epoch,
                  .values = {},
                  .counts = {},
                  .owner = {}};
  if (pull->sink != nullptr) {         // The asker's memory is at hand.
    if (!pull->sink->Enter()) return;  // Nobody waits any more.
    for (const PullSection& section : pull->sections) {
      if (section.kind == TableKind::kWeights) {
        Find(section.partition)->Pull(section, section.target);
        continue;
      }
      section.target.packed->clear();
      Find(section.partition)->PullCounts(section, *section.target.packed);
    }
    pull->sink->Leave();
    effects.sends.push_back({options_.self, source, std::move(reply)});
    return;
  }
  if (pull->compact) return ServeCompact(source, *pull, effects);
  std::size_t value_count = 0;
  std::size_t key_count = 0;
  for (const PullSection& section : pull->sections) {
    if (section.kind == TableKind::kCounts) continue;
    value_count += section.keys.size() * section.dim;
    key_count += section.keys.size();
  }
  const std::shared_ptr<ReplyRows> rows =
      replies_.Take(value_count, pull->wants_counts ? key_count : 0);
  PullTarget target{.rows = rows->values.get(),
                    .counts = pull->wants_counts ? rows->counts.data() : nullptr};
  rows->packed_rows.clear();
  for (const PullSection& section : pull->sections) {
    if (section.kind == TableKind::kCounts) {
      Find(section.partition)->PullCounts(section, rows->packed_rows);
      if (rows->packed_rows.size() > kReplyBytesMax) {
        return RefusePull(
            source, pull->request,
            absl::ResourceExhaustedError(absl::StrCat("pull of ", rows->packed_rows.size(),
                                                      " bytes of counts and more: want at most ",
                                                      kReplyBytesMax, " in one request")),
            effects);
      }
      continue;
    }
    Find(section.partition)->Pull(section, target);
    target.rows += section.keys.size() * section.dim;
    if (target.counts != nullptr) target.counts += section.keys.size();
  }
  reply.values = {rows->values.get(), value_count};
  if (pull->wants_counts) reply.counts = std::span(rows->counts).first(key_count);
  reply.packed = AsBytes(rows->packed_rows);
  reply.owner = rows;
  effects.sends.push_back({options_.self, source, std::move(reply)});
}

// As Serve, of rows that travel packed: some at a time, so that they are packed from a cache.
void LaneCore::ServeCompact(NodeId source, const PullRequest& pull, Effects& effects) {
  const WireValues format = *pull.compact;
  std::size_t row_bytes = 0;
  for (const PullSection& section : pull.sections) {
    row_bytes += section.keys.size() * PackedRowBytes(format, section.dim);
  }
  const std::shared_ptr<ReplyRows> packed =
      replies_.Take((row_bytes + sizeof(float) - 1) / sizeof(float), 0);
  packed->packed_counts.clear();
  auto* const begin = reinterpret_cast<std::byte*>(packed->values.get());
  std::byte* to = begin;
  for (const PullSection& section : pull.sections) {
    const std::size_t keys_max = std::max<std::size_t>(1, kPackedAtOnce / section.dim);
    PullSection part = section;
    for (std::size_t at = 0; at < section.keys.size(); at += part.keys.size()) {
      part.keys = section.keys.subspan(at, std::min(keys_max, section.keys.size() - at));
      const std::size_t n = part.keys.size();
      rows_.resize(n * section.dim);
      counts_.resize(pull.wants_counts ? n : 0);
      Find(section.partition)
          ->Pull(part,
                 {.rows = rows_.data(), .counts = pull.wants_counts ? counts_.data() : nullptr});
      PackRows(format, section.dim, rows_, to);
      to += n * PackedRowBytes(format, section.dim);
      for (const std::uint32_t count : counts_) AppendVarint(count, packed->packed_counts);
    }
  }
  effects.sends.push_back({options_.self, source,
                           CompactPullReply{.request = pull.request,
                                            .step = StepOf(pull),
                                            .epoch = options_.epoch,
                                            .values = format,
                                            .rows = {begin, row_bytes},
                                            .counts = AsBytes(packed->packed_counts),
                                            .owner = packed}});
}

void LaneCore::ServeWaiting(Effects& effects) {
  std::erase_if(waiting_, [&](const WaitingPull& waiting) {
    if (!IsReady(*waiting.pull)) return false;
    Serve(waiting.source, waiting.pull, effects);
    return true;
  });
}

void LaneCore::OnPush(NodeId source, const std::shared_ptr<const PushRequest>& push,
                      Effects& effects) {
  absl::Status status = CheckEpoch(push->epoch);
  status.Update(CheckSession(push->session));
  if (!status.ok()) return Acknowledge(source, push->request, std::move(status), effects);
  const std::vector<PushSection>& sections = push->sections;
  for (std::size_t first = 0; first < sections.size();) {
    std::size_t last = first + 1;
    while (last < sections.size() && sections[last].partition == sections[first].partition &&
           sections[last].sequence == sections[first].sequence) {
      ++last;
    }
    PartitionCore* const partition = Find(sections[first].partition);
    Combine(partition == nullptr ? NotHere(sections[first].partition)
                                 : partition->Push(push, first, last),
            status);
    first = last;
  }
  if (status.ok()) {
    for (const PushSection& section : sections) rows_pushed_ += section.keys.size();
  }
  Acknowledge(source, push->request, std::move(status), effects);
}

void LaneCore::OnBarrier(NodeId source, const BarrierRequest& barrier, Effects& effects) {
  absl::Status status = CheckEpoch(barrier.epoch);
  status.Update(CheckSession(barrier.session));
  if (!status.ok()) return Acknowledge(source, barrier.request, std::move(status), effects);
  for (const BarrierSection& section : barrier.sections) {
    PartitionCore* const partition = Find(section.partition);
    Combine(partition == nullptr
                ? NotHere(section.partition)
                : partition->Barrier(barrier.session, section.sequence, barrier.step),
            status);
  }
  Acknowledge(source, barrier.request, std::move(status), effects);
  ServeWaiting(effects);
}

void LaneCore::OnCreateTable(NodeId source, const CreateTable& create, Effects& effects) {
  absl::Status status;
  for (PartitionCore* const partition : awake_) {
    status = partition->CreateTable(create.table, create.spec);
    if (!status.ok()) break;
  }
  Acknowledge(source, create.request, std::move(status), effects);
}

void LaneCore::OnOpenSession(NodeId source, const OpenSession& open, Effects& effects) {
  absl::Status status = open.epoch == 0 ? absl::OkStatus() : CheckEpoch(open.epoch);
  status.Update(CheckSession(open.session));
  std::uint64_t step = 0;
  for (PartitionCore* const partition : awake_) {
    if (!status.ok()) break;
    status = partition->OpenSession(open.session, open.rank, open.step);
    step = std::max(step, partition->step());
  }
  effects.sends.push_back(
      {options_.self, source,
       Acknowledgement{.request = open.request, .status = std::move(status), .step = step}});
  ServeWaiting(effects);
}

void LaneCore::OnCloseSession(NodeId source, const CloseSession& close, Effects& effects) {
  for (PartitionCore* const partition : awake_) partition->CloseSession(close.session);
  Acknowledge(source, close.request, absl::OkStatus(), effects);
  ServeWaiting(effects);
}

void LaneCore::OnStatistics(NodeId source, const StatisticsRequest& request, Effects& effects) {
  StatisticsReply reply{.request = request.request, .status = {}, .statistics = {}};
  for (const auto& partition : partitions_) {
    if (static_cast<std::size_t>(request.table) >= partition->table_count()) {
      reply.status =
          absl::NotFoundError(absl::StrCat("table ", static_cast<std::uint32_t>(request.table),
                                           ": there are ", partition->table_count(), " tables"));
      break;
    }
    reply.statistics += partition->Statistics(request.table);
  }
  effects.sends.push_back({options_.self, source, std::move(reply)});
}

void LaneCore::OnSnapshot(NodeId source, const SnapshotRequest& request, absl::Time now,
                          Effects& effects) {
  if (request.epoch != 0 && request.epoch != options_.epoch) {
    // (Parts of one checkpoint must not be of two epochs.)
    SnapshotReply refusal{.request = request.request, .status = {}, .blobs = {}, .positions = {}};
    refusal.status =
        request.epoch > options_.epoch
            ? CheckEpoch(request.epoch)
            : absl::AbortedError(absl::StrCat("the cluster was rolled back to checkpoint '",
                                              options_.rolled_back.checkpoint, "' meanwhile"));
    effects.sends.push_back({options_.self, source, std::move(refusal)});
    return;
  }
  std::vector<PartitionCore*> partitions;
  for (const auto& partition : partitions_) partitions.push_back(partition.get());
  snapshot_.Start({.self = options_.self,
                   .source = source,
                   .request = request.request,
                   .prefix = request.prefix,
                   .partition_count = options_.partition_count,
                   .checkpoint = request.checkpoint,
                   .base = request.base,
                   .is_increment = request.is_increment,
                   .values = request.values},
                  std::move(partitions), now, effects);
}

void LaneCore::OnImport(NodeId source, const ImportRows& import, Effects& effects) {
  Acknowledge(source, import.request, Import(*import.rows), effects);
}

void LaneCore::OnImportStep(NodeId source, const ImportStep& import, Effects& effects) {
  for (PartitionCore* const partition : awake_) partition->ImportStep(import.step);
  Acknowledge(source, import.request, absl::OkStatus(), effects);
}

void LaneCore::Acknowledge(NodeId target, std::uint64_t request, absl::Status status,
                           Effects& effects) {
  effects.sends.push_back(
      {options_.self, target,
       Acknowledgement{.request = request, .status = std::move(status), .step = least_step()}});
}

}  // namespace longtail::server
