#include "checkpoint/verification.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "checkpoint/checked_reader.h"
#include "protocol/cluster_map.h"
#include "protocol/manifest.h"
#include "protocol/snapshot_format.h"
#include "protocol/trainer_blob.h"
#include "server/checkpoint_layers.h"
#include "server/checkpoint_reader.h"
#include "server/snapshot_name.h"

namespace longtail::checkpoint {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

std::string TextOf(const absl::Status& status) {
  return std::string(status.message());
}

class Verifier {
 public:
  Verifier(BlobStore& store, std::string name) : store_(store), reader_(store) {
    result_.name = std::move(name);
  }

  absl::StatusOr<Verification> Run() {
    const std::string object = server::ManifestName(result_.name);
    absl::StatusOr<Manifest> manifest = server::ReadManifest(store_, result_.name);
    if (absl::IsDataLoss(manifest.status()) || absl::IsInvalidArgument(manifest.status())) {
      result_.damages.push_back({.object = object, .problem = TextOf(manifest.status())});
      return std::move(result_);
    }
    LONGTAIL_RETURN_IF_ERROR(manifest.status());
    manifest_ = *std::move(manifest);
    CheckPositions(object);
    SortBlobs(object);
    for (std::uint32_t p = 0; p < manifest_.partition_count; ++p) {
      LONGTAIL_RETURN_IF_ERROR(VerifyPartition(p));
    }
    for (const ManifestTrainerBlob& entry : manifest_.trainer) {
      LONGTAIL_RETURN_IF_ERROR(VerifyTrainer(entry));
    }
    result_.objects = 1 + reader_.objects();
    result_.bytes = reader_.bytes();
    return std::move(result_);
  }

 private:
  struct Chunk {
    std::uint32_t number = 0;
    const SnapshotBlob* blob = nullptr;
    // Places in the manifest of the first and the last table it holds; kNone: it cannot be read.
    std::size_t first_table = kNone;
    std::size_t last_table = kNone;
    std::vector<std::size_t> damages{};  // In result_, that want the tables' names.
  };
  // What one checkpoint wrote of one partition.
  struct Layer {
    std::vector<Chunk> chunks{};
    bool is_increment = false;
    bool is_newest = false;
    std::optional<PartitionPosition> cut{};  // As the first chunk that can be read has it.
  };
  // Keys that a layer has rows of, and those that it says went, by table.
  struct LayerKeys {
    std::map<std::size_t, std::vector<Key>> rows{};
    std::map<std::size_t, std::vector<Key>> gone{};
  };
  // Of the layers so far, newest first.
  struct PartitionKeys {
    std::map<std::size_t, std::uint32_t> widths{};
    std::map<std::size_t, absl::flat_hash_set<Key>> seen{};
    std::uint64_t rows = 0;  // That no newer layer hides.

    void Add(const LayerKeys& keys, bool is_oldest) {
      for (const auto& [table, own] : keys.rows) {
        const absl::flat_hash_set<Key>& hidden = seen[table];
        rows += static_cast<std::uint64_t>(
            std::ranges::count_if(own, [&](Key key) { return !hidden.contains(key); }));
      }
      if (is_oldest) return;
      for (const auto& [table, own] : keys.rows) seen[table].insert(own.begin(), own.end());
      for (const auto& [table, own] : keys.gone) seen[table].insert(own.begin(), own.end());
    }
  };

  Damage& Report(std::string object, std::string problem) {
    return result_.damages.emplace_back(
        Damage{.object = std::move(object), .problem = std::move(problem)});
  }

  Damage& Report(std::uint32_t partition, Chunk& chunk, std::string problem) {
    chunk.damages.push_back(result_.damages.size());
    Damage& damage = Report(chunk.blob->name, std::move(problem));
    damage.partition = partition;
    return damage;
  }

  void CheckPositions(const std::string& object) {
    std::vector<bool> is_there(manifest_.partition_count);
    for (const PartitionPosition& position : manifest_.partitions) {
      const auto p = static_cast<std::uint32_t>(position.partition);
      if (is_there[p]) {
        Report(object, absl::StrCat("names partition ", p, " twice")).partition = p;
      }
      is_there[p] = true;
      positions_.emplace(p, position);
    }
    for (std::uint32_t p = 0; p < manifest_.partition_count; ++p) {
      if (is_there[p]) continue;
      Report(object,
             absl::StrCat("says nothing of partition ", p, " of ", manifest_.partition_count))
          .partition = p;
    }
  }

  void SortBlobs(const std::string& object) {
    for (const SnapshotBlob& blob : manifest_.blobs) {
      const auto place = server::PlaceOfSnapshot(blob.name);
      if (!place || static_cast<std::uint32_t>(place->partition) >= manifest_.partition_count) {
        Report(object, absl::StrCat("names '", blob.name, "': want a snapshot of one of the ",
                                    manifest_.partition_count, " partitions"));
        continue;
      }
      const auto layer = std::ranges::find(manifest_.layers, server::CheckpointOfBlob(blob.name));
      if (layer == manifest_.layers.end() && !manifest_.layers.empty()) {
        Report(object, absl::StrCat("names '", blob.name, "', which is of no checkpoint that it ",
                                    "builds on"));
        continue;
      }
      const auto number = static_cast<std::size_t>(layer - manifest_.layers.begin());
      layers_[static_cast<std::uint32_t>(place->partition)][number].chunks.push_back(
          {.number = place->chunk, .blob = &blob});
    }
  }

  absl::Status VerifyPartition(std::uint32_t partition) {
    std::map<std::size_t, Layer>& layers = layers_[partition];
    if (layers.empty()) {
      Damage& damage = Report(server::ManifestName(result_.name),
                              absl::StrCat("names no object of partition ", partition));
      damage.partition = partition;
      damage.tables = TableNames(0, kNone);
      return absl::OkStatus();
    }
    const std::size_t reported = result_.damages.size();
    const std::size_t oldest = layers.begin()->first;
    PartitionKeys newer;
    std::optional<PartitionPosition> limit;  // Where the layer above was cut.
    if (const auto position = positions_.find(partition); position != positions_.end()) {
      limit = position->second;
    }
    for (std::size_t number = std::max<std::size_t>(manifest_.layers.size(), 1);
         number-- > oldest;) {
      Layer& layer = layers[number];
      if (layer.chunks.empty()) {
        Report(server::ManifestName(result_.name),
               absl::StrCat("names no object of partition ", partition, " in '",
                            manifest_.layers[number], "'"))
            .partition = partition;
        continue;
      }
      layer.is_increment = number != oldest;
      layer.is_newest = number + 1 >= manifest_.layers.size();
      LONGTAIL_RETURN_IF_ERROR(VerifyLayer(partition, layer, newer, limit));
    }
    CheckRowCount(partition, newer.rows, result_.damages.size() != reported);
    layers_.erase(partition);
    return absl::OkStatus();
  }

  absl::Status VerifyLayer(std::uint32_t partition, Layer& layer, PartitionKeys& newer,
                           std::optional<PartitionPosition>& limit) {
    std::vector<Chunk>& chunks = layer.chunks;
    std::ranges::sort(chunks, {}, &Chunk::number);
    LayerKeys keys;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      Chunk& chunk = chunks[i];
      if (chunk.number != i) {
        Report(partition, chunk,
               absl::StrCat("is chunk ", chunk.number, " where chunk ", i,
                            " was to come: the manifest names none, or one twice"));
      }
      LONGTAIL_ASSIGN_OR_RETURN(const std::optional<SnapshotChunk> read,
                                ReadChunk(partition, chunk));
      if (!read) continue;
      if (!read->tables.empty()) {
        chunk.first_table = static_cast<std::size_t>(read->tables.front().rows.table);
        chunk.last_table = static_cast<std::size_t>(read->tables.back().rows.table);
      }
      CheckHeader(partition, chunk, read->header, i + 1 == chunks.size());
      CheckCut(partition, layer, chunk, read->header, limit);
      CheckRows(partition, chunk, *read, keys, newer.widths);
    }
    if (layer.cut) limit = layer.cut;
    CheckKeysOnce(partition, layer, keys);
    newer.Add(keys, !layer.is_increment);
    NameTables(chunks);
    return absl::OkStatus();
  }

  // None if it is damaged, which is reported.
  absl::StatusOr<std::optional<SnapshotChunk>> ReadChunk(std::uint32_t partition, Chunk& chunk) {
    const SnapshotBlob& blob = *chunk.blob;
    const std::size_t reported = result_.damages.size();
    LONGTAIL_ASSIGN_OR_RETURN(const CheckedObject object,
                              reader_.Read(blob.name, blob.bytes, blob.checksum, result_.damages));
    for (std::size_t i = reported; i < result_.damages.size(); ++i) {
      result_.damages[i].partition = partition;
      chunk.damages.push_back(i);
    }
    if (!object.bytes) return std::nullopt;
    absl::StatusOr<SnapshotChunk> read = ReadSnapshotChunk(blob.name, AsBytes(*object.bytes));
    if (!read.ok()) {
      if (object.is_whole) Report(partition, chunk, TextOf(read.status()));
      return std::nullopt;
    }
    for (const SnapshotTable& table : read->tables) {
      const auto number = static_cast<std::size_t>(table.rows.table);
      if (number < manifest_.tables.size() && table.spec == manifest_.tables[number].spec) continue;
      Report(partition, chunk,
             absl::StrCat("table ", number, " '", table.spec.name, "' is not the manifest's"));
      return std::nullopt;
    }
    return std::optional(*std::move(read));
  }

  void CheckHeader(std::uint32_t partition, Chunk& chunk, const SnapshotHeader& header,
                   bool is_last) {
    const auto found = static_cast<std::uint32_t>(header.partition);
    if (found != partition || header.partition_count != manifest_.partition_count) {
      Report(partition, chunk,
             absl::StrCat("holds partition ", found, " of ", header.partition_count, ": want ",
                          partition, " of ", manifest_.partition_count));
    }
    if (header.chunk != chunk.number) {
      Report(partition, chunk,
             absl::StrCat("holds chunk ", header.chunk, ": want that of its name"));
    }
    if (header.is_last != is_last) {
      Report(partition, chunk,
             is_last ? "is the last chunk that the manifest names, and says that more follow"
                     : "says that it is the last chunk, and the manifest names more");
    }
  }

  void CheckCut(std::uint32_t partition, Layer& layer, Chunk& chunk, const SnapshotHeader& header,
                const std::optional<PartitionPosition>& limit) {
    if (header.is_increment != layer.is_increment) {
      Report(partition, chunk,
             layer.is_increment
                 ? "holds all rows, and the manifest names an older layer of its partition"
                 : "is an increment, and the manifest names nothing that it builds on");
    }
    if (!layer.cut) {
      layer.cut.emplace();
      layer.cut->log_position = header.log_position;
      layer.cut->step = header.step;
    }
    const std::string found =
        absl::StrCat("was cut at log position ", header.log_position, " and step ", header.step);
    const auto says = [](const PartitionPosition& position) {
      return absl::StrCat(position.log_position, " and ", position.step);
    };
    if (layer.is_newest) {
      if (limit && (header.log_position != limit->log_position || header.step != limit->step)) {
        Report(partition, chunk, absl::StrCat(found, ": the manifest says ", says(*limit)));
      }
      return;
    }
    if (header.log_position != layer.cut->log_position || header.step != layer.cut->step) {
      Report(partition, chunk, absl::StrCat(found, ": a chunk before it at ", says(*layer.cut)));
    }
    if (limit && (header.log_position > limit->log_position || header.step > limit->step)) {
      Report(partition, chunk, absl::StrCat(found, ": a newer layer at ", says(*limit)));
    }
  }

  void CheckRows(std::uint32_t partition, Chunk& chunk, const SnapshotChunk& read, LayerKeys& keys,
                 std::map<std::size_t, std::uint32_t>& widths) {
    std::uint64_t rows = 0;
    for (const SnapshotTable& table : read.tables) {
      const auto number = static_cast<std::size_t>(table.rows.table);
      rows += table.rows.keys.size();
      CheckPlaces(partition, chunk, table.spec.name, table.rows.keys, "keys");
      CheckPlaces(partition, chunk, table.spec.name, table.gone, "keys that went");
      const auto width = widths.emplace(number, table.rows.value_count).first;
      if (width->second != table.rows.value_count) {
        Report(partition, chunk,
               absl::StrCat("has rows of ", table.rows.value_count,
                            " floats: a chunk before it has rows of ", width->second))
            .tables = {table.spec.name};
      }
      std::vector<Key>& own = keys.rows[number];
      own.insert(own.end(), table.rows.keys.begin(), table.rows.keys.end());
      std::vector<Key>& gone = keys.gone[number];
      gone.insert(gone.end(), table.gone.begin(), table.gone.end());
    }
    if (rows != chunk.blob->rows) {
      Report(partition, chunk,
             absl::StrCat("holds ", rows, " rows: the manifest says ", chunk.blob->rows));
    }
    result_.rows += rows;
  }

  void CheckPlaces(std::uint32_t partition, Chunk& chunk, const std::string& table,
                   const std::vector<Key>& keys, std::string_view what) {
    std::uint64_t strangers = 0;
    Key first = 0;
    for (const Key key : keys) {
      if (static_cast<std::uint32_t>(PartitionOf(key, manifest_.partition_count)) == partition) {
        continue;
      }
      if (strangers++ == 0) first = key;
    }
    if (strangers == 0) return;
    const auto place = static_cast<std::uint32_t>(PartitionOf(first, manifest_.partition_count));
    Report(partition, chunk,
           absl::StrCat("holds ", strangers, " ", std::string(what), " of other partitions, first ",
                        first, " of partition ", place))
        .tables = {table};
  }

  void CheckKeysOnce(std::uint32_t partition, Layer& layer, LayerKeys& keys) {
    for (auto& [table, own] : keys.rows) {
      std::vector<Key>& gone = keys.gone[table];
      std::ranges::sort(own);
      std::ranges::sort(gone);
      std::vector<Key> both;
      std::ranges::set_intersection(own, gone, std::back_inserter(both));
      auto twice = std::ranges::adjacent_find(own);
      if (twice == own.end() && (twice = std::ranges::adjacent_find(gone)) == gone.end()) {
        if (both.empty()) continue;
        twice = both.begin();
      }
      Report(partition, layer.chunks.front(),
             absl::StrCat("key ", *twice,
                          layer.is_increment ? " is twice among those that changed or went"
                                             : " is twice among the rows of this partition"))
          .tables = {manifest_.tables[table].spec.name};
    }
  }

  // What is damaged has been told: its rows would be missing here.
  void CheckRowCount(std::uint32_t partition, std::uint64_t rows, bool has_damage) {
    if (manifest_.layers.empty() || has_damage) return;
    const auto position = positions_.find(partition);
    if (position == positions_.end() || position->second.rows == rows) return;
    Report(server::ManifestName(result_.name),
           absl::StrCat("says that partition ", partition, " has ", position->second.rows,
                        " rows: its layers have ", rows))
        .partition = partition;
  }

  // What cannot be read holds what lies between its neighbours: tables come in order.
  void NameTables(const std::vector<Chunk>& chunks) {
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      std::size_t first = chunks[i].first_table;
      std::size_t last = chunks[i].last_table;
      if (first == kNone) {
        first = 0;
        for (std::size_t before = i; before-- > 0;) {
          if (chunks[before].last_table == kNone) continue;
          first = chunks[before].last_table;
          break;
        }
        for (std::size_t after = i + 1; after < chunks.size() && last == kNone; ++after) {
          last = chunks[after].first_table;
        }
      }
      for (const std::size_t damage : chunks[i].damages) {
        std::vector<std::string>& tables = result_.damages[damage].tables;
        if (tables.empty()) tables = TableNames(first, last);
      }
    }
  }

  // `last` may be behind the last there is.
  std::vector<std::string> TableNames(std::size_t first, std::size_t last) const {
    std::vector<std::string> names;
    for (std::size_t i = first; i < manifest_.tables.size() && i <= last; ++i) {
      names.push_back(manifest_.tables[i].spec.name);
    }
    return names;
  }

  absl::Status VerifyTrainer(const ManifestTrainerBlob& entry) {
    const std::size_t reported = result_.damages.size();
    LONGTAIL_ASSIGN_OR_RETURN(
        const CheckedObject object,
        reader_.Read(entry.blob, entry.bytes, entry.checksum, result_.damages));
    if (object.is_whole) {
      const auto payload = DecodeTrainerBlob(entry.blob, AsBytes(*object.bytes));
      if (!payload.ok()) Report(entry.blob, TextOf(payload.status()));
    }
    for (std::size_t i = reported; i < result_.damages.size(); ++i) {
      std::string& problem = result_.damages[i].problem;
      problem = absl::StrCat("the trainer's '", entry.name, "': ", problem);
    }
    return absl::OkStatus();
  }

  BlobStore& store_;
  CheckedReader reader_;
  Verification result_;
  Manifest manifest_;
  std::map<std::uint32_t, PartitionPosition> positions_;
  // Of partitions that are not verified yet, by place among the manifest's layers.
  std::map<std::uint32_t, std::map<std::size_t, Layer>> layers_;
};

}  // namespace

absl::StatusOr<Verification> VerifyCheckpoint(BlobStore& store, const std::string& name) {
  return Verifier(store, name).Run();
}

}  // namespace longtail::checkpoint
