#include "checkpoint/checkpoint_rows.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "server/checkpoint_reader.h"
#include "server/snapshot_name.h"

namespace longtail::checkpoint {
namespace {

absl::Status WithName(const absl::Status& status, const std::string& what) {
  return {status.code(), absl::StrCat(what, ": ", status.message())};
}

}  // namespace

absl::StatusOr<CheckpointRows> CheckpointRows::Open(BlobStore& store, const Manifest& manifest) {
  CheckpointRows rows(store, manifest);
  for (const SnapshotBlob& blob : manifest.blobs) {
    const auto place = server::PlaceOfSnapshot(blob.name);
    if (!place || static_cast<std::uint32_t>(place->partition) >= manifest.partition_count) {
      return absl::InvalidArgumentError(absl::StrCat(store.Describe(), "/", blob.name,
                                                     ": want a name that says one of the ",
                                                     manifest.partition_count, " partitions"));
    }
    rows.chunks_.push_back({.partition = static_cast<std::uint32_t>(place->partition),
                            .chunk = place->chunk,
                            .blob = &blob});
  }
  std::ranges::sort(rows.chunks_, {},
                    [](const Chunk& c) { return std::tuple(c.partition, c.chunk); });
  return rows;
}

absl::StatusOr<std::vector<SortedRows>> CheckpointRows::Read(
    std::uint32_t part, std::uint32_t part_count, std::span<const std::size_t> tables) const {
  LONGTAIL_CHECK(part < part_count);
  LONGTAIL_CHECK(manifest_.partition_count % part_count == 0);
  const std::uint32_t width = manifest_.partition_count / part_count;
  const auto begin = std::ranges::lower_bound(chunks_, part * width, {}, &Chunk::partition);
  const auto end =
      std::ranges::lower_bound(chunks_, std::uint64_t{part + 1} * width, {}, &Chunk::partition);
  Manifest these;
  these.tables = manifest_.tables;
  for (auto chunk = begin; chunk != end; ++chunk) these.blobs.push_back(*chunk->blob);

  std::vector<SortedRows> rows(tables.size());
  auto at = begin;
  LONGTAIL_RETURN_IF_ERROR(server::ReadChunks(
      store_, these, [](const SnapshotBlob&) { return true; },
      [&](const SnapshotBlob& blob, SnapshotChunk chunk) {
        const std::string what = absl::StrCat(store_.Describe(), "/", blob.name);
        const auto found = static_cast<std::uint32_t>(chunk.header.partition);
        if (found != at->partition || chunk.header.partition_count != manifest_.partition_count) {
          return absl::InvalidArgumentError(
              absl::StrCat(what, ": holds partition ", found, " of ", chunk.header.partition_count,
                           ": want that of its name, of ", manifest_.partition_count));
        }
        ++at;
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
