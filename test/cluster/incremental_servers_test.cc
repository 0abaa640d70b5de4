// Who does not know what changed since a checkpoint writes all: servers that are killed meanwhile
// make increments larger, and never wrong.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "io/file_store.h"
#include "server/checkpoint_reader.h"

namespace longtail {
namespace {

using test::KeysBelow;
using test::Must;
using test::ProgramCluster;

constexpr std::uint32_t kDim = 2;

TEST_CASE("an increment after a server was killed has that server's partitions in full",
          "[cluster][process][increment]") {
  const bool has_replicas = GENERATE(false, true);
  CAPTURE(has_replicas);
  const test::ScratchDirectory scratch;
  ProgramCluster programs({.servers = has_replicas ? 3U : 2U,
                           .keeps_log = !has_replicas,
                           .replicas = has_replicas ? 2U : 1U,
                           .store = scratch.path()});
  RemoteOptions remote = programs.remote();
  remote.store = scratch.path();
  const auto cluster = Must(Cluster::Remote(remote));
  const TableId table = Must(cluster->CreateTable(test::SpecOf("t", kDim, AdagradSpec{})));
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(500)}));
  Rng rng(6);
  const auto push = [&](std::uint64_t keys_below) {
    const std::vector<Key> keys = KeysBelow(keys_below);
    Must(worker->Push(table, keys, test::Floats(rng, keys.size() * kDim, -1, 1)));
  };
  push(2000);
  const CheckpointOptions options{.increments_max = 9};
  Must(cluster->Checkpoint("full", {}, options));
  const auto store = Must(FileStore::Open(scratch.path()));
  // Partitions that the increment of that name has in full, after it was restored.
  const auto in_full = [&](const std::string& name) {
    const CheckpointInfo info = Must(cluster->Checkpoint(name, {}, options));
    CHECK(info.increments > 0);
    const auto restored = Must(Cluster::Restore({.lanes = 2, .partitions = 4}, info.name));
    CHECK(Must(restored->Statistics(TableId{0})).hash == Must(cluster->Statistics(table)).hash);
    const Manifest manifest = Must(server::ReadManifest(*store, name));
    return std::ranges::count(manifest.partitions, false, &PartitionPosition::is_increment);
  };
  push(200);
  CHECK(in_full("before") == 0);

  programs.servers[0]->Kill();
  if (!has_replicas) programs.StartServer(0);
  push(300);

  const auto after = in_full("after");
  CHECK(after > 0);
  CHECK(after < 64);
  push(100);
  CHECK(in_full("later") == 0);
}

}  // namespace
}  // namespace longtail
