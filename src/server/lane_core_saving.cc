// How a lane becomes a base or an image, and is made of one.
#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/checksum.h"
#include "protocol/lane_log_names.h"
#include "protocol/snapshot_writer.h"
#include "server/lane_core.h"
#include "server/snapshot_name.h"
#include "server/snapshot_rows.h"

namespace longtail::server {
namespace {

// So many rows later a key's line of the index is there.
constexpr std::size_t kImportsAhead = 16;

}  // namespace

bool LaneCore::WriteBase(std::shared_ptr<const ClusterMap> map, std::vector<EpochStart> epochs,
                         const std::string& prefix, absl::Time now, Effects& effects) {
  if (base_ || snapshot_.is_running()) return false;
  base_prefix_ = prefix;
  base_ = LaneBase{.lane = static_cast<std::uint32_t>(options_.self),
                   .log_end = log_end_,
                   .time_us = time_us_,
                   .map = *map,
                   .epochs = std::move(epochs),
                   .tables = {},
                   .partitions = {},
                   .pushes = {},
                   .blobs = {}};
  std::vector<PartitionCore*> partitions;
  for (const auto& partition : partitions_) {
    base_->partitions.push_back(partition->Save(base_->pushes));
    partitions.push_back(partition.get());
  }
  base_->tables = table_specs();
  snapshot_.Start({.self = options_.self,
                   .source = options_.self,
                   .request = 0,
                   .prefix = LaneBaseRows(prefix, log_end_),
                   .partition_count = options_.partition_count,
                   .is_base = true},
                  std::move(partitions), now, effects);
  FinishBase(effects);
  return true;
}

std::vector<TableSpec> LaneCore::table_specs() const {
  std::vector<TableSpec> specs;
  for (std::uint32_t t = 0; !partitions_.empty() && t < partitions_[0]->table_count(); ++t) {
    specs.push_back(partitions_[0]->spec(TableId{t}));
  }
  return specs;
}

// Once the rows are written, so is the base.
void LaneCore::FinishBase(Effects& effects) {
  const auto done = std::ranges::find_if(effects.sends, [&](const Envelope& envelope) {
    return envelope.target == options_.self && std::holds_alternative<SnapshotReply>(envelope.body);
  });
  if (done == effects.sends.end()) return;
  SnapshotReply reply = std::get<SnapshotReply>(std::move(done->body));
  effects.sends.erase(done);
  if (!reply.status.ok()) {  // The log goes on without it.
    base_.reset();
    return;
  }
  base_->blobs = std::move(reply.blobs);
  effects.writes.push_back({.ticket = BaseTicket(),
                            .name = LaneBaseName(base_prefix_, base_->log_end),
                            .bytes = EncodeLaneBase(*base_),
                            .is_base = true,
                            .is_background = true});
}

absl::Status LaneCore::Import(const RowBlock& rows) {
  absl::Status status;
  for (std::size_t i = 0; status.ok() && i < rows.keys.size(); ++i) {
    if (i + kImportsAhead < rows.keys.size()) {
      const Key later = rows.keys[i + kImportsAhead];
      PartitionCore* const partition = Find(PartitionOf(later, options_.partition_count));
      if (partition != nullptr) partition->ExpectRow(rows.table, later);
    }
    status = ImportOne(rows, i);
  }
  return status;
}

absl::Status LaneCore::ImportOne(const RowBlock& rows, std::size_t i) {
  const PartitionId id = PartitionOf(rows.keys[i], options_.partition_count);
  PartitionCore* const partition = Find(id);
  if (partition == nullptr) {
    const bool is_asleep = std::ranges::find(asleep_, id, [](const Asleep& a) {
                             return a.partition->id();
                           }) != asleep_.end();
    return is_asleep ? absl::OkStatus() : NotHere(id);
  }
  if (rows.has_counts()) {
    return partition->ImportRow(
        rows.table, sparse::CountRowView{.key = rows.keys[i], .packed = PackedRowOf(rows, i)});
  }
  const auto values = std::span(rows.values).subspan(i * rows.value_count, rows.value_count);
  return partition->ImportRow(rows.table, sparse::RowView{.key = rows.keys[i],
                                                          .count = rows.counts[i],
                                                          .last_step = rows.last_steps[i],
                                                          .values = values});
}

absl::Status LaneCore::Restore(const LaneBase& base, ReadRowsInto read_rows) {
  if (base.partitions.size() != partitions_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("base of ", base.partitions.size(), " partitions: want ", partitions_.size()));
  }
  LONGTAIL_RETURN_IF_ERROR(RestoreAll(base, read_rows));
  log_end_ = durable_end_ = base.log_end;
  time_us_ = base.time_us;
  return absl::OkStatus();
}

absl::Status LaneCore::RestoreAll(const LaneBase& base, ReadRowsInto read_rows) {
  for (const PartitionBase& saved : base.partitions) {
    PartitionCore* const partition = Find(saved.partition);
    if (partition == nullptr) return NotHere(saved.partition);
    for (std::uint32_t t = 0; t < base.tables.size(); ++t) {
      LONGTAIL_RETURN_IF_ERROR(partition->CreateTable(TableId{t}, base.tables[t]));
    }
    LONGTAIL_RETURN_IF_ERROR(partition->Restore(saved, base.pushes));
  }
  LONGTAIL_RETURN_IF_ERROR(read_rows([&](const RowBlock& rows) { return Import(rows); }));
  for (const PartitionBase& saved : base.partitions) Find(saved.partition)->RestoreSteps(saved);
  return absl::OkStatus();
}

LaneBase LaneCore::SavePartition(std::size_t index, std::shared_ptr<const ClusterMap> map,
                                 std::vector<EpochStart> epochs,
                                 std::vector<std::string>& chunks) const {
  const PartitionCore& partition = *partitions_[index];
  LaneBase base{.lane = static_cast<std::uint32_t>(options_.self),
                .log_end = log_end_,
                .time_us = time_us_,
                .map = *map,
                .epochs = std::move(epochs),
                .tables = {},
                .partitions = {},
                .pushes = {},
                .blobs = {}};
  base.partitions.push_back(partition.Save(base.pushes));
  for (std::uint32_t t = 0; t < partition.table_count(); ++t) {
    base.tables.push_back(partition.spec(TableId{t}));
  }
  SnapshotWriter writer(HeaderOf(partition), [&](const SnapshotChunk& chunk) {
    const std::string& bytes = chunks.emplace_back(EncodeSnapshotChunk(chunk));
    base.blobs.push_back(
        {.name = SnapshotName("image", {.partition = partition.id(), .chunk = chunk.header.chunk}),
         .bytes = bytes.size(),
         .checksum = Checksum(AsBytes(bytes)),
         .rows = RowsOf(chunk)});
  });
  PutRows(partition, writer);
  writer.Finish();
  return base;
}

void LaneCore::WritePartition(std::size_t index, const SnapshotSink& sink,
                              std::size_t chunk_bytes) const {
  const PartitionCore& partition = *partitions_[index];
  SnapshotWriter writer(HeaderOf(partition), sink, chunk_bytes);
  for (const auto& [id, session] : partition.sessions()) {
    writer.AddSession({.session = id,
                       .rank = session.rank,
                       .next_sequence = session.next_sequence,
                       .first_step = session.next_step});
  }
  PutRows(partition, writer);
  writer.Finish();
}

SnapshotHeader LaneCore::HeaderOf(const PartitionCore& partition) const {
  return {.partition = partition.id(),
          .partition_count = options_.partition_count,
          .log_position = partition.log_position(),
          .step = partition.applied_step()};
}

void LaneCore::PutRows(const PartitionCore& partition, SnapshotWriter& writer) {
  for (std::uint32_t t = 0; t < partition.table_count(); ++t) {
    partition.WithTable(TableId{t}, [&](const auto& table) {
      writer.BeginTable(TableId{t}, table.spec(), static_cast<std::uint32_t>(table.value_count()));
      table.ForEachRow([&](const auto& row) { AddRow(row, writer); });
    });
  }
}

absl::Status LaneCore::RestorePartition(const LaneBase& base, ReadRowsInto read_rows) {
  if (base.partitions.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("image of ", base.partitions.size(), " partitions: want 1"));
  }
  LONGTAIL_RETURN_IF_ERROR(RestoreAll(base, read_rows));
  PartitionCore* const partition = Find(base.partitions[0].partition);
  asleep_.push_back({base.log_end, partition});
  std::ranges::stable_sort(asleep_, std::ranges::greater(), &Asleep::until);
  whole_at_ = asleep_.front().until;
  log_end_ = durable_end_ = asleep_.back().until;
  time_us_ = std::max(time_us_, base.time_us);
  return absl::OkStatus();
}

// Before the entry log_end_ is replayed: those that were cut later are not here yet.
void LaneCore::WakePartitions() {
  if (asleep_.empty()) return;
  while (!asleep_.empty() && asleep_.back().until <= log_end_) asleep_.pop_back();
  awake_.clear();
  for (const auto& partition : partitions_) {
    const bool is_asleep =
        std::ranges::find(asleep_, partition.get(), &Asleep::partition) != asleep_.end();
    by_number_[static_cast<std::size_t>(partition->id())] = is_asleep ? nullptr : partition.get();
    if (!is_asleep) awake_.push_back(partition.get());
  }
}

absl::Status LaneCore::BeginLoad(const std::vector<TableSpec>& tables) {
  for (const auto& partition : partitions_) {
    for (std::uint32_t t = 0; t < tables.size(); ++t) {
      LONGTAIL_RETURN_IF_ERROR(partition->CreateTable(TableId{t}, tables[t]));
    }
  }
  return absl::OkStatus();
}

void LaneCore::EndLoad(std::uint64_t step, std::uint64_t log_end, std::uint64_t time_us) {
  for (const auto& partition : partitions_) partition->ImportStep(step);
  log_end_ = durable_end_ = log_end;
  time_us_ = time_us;
}

void LaneCore::StopLeading(Effects& effects) {
  held_.clear();
  waiting_.clear();
  // (What it has under way may still be written: not over what another leader writes.)
  snapshot_.Cancel(absl::AbortedError(absl::StrCat(
                       "lane ", static_cast<std::uint32_t>(options_.self),
                       ": another server leads it now: want a checkpoint of a new name")),
                   effects);
  durable_end_ = log_end_;
}

}  // namespace longtail::server
