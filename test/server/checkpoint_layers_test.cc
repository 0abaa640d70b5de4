// Layers read from the newest to the oldest are what they are when put on top of each other.
#include "server/checkpoint_layers.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/snapshot_name.h"
#include "support/gen.h"

namespace longtail::server {
namespace {

SnapshotBlob BlobOf(const std::string& checkpoint, std::uint32_t partition, std::uint32_t chunk) {
  return {.name = SnapshotName(checkpoint, {.partition = PartitionId{partition}, .chunk = chunk})};
}

Manifest ManifestOf(std::vector<std::string> layers, std::vector<SnapshotBlob> blobs) {
  Manifest manifest;
  manifest.partition_count = 4;
  manifest.layers = std::move(layers);
  manifest.blobs = std::move(blobs);
  return manifest;
}

std::string Problem(const Manifest& manifest) {
  return std::string(LayerChunksOf(manifest).status().message());
}

TEST_CASE("objects come by partition, the newest layer first", "[server][checkpoint_layers]") {
  const Manifest manifest = ManifestOf(
      {"z", "b", "a"}, {BlobOf("a", 0, 0), BlobOf("a", 1, 1), BlobOf("a", 1, 0), BlobOf("a", 2, 0),
                        BlobOf("b", 0, 0), BlobOf("b", 1, 0), BlobOf("z", 0, 0)});

  const auto chunks = LayerChunksOf(manifest);

  REQUIRE(chunks.ok());
  std::vector<std::string> have;
  for (const LayerChunk& at : *chunks) {
    have.push_back(absl::StrCat(at.blob->name, " ", at.layer, at.is_increment ? " increment" : ""));
  }
  CHECK(have == std::vector<std::string>{
                    "a/p00000-0000.snapshot 2 increment", "b/p00000-0000.snapshot 1 increment",
                    "z/p00000-0000.snapshot 0", "a/p00001-0000.snapshot 2 increment",
                    "a/p00001-0001.snapshot 2 increment", "b/p00001-0000.snapshot 1",
                    "a/p00002-0000.snapshot 2"});
}

TEST_CASE("objects that are no layers of a partition are refused", "[server][checkpoint_layers]") {
  CHECK(LayerChunksOf(ManifestOf({}, {BlobOf("any", 3, 0)})).ok());
  CHECK(Problem(ManifestOf({"a", "b"}, {BlobOf("c", 0, 0)})) ==
        "c/p00000-0000.snapshot: is of no checkpoint that the manifest builds on");
  CHECK(Problem(ManifestOf({"a"}, {BlobOf("a", 4, 0)})) ==
        "a/p00004-0000.snapshot: want a name that says one of the 4 partitions");
  CHECK(Problem(ManifestOf({"a"}, {{.name = "a/other"}})) ==
        "a/other: want a name that says one of the 4 partitions");
  // The layer between them is missing, or the newest.
  CHECK(Problem(ManifestOf({"a", "b", "c"}, {BlobOf("a", 1, 0), BlobOf("c", 1, 0)})) ==
        "a/p00001-0000.snapshot: partition 1 has no object in 'b', which came after it");
  CHECK(
      Problem(ManifestOf({"a", "b", "c"}, {BlobOf("a", 0, 0), BlobOf("a", 1, 0), BlobOf("b", 0, 0),
                                           BlobOf("b", 1, 0), BlobOf("c", 0, 0)})) ==
      "b/p00001-0000.snapshot: partition 1 has no object in 'c', which came after it");
}

using Rows = std::map<Key, float>;

// Some chunks of a layer: rows that changed and keys that went.
std::vector<SnapshotChunk> LayerOf(Rng& rng, bool is_full, Rows& rows) {
  std::vector<SnapshotChunk> chunks(1 + rng.Below(3));
  std::set<Key> named;
  for (SnapshotChunk& chunk : chunks) {
    chunk.header.is_increment = !is_full;
    chunk.tables.resize(1);
    chunk.tables[0].rows.value_count = 2;
    for (const Key key : longtail::test::Keys(rng, rng.Below(40), 90)) {
      if (!named.insert(key).second) continue;
      if (!is_full && rng.Below(3) == 0) {
        chunk.tables[0].gone.push_back(key);
        rows.erase(key);
        continue;
      }
      RowBlock& block = chunk.tables[0].rows;
      rows[key] = rng.Uniform(-1, 1);
      block.keys.push_back(key);
      block.counts.push_back(static_cast<std::uint32_t>(key + 1));
      block.last_steps.push_back(static_cast<std::uint32_t>(key + 2));
      block.values.insert(block.values.end(), {rows[key], rows[key] + 1});
    }
  }
  return chunks;
}

TEST_CASE("what newer layers leave of older ones is the newest of each row",
          "[server][checkpoint_layers][property]") {
  NewerKeys newer;  // For all: partitions do not see each other's keys.
  for (std::uint32_t partition = 0; partition < 300; ++partition) {
    CAPTURE(partition);
    Rng rng(partition);
    Rows want;
    std::vector<std::vector<SnapshotChunk>> layers;
    for (std::uint64_t left = 1 + rng.Below(5); left != 0; --left) {
      layers.push_back(LayerOf(rng, layers.empty(), want));
    }
    Rows have;
    bool is_odd = false;
    for (std::size_t layer = layers.size(); layer-- > 0;) {
      for (SnapshotChunk& chunk : layers[layer]) {
        LayerChunk at;
        at.partition = PartitionId{partition};
        at.layer = layer;
        at.is_increment = layer != 0;
        newer.Hide(at, chunk);
        const RowBlock& block = chunk.tables[0].rows;
        REQUIRE(chunk.tables[0].gone.empty());
        REQUIRE(block.values.size() == 2 * block.keys.size());
        for (std::size_t i = 0; i < block.keys.size(); ++i) {
          is_odd |= !have.emplace(block.keys[i], block.values[2 * i]).second;
          const auto low = static_cast<std::uint32_t>(block.keys[i]);
          is_odd |= block.counts[i] != low + 1 || block.last_steps[i] != low + 2;
          is_odd |= block.values[2 * i + 1] != block.values[2 * i] + 1;
        }
      }
    }
    REQUIRE(have == want);
    REQUIRE_FALSE(is_odd);
  }
}

TEST_CASE("a key twice in one layer is not hidden", "[server][checkpoint_layers]") {
  NewerKeys newer;
  for (int i = 0; i < 2; ++i) {
    SnapshotChunk chunk;
    chunk.tables.resize(1);
    chunk.tables[0].rows = {TableId{0}, 1, {7}, {1}, {2}, {3}};
    LayerChunk at;
    at.layer = 4;
    at.is_increment = true;

    newer.Hide(at, chunk);

    CHECK(chunk.tables[0].rows.keys == std::vector<Key>{7});
  }
}

}  // namespace
}  // namespace longtail::server
