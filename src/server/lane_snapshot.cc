#include "server/lane_snapshot.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/snapshot_writer.h"
#include "server/snapshot_name.h"

namespace longtail::server {

void LaneSnapshot::Start(const Job& job, std::vector<const PartitionCore*> partitions,
                         Effects& effects) {
  absl::Status refused;
  if (is_running_) {
    refused = absl::FailedPreconditionError(
        absl::StrCat("snapshot '", job.prefix, "': '", job_.prefix, "' is under way"));
  }
  for (const PartitionCore* partition : partitions) {
    if (partition->has_unapplied_pushes() && !job.is_base) {
      refused = absl::FailedPreconditionError(
          absl::StrCat("snapshot '", job.prefix, "': partition ",
                       static_cast<std::uint32_t>(partition->id()), " holds pushes of step ",
                       partition->step(), ", which has not ended: take it between steps"));
    }
  }
  if (!refused.ok()) {
    effects.sends.push_back(
        {job.self, job.source,
         SnapshotReply{
             .request = job.request, .status = std::move(refused), .blobs = {}, .positions = {}}});
    return;
  }
  is_running_ = true;
  job_ = job;
  partitions_ = std::move(partitions);
  done_ = 0;
  writes_left_ = 0;
  status_ = absl::OkStatus();
  reply_ = SnapshotReply{.request = job.request, .status = {}, .blobs = {}, .positions = {}};
  Next(effects);
}

void LaneSnapshot::OnStored(const StoreAnswer& answer, Effects& effects) {
  if (status_.ok()) status_ = answer.status;
  if (--writes_left_ != 0) return;
  ++done_;
  Next(effects);
}

void LaneSnapshot::Next(Effects& effects) {
  if (!status_.ok() || done_ == partitions_.size()) return Finish(effects);
  const PartitionCore& partition = *partitions_[done_];
  const SnapshotHeader header{.partition = partition.id(),
                              .partition_count = job_.partition_count,
                              .log_position = partition.log_position(),
                              .step = partition.step()};
  SnapshotWriter writer(header, [&](SnapshotChunkBlob chunk) {
    std::string name =
        SnapshotName(job_.prefix, {.partition = partition.id(), .chunk = chunk.chunk});
    reply_.blobs.push_back({name, chunk.bytes.size(), chunk.checksum, chunk.rows});
    effects.writes.push_back(
        {next_ticket_++, std::move(name), std::move(chunk.bytes), job_.is_base});
    ++writes_left_;
  });
  for (const auto& [id, session] : partition.sessions()) {
    writer.AddSession({.session = id,
                       .rank = session.rank,
                       .next_sequence = session.next_sequence,
                       .first_step = session.next_step});
  }
  for (std::uint32_t t = 0; t < partition.table_count(); ++t) {
    const sparse::Table& table = partition.table(TableId{t});
    writer.BeginTable(TableId{t}, table.spec(), static_cast<std::uint32_t>(table.value_count()));
    table.ForEachRow([&](const sparse::RowView& row) {
      writer.AddRow(row.key, row.count, row.last_step, row.values);
    });
  }
  writer.Finish();
  reply_.positions.push_back({partition.id(), partition.log_position(), partition.step()});
}

void LaneSnapshot::Finish(Effects& effects) {
  is_running_ = false;
  reply_.status = std::move(status_);
  effects.sends.push_back({job_.self, job_.source, std::move(reply_)});
  partitions_.clear();
}

}  // namespace longtail::server
