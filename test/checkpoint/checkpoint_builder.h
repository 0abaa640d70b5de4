// Checkpoints made by hand: every row is known, chunks are small, and what is wrong is so on
// purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "io/blob_store.h"
#include "protocol/checksum.h"
#include "protocol/cluster_map.h"
#include "protocol/manifest.h"
#include "protocol/snapshot_writer.h"
#include "protocol/trainer_blob.h"
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
  BuiltRows rows{};
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
  void WritePartition(BlobStore& store, std::uint32_t p, Manifest& manifest) const {
    const SnapshotHeader header{.partition = PartitionId{p},
                                .partition_count = partitions,
                                .log_position = 100 + p,
                                .step = step};
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
    writer.AddSession({.session = SessionId{5}, .rank = 0, .next_sequence = 3, .first_step = 1});
    for (std::uint32_t t = 0; t < tables.size(); ++t) {
      writer.BeginTable(TableId{t}, tables[t].spec, tables[t].value_count);
      // Falling keys: whoever wants them in order must sort them.
      for (auto row = tables[t].rows.rbegin(); row != tables[t].rows.rend(); ++row) {
        if (Place(row->first) != p) continue;
        writer.AddRow(row->first, row->second.count, row->second.last_step, row->second.values);
      }
    }
    writer.Finish();
    manifest.partitions.push_back({PartitionId{p}, 100 + p, step});
  }
};

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
