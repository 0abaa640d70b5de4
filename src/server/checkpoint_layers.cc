#include "server/checkpoint_layers.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "server/snapshot_name.h"

namespace longtail::server {
namespace {

constexpr std::size_t kNoLayer = std::numeric_limits<std::size_t>::max();

std::size_t LayerOf(const Manifest& manifest, std::string_view blob) {
  if (manifest.layers.empty()) return 0;
  const auto found = std::ranges::find(manifest.layers, CheckpointOfBlob(blob));
  if (found == manifest.layers.end()) return kNoLayer;
  return static_cast<std::size_t>(found - manifest.layers.begin());
}

// Sets is_increment, of chunks in order.
absl::Status FindOldest(const Manifest& manifest, std::vector<LayerChunk>& chunks) {
  for (std::size_t begin = 0, end = 0; begin < chunks.size(); begin = end) {
    const PartitionId partition = chunks[begin].partition;
    while (end < chunks.size() && chunks[end].partition == partition) ++end;
    const std::size_t oldest = chunks[end - 1].layer;
    std::size_t expected = std::max<std::size_t>(manifest.layers.size(), 1) - 1;
    for (std::size_t i = begin; i < end; ++i) {
      if (i > begin && chunks[i].layer != chunks[i - 1].layer) --expected;
      if (chunks[i].layer != expected) {
        return absl::InvalidArgumentError(absl::StrCat(
            chunks[i].blob->name, ": partition ", static_cast<std::uint32_t>(partition),
            " has no object in '", manifest.layers[expected], "', which came after it"));
      }
      chunks[i].is_increment = chunks[i].layer != oldest;
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view CheckpointOfBlob(std::string_view blob) {
  const std::size_t slash = blob.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : blob.substr(0, slash);
}

absl::StatusOr<std::vector<LayerChunk>> LayerChunksOf(const Manifest& manifest) {
  std::vector<LayerChunk> chunks;
  for (const SnapshotBlob& blob : manifest.blobs) {
    const auto place = PlaceOfSnapshot(blob.name);
    if (!place || static_cast<std::uint32_t>(place->partition) >= manifest.partition_count) {
      return absl::InvalidArgumentError(absl::StrCat(blob.name,
                                                     ": want a name that says one of the ",
                                                     manifest.partition_count, " partitions"));
    }
    const std::size_t layer = LayerOf(manifest, blob.name);
    if (layer == kNoLayer) {
      return absl::InvalidArgumentError(
          absl::StrCat(blob.name, ": is of no checkpoint that the manifest builds on"));
    }
    chunks.push_back({.partition = place->partition,
                      .layer = layer,
                      .chunk = place->chunk,
                      .is_increment = false,
                      .blob = &blob});
  }
  std::ranges::sort(chunks, {}, [](const LayerChunk& c) {
    return std::tuple(c.partition, std::numeric_limits<std::size_t>::max() - c.layer, c.chunk);
  });
  const absl::Status status = FindOldest(manifest, chunks);
  if (!status.ok()) return status;
  return chunks;
}

void NewerKeys::Hide(const LayerChunk& at, SnapshotChunk& chunk) {
  if (at.partition != partition_) {
    newer_.clear();
    own_.clear();
  } else if (at.layer != layer_) {
    EndLayer();
  }
  partition_ = at.partition;
  layer_ = at.layer;
  for (SnapshotTable& table : chunk.tables) {
    std::vector<Key>& own = own_[table.rows.table];
    if (at.is_increment) {
      own.insert(own.end(), table.rows.keys.begin(), table.rows.keys.end());
      own.insert(own.end(), table.gone.begin(), table.gone.end());
    }
    table.gone.clear();
    const auto newer = newer_.find(table.rows.table);
    if (newer == newer_.end() || newer->second.empty()) continue;
    KeepRows(table.rows, [&](Key key) { return !newer->second.contains(key); });
  }
}

void NewerKeys::EndLayer() {
  for (auto& [table, keys] : own_) newer_[table].insert(keys.begin(), keys.end());
  own_.clear();
}

}  // namespace longtail::server
