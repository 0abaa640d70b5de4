// Checkpoints made by hand: every row is known, chunks are small, and what is wrong is so on
// purpose.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "io/blob_store.h"
#include "protocol/checksum.h"
#include "protocol/cluster_map.h"
#include "protocol/manifest.h"
#include "protocol/snapshot_writer.h"
#include "protocol/trainer_blob.h"
#include "server/checkpoint_layers.h"
#include "server/checkpoint_reader.h"
#include "server/cluster_fixture.h"
#include "server/snapshot_name.h"
#include "support/gen.h"

namespace longtail::test {

struct BuiltRow {
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::vector<float> values{};

  bool operator==(const BuiltRow&) const = default;
};

using BuiltRows = std::map<Key, BuiltRow>;

/// n rows with keys over all 64 bits, the lowest and the highest among them.
inline BuiltRows SomeRows(Rng& rng, std::size_t n, std::uint32_t width) {
  BuiltRows rows;
  for (std::uint64_t i = 0; i < n; ++i) {
    const Key key = i == 0 ? 0 : (i == 1 ? ~Key{0} : RandomBits(91, i, 0));
    rows[key] = {.count = static_cast<std::uint32_t>(1 + rng.Below(1000)),
                 .last_step = static_cast<std::uint32_t>(1 + rng.Below(90)),
                 .values = Floats(rng, width, -2, 2)};
  }
  return rows;
}

struct BuiltTable {
  TableSpec spec{};
  std::uint32_t value_count = 0;
  BuiltRows rows{};         ///< Of an increment: those that changed.
  std::vector<Key> gone{};  ///< Of an increment: keys of rows that went.
  BuiltRows whole{};        ///< Of an increment: all rows there are.
};

struct CheckpointBuilder {
  std::string name = "step-12";
  std::string created_at = "2026-11-29T10:00:00.5Z";
  std::uint64_t step = 12;
  std::uint32_t partitions = 4;
  std::size_t chunk_bytes = 700;  ///< So that a partition has several.
  std::vector<BuiltTable> tables{};
  std::map<std::string, std::string> trainer{};
  std::map<Key, std::uint32_t> misplaced{};  ///< Keys that are put into another partition.
  Manifest base{};                           ///< If it has a step: what this is an increment on.
  std::set<std::uint32_t> full{};            ///< Partitions of which an increment has all rows.

  std::uint32_t Place(Key key) const {
    const auto found = misplaced.find(key);
    return found != misplaced.end() ? found->second
                                    : static_cast<std::uint32_t>(PartitionOf(key, partitions));
  }

  /// All but the manifest.
  Manifest WriteObjects(BlobStore& store) const {
    Manifest manifest;
    manifest.created_at = created_at;
    manifest.library_version = "0.1.0";
    manifest.step = step;
    manifest.partition_count = partitions;
    manifest.lanes = 2;
    if (base.step != 0) {
      manifest.layers = base.layers;
      if (manifest.layers.empty()) {
        manifest.layers.emplace_back(server::CheckpointOfBlob(base.blobs.front().name));
      }
      manifest.layers.push_back(name);
    }
    for (std::uint32_t t = 0; t < tables.size(); ++t) {
      manifest.tables.push_back({.id = TableId{t}, .spec = tables[t].spec});
    }
    for (std::uint32_t p = 0; p < partitions; ++p) WritePartition(store, p, manifest);
    std::size_t number = 0;
    for (const auto& [entry, payload] : trainer) {
      const std::string blob = Must(EncodeTrainerBlob(payload));
      const std::string blob_name = name + "/trainer-" + std::to_string(number++) + ".blob";
      Must(store.Write(blob_name, blob));
      manifest.trainer.push_back({.name = entry,
                                  .blob = blob_name,
                                  .bytes = blob.size(),
                                  .checksum = Checksum(AsBytes(blob))});
    }
    return manifest;
  }

  Manifest Write(BlobStore& store) const {
    Manifest manifest = WriteObjects(store);
    WriteManifest(store, manifest);
    return manifest;
  }

  void WriteManifest(BlobStore& store, const Manifest& manifest) const {
    Must(store.Write(server::ManifestName(name), EncodeManifest(manifest)));
  }

 private:
  static std::uint64_t LogPosition(const Manifest& manifest, std::uint32_t partition) {
    return 100 + 100 * manifest.layers.size() + partition;
  }

  void WritePartition(BlobStore& store, std::uint32_t p, Manifest& manifest) const {
    const bool is_increment = base.step != 0 && !full.contains(p);
    const SnapshotHeader header{.partition = PartitionId{p},
                                .partition_count = partitions,
                                .log_position = LogPosition(manifest, p),
                                .step = step,
                                .is_increment = is_increment};
    for (const SnapshotBlob& blob : base.blobs) {
      if (is_increment && server::PlaceOfSnapshot(blob.name)->partition == PartitionId{p}) {
        manifest.blobs.push_back(blob);
      }
    }
    SnapshotWriter writer(
        header,
        [&](const SnapshotChunk& chunk) {
          const std::string blob = server::SnapshotName(
              name, {.partition = PartitionId{p}, .chunk = chunk.header.chunk});
          const std::string bytes = EncodeSnapshotChunk(chunk);
          Must(store.Write(blob, bytes));
          manifest.blobs.push_back({blob, bytes.size(), Checksum(AsBytes(bytes)), RowsOf(chunk)});
        },
        chunk_bytes);
    std::uint64_t rows = 0;
    writer.AddSession({.session = SessionId{5}, .rank = 0, .next_sequence = 3, .first_step = 1});
    for (std::uint32_t t = 0; t < tables.size(); ++t) {
      writer.BeginTable(TableId{t}, tables[t].spec, tables[t].value_count);
      const BuiltRows& all = base.step == 0 ? tables[t].rows : tables[t].whole;
      rows += static_cast<std::uint64_t>(
          std::ranges::count_if(all, [&](const auto& row) { return Place(row.first) == p; }));
      // Falling keys: whoever wants them in order must sort them.
      const BuiltRows& own = is_increment ? tables[t].rows : all;
      for (auto row = own.rbegin(); row != own.rend(); ++row) {
        if (Place(row->first) != p) continue;
        writer.AddRow(row->first, row->second.count, row->second.last_step, row->second.values);
      }
      for (const Key key : tables[t].gone) {
        if (is_increment && Place(key) == p) writer.AddGone(key);
      }
    }
    writer.Finish();
    manifest.partitions.push_back(
        {PartitionId{p}, LogPosition(manifest, p), step, rows, is_increment});
  }
};

/// The next increment on what `before` wrote, its manifest: of each table some rows changed, some
/// went and some are new.
inline CheckpointBuilder NextIncrement(const CheckpointBuilder& before, const Manifest& base,
                                       const std::string& name, Rng& rng) {
  CheckpointBuilder next = before;
  next.name = name;
  next.step = before.step + 1;
  next.base = base;
  for (BuiltTable& table : next.tables) {
    if (before.base.step == 0) table.whole = table.rows;
    table.rows.clear();
    table.gone.clear();
    for (auto row = table.whole.begin(); row != table.whole.end();) {
      const std::uint64_t what = rng.Below(8);
      if (what == 0) {
        table.gone.push_back(row->first);
        row = table.whole.erase(row);
        continue;
      }
      if (what <= 2) {
        row->second.count += 1;
        row->second.values.back() += 3;
        table.rows.insert(*row);
      }
      ++row;
    }
    for (int i = 0; i < 5; ++i) {
      const Key key = rng.Next();
      table.whole[key] = table.rows[key] = {.count = 1,
                                            .last_step = static_cast<std::uint32_t>(next.step),
                                            .values = Floats(rng, table.value_count, -2, 2)};
    }
  }
  return next;
}

/// A full checkpoint of the rows of an increment.
inline CheckpointBuilder InFull(const CheckpointBuilder& increment, const std::string& name) {
  CheckpointBuilder built = increment;
  built.name = name;
  built.base = {};
  built.full.clear();
  for (BuiltTable& table : built.tables) table.rows = table.whole;
  return built;
}

/// Tables "item" (dim 3, Adagrad's sums beside it), "user" (dim 2) and "rare" (dim 1), and two
/// entries of the trainer's.
inline CheckpointBuilder ThreeTables() {
  Rng rng(17);
  CheckpointBuilder built;
  built.tables.push_back({.spec = SpecOf("item", 3, AdagradSpec{.learning_rate = 0.25F}),
                          .value_count = 6,
                          .rows = SomeRows(rng, 150, 6)});
  built.tables.push_back(
      {.spec = ExactSpec("user", 2), .value_count = 2, .rows = SomeRows(rng, 90, 2)});
  built.tables.push_back(
      {.spec = ExactSpec("rare", 1), .value_count = 1, .rows = SomeRows(rng, 6, 1)});
  built.trainer = {{"dense", std::string(300, 'd')}, {"position", "2 0 777"}};
  return built;
}

}  // namespace longtail::test
