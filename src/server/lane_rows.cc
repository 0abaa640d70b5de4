#include "server/lane_rows.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/checkpoint_reader.h"
#include "server/snapshot_name.h"

namespace longtail::server {
namespace {

// Whether the first of two runs of hashes, cut into so many partitions each, has to do with the
// other: numbers of partitions are powers of two, and a partition is a prefix of the hash.
bool Overlap(std::uint32_t a, std::uint32_t a_count, std::uint32_t b, std::uint32_t b_count) {
  const int a_bits = std::countr_zero(a_count);
  const int b_bits = std::countr_zero(b_count);
  const int bits = std::min(a_bits, b_bits);
  return a >> (a_bits - bits) == b >> (b_bits - bits);
}

// Leaves of a block those rows whose keys are in the lane's partitions.
void KeepOwn(const std::vector<bool>& is_own, RowBlock& rows) {
  const auto partitions = static_cast<std::uint32_t>(is_own.size());
  const auto is_of_lane = [&](Key key) {
    return is_own[static_cast<std::size_t>(PartitionOf(key, partitions))];
  };
  if (!std::ranges::all_of(rows.keys, is_of_lane)) KeepRows(rows, is_of_lane);
}

}  // namespace

absl::Status CheckTables(const Manifest& manifest, const std::vector<TableSpec>& tables) {
  for (const ManifestTable& table : manifest.tables) {
    const auto found = std::ranges::find(tables, table.spec.name, &TableSpec::name);
    if (found != tables.end() && *found == table.spec) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("table '", table.spec.name, "' of the checkpoint: the cluster has ",
                     found == tables.end() ? "none of that name" : "one of another spec",
                     ": want a checkpoint of this cluster's tables"));
  }
  return absl::OkStatus();
}

absl::Status ReadLaneRows(BlobStore& store, const ClusterMap& map, NodeId lane,
                          absl::FunctionRef<absl::Status(const RowBlock& rows)> take) {
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest manifest,
                            ReadManifest(store, map.rolled_back.checkpoint));
  if (manifest.step != map.rolled_back.step) {
    return absl::FailedPreconditionError(absl::StrCat(
        "checkpoint '", map.rolled_back.checkpoint, "' in ", store.Describe(), " is of step ",
        manifest.step, ": want the one that the cluster was rolled back to, of step ",
        map.rolled_back.step));
  }
  LONGTAIL_RETURN_IF_ERROR(CheckTables(manifest, map.tables));
  const auto number =
      static_cast<std::uint32_t>(std::ranges::find(map.lanes, lane) - map.lanes.begin());
  const auto partitions = static_cast<std::uint32_t>(map.lane_of.size());
  std::vector<bool> is_own;
  for (const std::uint32_t owner : map.lane_of) is_own.push_back(owner == number);
  std::vector<bool> is_wanted(manifest.partition_count);
  for (std::uint32_t p = 0; p < partitions; ++p) {
    for (std::uint32_t theirs = 0; is_own[p] && theirs < manifest.partition_count; ++theirs) {
      if (Overlap(p, partitions, theirs, manifest.partition_count)) is_wanted[theirs] = true;
    }
  }
  return ReadChunks(
      store, manifest,
      [&](const SnapshotBlob& blob) {
        const std::optional<SnapshotPlace> place = PlaceOfSnapshot(blob.name);
        const auto p = place ? static_cast<std::size_t>(place->partition) : is_wanted.size();
        return p >= is_wanted.size() || is_wanted[p];  // A foreign name is said by who reads it.
      },
      [&](const SnapshotBlob&, SnapshotChunk& chunk) -> absl::Status {
        for (SnapshotTable& table : chunk.tables) {
          const auto here = std::ranges::find(map.tables, table.spec.name, &TableSpec::name);
          table.rows.table = TableId{static_cast<std::uint32_t>(here - map.tables.begin())};
          KeepOwn(is_own, table.rows);
          LONGTAIL_RETURN_IF_ERROR(take(table.rows));
        }
        return absl::OkStatus();
      });
}

}  // namespace longtail::server
