#include "checkpoint/changed_rows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/snapshot_format.h"
#include "server/checkpoint_reader.h"

namespace longtail::checkpoint {
namespace {

// The rows and keys of one table that no newer layer has.
class TableCollector {
 public:
  absl::Status Add(SnapshotTable& table) {
    for (const Key key : table.gone) {
      own_.push_back(key);
      if (!newer_.contains(key)) changes_.gone.push_back(key);
    }
    RowBlock kept;
    kept.table = table.rows.table;
    kept.value_count = table.rows.value_count;
    for (std::size_t i = 0; i < table.rows.keys.size(); ++i) {
      const Key key = table.rows.keys[i];
      own_.push_back(key);
      if (newer_.contains(key)) continue;
      kept.keys.push_back(key);
      kept.counts.push_back(table.rows.counts[i]);
      kept.last_steps.push_back(table.rows.last_steps[i]);
      const auto values =
          table.rows.values.begin() + static_cast<std::ptrdiff_t>(i * kept.value_count);
      kept.values.insert(kept.values.end(), values, values + kept.value_count);
    }
    return changes_.rows.Add(std::move(kept));
  }

  void EndLayer() {
    newer_.insert(own_.begin(), own_.end());
    own_.clear();
  }

  absl::StatusOr<TableChanges> Finish() {
    LONGTAIL_RETURN_IF_ERROR(changes_.rows.Sort());
    return std::move(changes_);
  }

 private:
  TableChanges changes_;
  absl::flat_hash_set<Key> newer_;
  std::vector<Key> own_;  // Of the layer that is read.
};

}  // namespace

absl::StatusOr<std::optional<ChangedRows>> ChangedRows::Open(BlobStore& store,
                                                             const Manifest& manifest,
                                                             std::string_view base) {
  const auto found = std::ranges::find(manifest.layers, base);
  if (found == manifest.layers.end()) return std::nullopt;
  const auto layer = static_cast<std::size_t>(found - manifest.layers.begin());
  absl::StatusOr<std::vector<server::LayerChunk>> chunks = server::LayerChunksOf(manifest);
  if (!chunks.ok()) {
    return absl::Status(chunks.status().code(),
                        absl::StrCat(store.Describe(), "/", chunks.status().message()));
  }
  ChangedRows changed(store, manifest);
  for (const server::LayerChunk& chunk : *chunks) {
    if (chunk.layer <= layer) continue;
    if (!chunk.is_increment) return std::nullopt;
    changed.rows_at_most_ += chunk.blob->rows;
    changed.chunks_.push_back(chunk);
  }
  return changed;
}

absl::StatusOr<std::vector<TableChanges>> ChangedRows::Read(
    std::uint32_t partition, std::span<const std::size_t> tables) const {
  std::vector<TableCollector> collectors(tables.size());
  const auto begin =
      std::ranges::lower_bound(chunks_, PartitionId{partition}, {}, &server::LayerChunk::partition);
  const auto end =
      std::ranges::upper_bound(chunks_, PartitionId{partition}, {}, &server::LayerChunk::partition);
  std::size_t layer = begin == end ? 0 : begin->layer;
  for (auto at = begin; at != end; ++at) {
    if (at->layer != layer) {
      for (TableCollector& collector : collectors) collector.EndLayer();
      layer = at->layer;
    }
    const SnapshotBlob& blob = *at->blob;
    const std::string what = absl::StrCat(store_->Describe(), "/", blob.name);
    LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes,
                              server::ReadChecked(*store_, blob.name, blob.bytes, blob.checksum));
    LONGTAIL_ASSIGN_OR_RETURN(SnapshotChunk chunk, ReadSnapshotChunk(what, AsBytes(bytes)));
    if (chunk.header.partition != at->partition || !chunk.header.is_increment) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": ", chunk.header.is_increment ? "an increment" : "all rows",
                       " of partition ", static_cast<std::uint32_t>(chunk.header.partition),
                       ": want an increment of partition ", partition));
    }
    for (SnapshotTable& table : chunk.tables) {
      const auto number = static_cast<std::size_t>(table.rows.table);
      if (number >= manifest_->tables.size() || table.spec != manifest_->tables[number].spec) {
        return absl::InvalidArgumentError(absl::StrCat(what, ": table ", number, " '",
                                                       table.spec.name, "' is not the manifest's"));
      }
      const auto place = std::ranges::find(tables, number);
      if (place == tables.end()) continue;
      LONGTAIL_RETURN_IF_ERROR(
          collectors[static_cast<std::size_t>(place - tables.begin())].Add(table));
    }
  }
  std::vector<TableChanges> changes;
  for (TableCollector& collector : collectors) {
    LONGTAIL_ASSIGN_OR_RETURN(TableChanges made, collector.Finish());
    changes.push_back(std::move(made));
  }
  return changes;
}

}  // namespace longtail::checkpoint
