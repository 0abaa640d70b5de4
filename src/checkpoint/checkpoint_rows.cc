#include "checkpoint/checkpoint_rows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "server/checkpoint_reader.h"

namespace longtail::checkpoint {
namespace {

absl::Status WithName(const absl::Status& status, const std::string& what) {
  return {status.code(), absl::StrCat(what, ": ", status.message())};
}

}  // namespace

absl::StatusOr<CheckpointRows> CheckpointRows::Open(BlobStore& store, const Manifest& manifest) {
  CheckpointRows rows(store, manifest);
  absl::StatusOr<std::vector<server::LayerChunk>> chunks = server::LayerChunksOf(manifest);
  if (!chunks.ok()) {
    return absl::Status(chunks.status().code(),
                        absl::StrCat(store.Describe(), "/", chunks.status().message()));
  }
  rows.chunks_ = *std::move(chunks);
  return rows;
}

absl::StatusOr<std::vector<SortedRows>> CheckpointRows::Read(
    std::uint32_t part, std::uint32_t part_count, std::span<const std::size_t> tables) const {
  std::vector<SessionRecord> ignored;
  return Read(part, part_count, tables, ignored);
}

absl::StatusOr<std::vector<SortedRows>> CheckpointRows::Read(
    std::uint32_t part, std::uint32_t part_count, std::span<const std::size_t> tables,
    std::vector<SessionRecord>& sessions) const {
  LONGTAIL_CHECK(part < part_count);
  LONGTAIL_CHECK(manifest_.partition_count % part_count == 0);
  const std::uint32_t width = manifest_.partition_count / part_count;
  const auto number = [](const server::LayerChunk& chunk) {
    return std::uint64_t{static_cast<std::uint32_t>(chunk.partition)};
  };
  const auto begin = std::ranges::lower_bound(chunks_, part * width, {}, number);
  const auto end = std::ranges::lower_bound(chunks_, std::uint64_t{part + 1} * width, {}, number);
  Manifest these;
  these.tables = manifest_.tables;
  these.partition_count = manifest_.partition_count;
  these.layers = manifest_.layers;
  for (auto chunk = begin; chunk != end; ++chunk) these.blobs.push_back(*chunk->blob);

  std::vector<SortedRows> rows(tables.size());
  auto at = begin;
  LONGTAIL_RETURN_IF_ERROR(server::ReadChunks(
      store_, these, [](const SnapshotBlob&) { return true; },
      [&](const SnapshotBlob& blob, SnapshotChunk& chunk) {
        const std::string what = absl::StrCat(store_.Describe(), "/", blob.name);
        const auto found = static_cast<std::uint32_t>(chunk.header.partition);
        if (chunk.header.partition != at->partition ||
            chunk.header.partition_count != manifest_.partition_count) {
          return absl::InvalidArgumentError(
              absl::StrCat(what, ": holds partition ", found, " of ", chunk.header.partition_count,
                           ": want that of its name, of ", manifest_.partition_count));
        }
        ++at;
        sessions.insert(sessions.end(), chunk.sessions.begin(), chunk.sessions.end());
        for (SnapshotTable& table : chunk.tables) {
          const auto place = std::ranges::find(tables, static_cast<std::size_t>(table.rows.table));
          if (place == tables.end()) continue;
          SortedRows& sorted = rows[static_cast<std::size_t>(place - tables.begin())];
          const absl::Status added = sorted.Add(std::move(table.rows));
          if (!added.ok()) return WithName(added, what);
        }
        return absl::OkStatus();
      }));
  for (SortedRows& sorted : rows) {
    const absl::Status status = sorted.Sort();
    if (!status.ok()) {
      return WithName(status, absl::StrCat(store_.Describe(), ": partitions ", part * width, "..",
                                           (part + 1) * width - 1));
    }
  }
  return rows;
}

}  // namespace longtail::checkpoint
