#include "server/lane_snapshot.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/snapshot_body.h"
#include "server/snapshot_name.h"
#include "server/snapshot_rows.h"
#include "sparse/optimizer.h"

namespace longtail::server {
namespace {

// A step writes on so many times what it made be kept: so at most a third of the rows come to be.
constexpr std::uint64_t kSliceOfCopied = 2;

// Places of rows between two looks at what was written, at most.
constexpr std::uint64_t kPlacesMax = 256;

// Places of an increment are looked at for what changed. So many bytes of rows are as much work.
constexpr std::uint64_t kPlaceBytes = 8;

// Between two slices of a lane that has nothing else to do: so that those who are about to ask it
// get the core.
constexpr absl::Duration kPause = absl::Microseconds(200);

// Chunks that are written at a time: one while the next is filled, and one to spare.
constexpr std::size_t kWritesMax = 2;

// Visits some rows of a cut: at the next places, about so many bytes. Whether there are more.
template <typename Visit>
bool VisitSome(sparse::Table& table, std::uint32_t places, std::uint64_t, const Visit& visit) {
  return table.VisitCut(places, visit);
}
template <typename Visit>
bool VisitSome(sparse::CountTable& table, std::uint32_t places, std::uint64_t bytes,
               const Visit& visit) {
  return table.VisitCut(places, bytes, visit);
}

}  // namespace

void LaneSnapshot::Start(const Job& job, std::vector<PartitionCore*> partitions, absl::Time now,
                         Effects& effects) {
  absl::Status refused;
  if (is_running_ && job_.is_base && !job.is_base && !waiting_) {
    waiting_ = job;
    waiting_partitions_ = std::move(partitions);
    return;
  }
  if (is_running_) {
    refused = absl::FailedPreconditionError(absl::StrCat("snapshot '", job.prefix, "': '",
                                                         waiting_ ? waiting_->prefix : job_.prefix,
                                                         "' is under way"));
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
  job_ticket_ = next_ticket_;
  at_ = 0;
  row_bytes_ = 0;
  copied_bytes_ = 0;
  status_ = absl::OkStatus();
  reply_ = SnapshotReply{.request = job.request, .status = {}, .blobs = {}, .positions = {}};
  for (PartitionCore* const partition : partitions) {
    Cut cut{.partition = partition,
            .header = {.partition = partition->id(),
                       .partition_count = job_.partition_count,
                       .log_position = partition->log_position(),
                       .step = partition->step()},
            .table_count = static_cast<std::uint32_t>(partition->table_count())};
    for (const auto& [id, session] : partition->sessions()) {
      cut.sessions.push_back({.session = id,
                              .rank = session.rank,
                              .next_sequence = session.next_sequence,
                              .first_step = session.next_step});
    }
    if (job_.checkpoint == 0) {
      row_bytes_ += partition->BeginCut();
    } else {
      const PartitionCore::CheckpointCut begun =
          partition->BeginCheckpointCut(job_.checkpoint, job_.base, job_.is_increment);
      row_bytes_ += begun.bytes;
      cut.header.is_increment = begun.is_increment;
      if (begun.is_increment) cut.header.values = job_.values;
    }
    reply_.positions.push_back({.partition = partition->id(),
                                .log_position = cut.header.log_position,
                                .step = cut.header.step,
                                .rows = partition->row_count(),
                                .is_increment = cut.header.is_increment});
    cuts_.push_back(std::move(cut));
  }
  if (cuts_.empty()) return Finish(now, effects);
  Advance(now, effects);
}

void LaneSnapshot::Advance(absl::Time now, Effects& effects) {
  if (!HasMore()) return;
  std::uint64_t copied = 0;
  std::uint64_t kept = 0;
  for (const Cut& cut : cuts_) {
    copied += cut.partition->cut_copied_bytes();
    kept += cut.partition->cut_kept_bytes();
  }
  const std::uint64_t more = copied - std::min(copied, std::exchange(copied_bytes_, copied));
  const bool is_too_much = kept > options_.kept_bytes_max + row_bytes_ / 4;
  WriteSome(is_too_much ? std::numeric_limits<std::uint64_t>::max()
                        : std::max(options_.slice_bytes, kSliceOfCopied * more),
            !is_too_much, effects);
  if (HasMore() && writes_left_ < kWritesMax) effects.WakeAt(now + kPause);
}

// Writes on until so many bytes of rows are handed over or enough writes are under way. One that is
// not in the background may always be added: the lane waits for it.
void LaneSnapshot::WriteSome(std::uint64_t bytes, bool is_background, Effects& effects) {
  const std::size_t writes_max = is_background ? kWritesMax : kWritesMax + 1;
  for (std::uint64_t written = 0; written < bytes && HasMore() && writes_left_ < writes_max;) {
    written += VisitSome();
    for (SnapshotChunk& chunk : chunks_) {
      reply_.blobs.push_back(
          {.name = SnapshotName(job_.prefix,
                                {.partition = chunk.header.partition, .chunk = chunk.header.chunk}),
           .bytes = 0,
           .checksum = 0,
           .rows = RowsOf(chunk)});
      const auto held = std::make_shared<SnapshotChunk>(std::move(chunk));
      written_[next_ticket_] = held;
      effects.writes.push_back({.ticket = next_ticket_++,
                                .name = reply_.blobs.back().name,
                                .bytes = {},
                                .chunk = held,
                                .is_base = job_.is_base,
                                .is_background = is_background});
      ++writes_left_;
    }
    chunks_.clear();
  }
}

void LaneSnapshot::BeginTable() {
  const Cut& cut = cuts_[at_];
  cut.partition->WithTable(TableId{table_}, [&](const auto& table) {
    writer_->BeginTable(TableId{table_}, table.spec(),
                        static_cast<std::uint32_t>(table.value_count()));
    if (!cut.header.is_increment) return;
    writer_->KeepExact(static_cast<std::uint32_t>(sparse::ExactStateSize(table.spec().optimizer)));
  });
}

// Some of the table it is at. Bytes of its rows, about.
std::uint64_t LaneSnapshot::VisitSome() {
  Cut& cut = cuts_[at_];
  if (!writer_) {
    writer_.emplace(
        cut.header, [this](SnapshotChunk chunk) { chunks_.push_back(std::move(chunk)); },
        options_.chunk_bytes);
    for (RowBlock& rows : spares_) writer_->Reuse(std::move(rows));
    spares_.clear();
    for (const SessionRecord& session : cut.sessions) writer_->AddSession(session);
    table_ = 0;
    if (cut.table_count > 0) BeginTable();
  }
  std::uint64_t bytes = 0;
  if (table_ < cut.table_count) {
    bytes = cut.partition->WithTableToCut(TableId{table_}, [&](auto& table) {
      return gone_at_ ? VisitGone(table.gone()) : VisitRows(cut, table);
    });
  }
  if (table_ == cut.table_count) {
    writer_->Finish();
    EndWriter();
    ++at_;
  }
  return bytes;
}

template <typename AnyTable>
std::uint64_t LaneSnapshot::VisitRows(const Cut& cut, AnyTable& table) {
  const std::uint64_t row_bytes = SnapshotRowBytes(static_cast<std::uint32_t>(table.value_count()));
  const std::uint64_t places =
      std::clamp<std::uint64_t>(options_.slice_bytes / row_bytes, 1, kPlacesMax);
  std::uint64_t bytes = cut.header.is_increment ? places * kPlaceBytes : 0;
  const auto visit = [&](const auto& row) {
    AddRow(row, *writer_);
    bytes += SnapshotBytesOf(row);
  };
  if (server::VisitSome(table, static_cast<std::uint32_t>(places), options_.slice_bytes, visit)) {
    return bytes;
  }
  table.EndCut();
  if (cut.header.is_increment) {
    gone_at_ = table.gone().begin();
  } else if (++table_ < cut.table_count) {
    BeginTable();
  }
  return bytes;
}

std::uint64_t LaneSnapshot::VisitGone(const absl::btree_set<Key>& gone) {
  const auto end = gone.end();
  std::uint64_t keys = 0;
  for (; keys < kPlacesMax && *gone_at_ != end; ++*gone_at_, ++keys) writer_->AddGone(**gone_at_);
  if (*gone_at_ == end) {
    gone_at_.reset();
    if (++table_ < cuts_[at_].table_count) BeginTable();
  }
  return keys * sizeof(Key);
}

void LaneSnapshot::EndWriter() {
  for (RowBlock& rows : writer_->TakeSpares()) spares_.push_back(std::move(rows));
  writer_.reset();
}

void LaneSnapshot::OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) {
  // One of a snapshot that was given up may still come.
  if (!is_running_ || answer.ticket < job_ticket_ || answer.ticket >= next_ticket_) return;
  SnapshotBlob& blob = reply_.blobs[answer.ticket - job_ticket_];
  blob.bytes = answer.bytes;
  blob.checksum = answer.checksum;
  --writes_left_;
  const std::shared_ptr<SnapshotChunk> chunk = std::move(written_[answer.ticket]);
  written_.erase(answer.ticket);
  if (chunk != nullptr && chunk.use_count() == 1) {
    for (SnapshotTable& table : chunk->tables) {
      if (writer_) {
        writer_->Reuse(std::move(table.rows));
      } else {
        spares_.push_back(std::move(table.rows));
      }
    }
  }
  if (!answer.status.ok() && status_.ok()) {
    status_ = answer.status;
    EndCuts();
  }
  Advance(now, effects);
  if (writes_left_ == 0 && !HasMore()) Finish(now, effects);
}

void LaneSnapshot::Cancel(absl::Status why, Effects& effects) {
  if (const std::optional<Job> waits = std::exchange(waiting_, std::nullopt)) {
    effects.sends.push_back(
        {waits->self, waits->source,
         SnapshotReply{.request = waits->request, .status = why, .blobs = {}, .positions = {}}});
  }
  if (!is_running_ || job_.is_base) return;
  status_ = std::move(why);
  EndCuts();
  writes_left_ = 0;
  Finish({}, effects);
}

void LaneSnapshot::EndCuts() {
  for (const Cut& cut : cuts_) cut.partition->EndCut();
  writer_.reset();
  gone_at_.reset();
  chunks_.clear();
  written_.clear();
}

void LaneSnapshot::Finish(absl::Time now, Effects& effects) {
  is_running_ = false;
  cuts_.clear();
  spares_.clear();
  reply_.status = std::move(status_);
  effects.sends.push_back({job_.self, job_.source, std::move(reply_)});
  if (!waiting_) return;
  const Job next = *std::exchange(waiting_, std::nullopt);
  Start(next, std::move(waiting_partitions_), now, effects);
}

}  // namespace longtail::server
