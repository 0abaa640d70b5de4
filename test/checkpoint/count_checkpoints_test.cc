// Checkpoints with rows of counts: verified, compacted, compared, exported.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/count_row.h"
#include "checkpoint/checkpoint_builder.h"
#include "checkpoint/checkpoint_rows.h"
#include "checkpoint/compaction.h"
#include "checkpoint/csv_file.h"
#include "checkpoint/difference.h"
#include "checkpoint/table_export.h"
#include "checkpoint/verification.h"
#include "protocol/snapshot_writer.h"
#include "server/checkpoint_reader.h"
#include "server/scratch_directory.h"
#include "server/snapshot_name.h"
#include "sim/memory_store.h"

namespace longtail::checkpoint {
namespace {

using test::Must;

constexpr std::uint32_t kPartitions = 2;
const TableSpec kSpec{.name = "topics", .dim = 300, .kind = TableKind::kCounts};

using Rows = std::map<Key, std::vector<CountEntry>>;

std::string Packed(const std::vector<CountEntry>& entries) {
  std::string packed;
  AppendCountRow(entries, kSpec.dim, packed);
  return packed;
}

// A checkpoint of `all`: in full, or of what changed since `base`.
Manifest Write(BlobStore& store, const std::string& name, const Rows& all, const Rows& rows,
               const Manifest* base = nullptr) {
  Manifest manifest;
  if (base != nullptr) {
    manifest = *base;
  } else {
    manifest.created_at = "2024-05-06T07:08:09Z";
    manifest.library_version = "0.1.0";
    manifest.partition_count = kPartitions;
    manifest.lanes = 1;
    manifest.worker_count = 1;
    manifest.tables = {{TableId{0}, kSpec}};
  }
  const bool is_increment = base != nullptr;
  std::vector<PartitionPosition> positions;
  for (std::uint32_t p = 0; p < kPartitions; ++p) {
    SnapshotWriter writer(
        {.partition = PartitionId{p},
         .partition_count = kPartitions,
         .log_position = is_increment ? 20U : 10U,
         .is_increment = is_increment},
        [&](const SnapshotChunk& chunk) {
          const std::string bytes = EncodeSnapshotChunk(chunk);
          manifest.blobs.push_back(
              {.name = server::SnapshotName(
                   name, {.partition = PartitionId{p}, .chunk = chunk.header.chunk}),
               .bytes = bytes.size(),
               .checksum = Checksum(AsBytes(bytes)),
               .rows = RowsOf(chunk)});
          Must(store.Write(manifest.blobs.back().name, bytes));
        },
        600);  // Several chunks.
    writer.BeginTable(TableId{0}, kSpec, 0);
    for (const auto& [key, entries] : rows) {
      if (PartitionOf(key, kPartitions) != PartitionId{p}) continue;
      writer.AddCounts(key, AsBytes(Packed(entries)));
    }
    writer.Finish();
    const auto count = static_cast<std::uint64_t>(std::ranges::count_if(all, [&](const auto& row) {
      return PartitionOf(row.first, kPartitions) == PartitionId{p};
    }));
    positions.push_back({.partition = PartitionId{p},
                         .log_position = is_increment ? 20U : 10U,
                         .step = 0,
                         .rows = count,
                         .is_increment = is_increment});
  }
  manifest.partitions = positions;
  if (is_increment) manifest.layers = {"a", name};
  Must(store.Write(server::ManifestName(name), EncodeManifest(manifest)));
  return manifest;
}

Rows SomeRows() {
  Rows rows;
  Rng rng(4);
  for (Key key = 0; key < 80; ++key) {
    std::map<std::uint32_t, std::int64_t> row;
    for (std::uint64_t n = rng.Below(key < 3 ? 300 : 6); n > 0; --n) {
      row[static_cast<std::uint32_t>(rng.Below(300))] = static_cast<std::int64_t>(rng.Below(9)) + 1;
    }
    std::vector<CountEntry>& entries = rows[key];
    for (const auto& [column, count] : row) entries.push_back({.column = column, .count = count});
  }
  return rows;
}

Rows RowsOfCheckpoint(BlobStore& store, const Manifest& manifest) {
  Rows rows;
  Must(server::ReadRows(store, manifest, [&](const RowBlock& block) {
    for (std::size_t i = 0; i < block.keys.size(); ++i) {
      std::vector<CountEntry>& entries = rows[block.keys[i]];
      VisitCountRow(PackedRowOf(block, i), kSpec.dim,
                    [&](std::uint32_t column, std::int64_t count) {
                      entries.push_back({.column = column, .count = count});
                    });
    }
    return absl::OkStatus();
  }));
  return rows;
}

struct Fixture {
  Fixture() : full(Write(store, "a", before, before)) {
    after[3] = {{.column = 7, .count = -2}};
    after[500] = {{.column = 1, .count = 1}};
    increment = Write(store, "b", after, {{3, after[3]}, {500, after[500]}}, &full);
  }

  sim::MemoryStore store;
  const Rows before = SomeRows();
  Rows after = before;
  Manifest full;
  Manifest increment;
};

TEST_CASE_METHOD(Fixture, "rows of counts are read through increments and verified",
                 "[checkpoint][counts]") {
  CHECK(RowsOfCheckpoint(store, full) == before);
  CHECK(RowsOfCheckpoint(store, increment) == after);
  for (const char* name : {"a", "b"}) {
    const Verification verified = Must(VerifyCheckpoint(store, name));
    CAPTURE(name);
    for (const Damage& damage : verified.damages) UNSCOPED_INFO(damage.problem);
    CHECK(verified.damages.empty());
  }
}

TEST_CASE_METHOD(Fixture, "a compacted checkpoint has the counts of its increments",
                 "[checkpoint][counts]") {
  const Manifest compacted = Must(Compact(store, "b", "c"));
  CHECK(compacted.layers.empty());
  CHECK(RowsOfCheckpoint(store, compacted) == after);
  CHECK(Must(Compare(store, increment, compacted, 5)).is_equal());
}

TEST_CASE_METHOD(Fixture, "checkpoints are compared by their counts", "[checkpoint][counts]") {
  const CheckpointDifference difference = Must(Compare(store, full, increment, 5));
  REQUIRE(difference.tables.size() == 1);
  const TableDifference& table = difference.tables[0];
  CHECK(table.added_keys == std::vector<Key>{500});
  CHECK(table.changed == 1);
  CHECK(table.equal == before.size() - 1);
  double most = 2;
  for (const CountEntry& entry : before.at(3)) {
    const std::int64_t other = entry.column == 7 ? -2 : 0;
    most = std::max(most, static_cast<double>(entry.count - other));
  }
  CHECK(table.weights_max == most);
}

TEST_CASE_METHOD(Fixture, "counts are exported as lines of CSV", "[checkpoint][counts]") {
  const test::ScratchDirectory directory;
  const std::string path = directory.path() + "/out.csv";
  const auto file = Must(CsvFile::Create(path));
  CHECK(Must(ExportTable(store, increment, 0, true, *file)) == after.size());

  std::string want = "key,column,count\n";
  for (std::uint32_t p = 0; p < kPartitions; ++p) {
    for (const auto& [key, entries] : after) {
      if (PartitionOf(key, kPartitions) != PartitionId{p}) continue;
      for (const CountEntry& entry : entries) {
        want += std::to_string(key) + "," + std::to_string(entry.column) + "," +
                std::to_string(entry.count) + "\n";
      }
    }
  }
  CHECK(test::ReadWhole(path) == want);
}

}  // namespace
}  // namespace longtail::checkpoint
