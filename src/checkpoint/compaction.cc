#include "checkpoint/compaction.h"

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "checkpoint/checkpoint_rows.h"
#include "protocol/checksum.h"
#include "protocol/snapshot_writer.h"
#include "server/checkpoint_reader.h"
#include "server/checkpoint_writer.h"
#include "server/snapshot_name.h"

namespace longtail::checkpoint {
namespace {

// Of a chunk, before compression; as lanes have them.
constexpr std::size_t kChunkBytes = std::size_t{8} << 20;

class Compaction {
 public:
  Compaction(BlobStore& store, const Manifest& from, const std::string& as)
      : store_(store), from_(from), as_(as), to_(from) {
    to_.blobs.clear();
    to_.trainer.clear();
    to_.layers.clear();
  }

  absl::StatusOr<Manifest> Run() {
    LONGTAIL_ASSIGN_OR_RETURN(const CheckpointRows rows, CheckpointRows::Open(store_, from_));
    for (const PartitionPosition& position : from_.partitions) {
      LONGTAIL_RETURN_IF_ERROR(WritePartition(rows, position));
    }
    for (const ManifestTrainerBlob& entry : from_.trainer) {
      LONGTAIL_ASSIGN_OR_RETURN(
          const std::string bytes,
          server::ReadChecked(store_, entry.blob, entry.bytes, entry.checksum));
      ManifestTrainerBlob copy = entry;
      copy.blob = absl::StrCat(as_, "/trainer-", to_.trainer.size(), ".blob");
      LONGTAIL_RETURN_IF_ERROR(store_.Write(copy.blob, bytes));
      to_.trainer.push_back(std::move(copy));
    }
    LONGTAIL_RETURN_IF_ERROR(store_.Write(server::ManifestName(as_), EncodeManifest(to_)));
    return std::move(to_);
  }

 private:
  absl::Status WritePartition(const CheckpointRows& rows, const PartitionPosition& position) {
    std::vector<std::size_t> tables(from_.tables.size());
    std::iota(tables.begin(), tables.end(), std::size_t{0});
    std::vector<SessionRecord> sessions;
    LONGTAIL_ASSIGN_OR_RETURN(const std::vector<SortedRows> read,
                              rows.Read(static_cast<std::uint32_t>(position.partition),
                                        from_.partition_count, tables, sessions));
    absl::Status status;
    SnapshotWriter writer(
        {.partition = position.partition,
         .partition_count = from_.partition_count,
         .log_position = position.log_position,
         .step = position.step},
        [&](const SnapshotChunk& chunk) {
          if (status.ok()) status = WriteChunk(chunk);
        },
        kChunkBytes);
    for (const SessionRecord& session : sessions) writer.AddSession(session);
    for (std::size_t t = 0; t < read.size() && status.ok(); ++t) {
      if (!read[t].has_table()) continue;
      writer.BeginTable(from_.tables[t].id, from_.tables[t].spec, read[t].value_count());
      for (std::size_t i = 0; i < read[t].size(); ++i) {
        const StoredRow row = read[t].at(i);
        if (from_.tables[t].spec.kind == TableKind::kCounts) {
          writer.AddCounts(row.key, row.packed);
        } else {
          writer.AddRow(row.key, row.count, row.last_step, row.values);
        }
      }
    }
    writer.Finish();
    return status;
  }

  absl::Status WriteChunk(const SnapshotChunk& chunk) {
    const std::string bytes = EncodeSnapshotChunk(chunk);
    const server::SnapshotPlace place{.partition = chunk.header.partition,
                                      .chunk = chunk.header.chunk};
    to_.blobs.push_back({.name = server::SnapshotName(as_, place),
                         .bytes = bytes.size(),
                         .checksum = Checksum(AsBytes(bytes)),
                         .rows = RowsOf(chunk)});
    return store_.Write(to_.blobs.back().name, bytes);
  }

  BlobStore& store_;
  const Manifest& from_;
  const std::string& as_;
  Manifest to_;
};

}  // namespace

absl::StatusOr<Manifest> Compact(BlobStore& store, const std::string& name, const std::string& as) {
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest from, server::ReadManifest(store, name));
  LONGTAIL_RETURN_IF_ERROR(server::MakeRoom(as, store));
  return Compaction(store, from, as).Run();
}

}  // namespace longtail::checkpoint
