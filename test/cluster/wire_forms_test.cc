// Servers behind sockets, with values in narrow formats and lists of keys by name.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "cluster/process_fixture.h"
#include "server/training.h"

namespace longtail {
namespace {

using test::Must;
using test::StartProcesses;

constexpr std::uint32_t kDim = 8;
constexpr int kEpochs = 2;

// Trains on the same four batches in each epoch, with whole numbers that every format has.
WorkerStatistics TrainExactly(Cluster& cluster, TableId table, const WorkerOptions& options) {
  const auto worker = Must(cluster.Connect(options));
  Rng rng(9);
  std::vector<std::vector<Key>> batches(4);
  for (auto& keys : batches) keys = test::Keys(rng, 2000, 100'000);
  KeyBatch batch;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    for (const auto& keys : batches) {
      Must(worker->Prepare(table, keys, batch));
      std::vector<float> rows(batch.unique_size() * kDim);
      std::vector<std::uint32_t> counts(batch.unique_size());
      const PullItem pull{.keys = &batch, .rows = rows, .counts = counts};
      Must(worker->Pull({&pull, 1}));
      const std::vector<float> gradients(rows.size(), 2);
      const PushItem push{.keys = &batch, .counts_occurrences = epoch == 0, .gradients = gradients};
      Must(worker->Push({&push, 1}));
      for (const float value : rows) REQUIRE((value <= 3 && value >= 3 - 2 * 8));
    }
  }
  return worker->statistics();
}

TEST_CASE("narrow values and named lists train to the same rows in fewer bytes",
          "[cluster][wire]") {
  std::uint64_t want_hash = 0;
  std::uint64_t plain_bytes = 0;
  for (const WireValues format :
       {WireValues::kFloat32, WireValues::kBfloat16, WireValues::kFloat16, WireValues::kInt8}) {
    CAPTURE(format);
    const bool is_plain = format == WireValues::kFloat32;
    auto processes = StartProcesses({.cluster = {.servers = 2}}, 2);
    const auto cluster = Must(Cluster::Remote(processes.remote()));
    const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", kDim)));

    const WorkerStatistics statistics = TrainExactly(
        *cluster, table,
        {.wire_gradients = format, .wire_rows = format, .wire_names_key_lists = !is_plain});

    const std::uint64_t hash = Must(cluster->Statistics(table)).hash;
    const std::uint64_t bytes = statistics.bytes_sent + statistics.bytes_received;
    if (is_plain) {
      want_hash = hash;
      plain_bytes = bytes;
      CHECK(statistics.key_lists_named == 0);
      continue;
    }
    CHECK(hash == want_hash);
    CHECK(statistics.key_lists_named > 0);
    CHECK(statistics.key_lists_wanted == 0);
    CHECK(statistics.feedback_dropped == 0);
    CHECK(static_cast<double>(bytes) <
          static_cast<double>(plain_bytes) * (format == WireValues::kInt8 ? 0.32 : 0.5));
  }
}

TEST_CASE("within a process nothing is rounded, whatever a worker asks for", "[cluster][wire]") {
  const auto cluster = Must(Cluster::Embedded({}));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 2)));
  const auto worker = Must(cluster->Connect({.wire_gradients = WireValues::kInt8,
                                             .wire_rows = WireValues::kInt8,
                                             .wire_names_key_lists = true}));

  Must(worker->Push(table, std::vector<Key>{1}, std::vector<float>{100, 0x1p-20F}));

  CHECK(test::Rows(*worker, table, {1}, 2) == std::vector<float>{-97, 3 - 0x1p-20F});
  CHECK(worker->statistics() == WorkerStatistics{});
}

TEST_CASE("pushes that are rounded off add up to what was pushed", "[cluster][wire]") {
  auto processes = StartProcesses({.cluster = {.servers = 2}});
  const auto cluster = Must(Cluster::Remote(processes.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 2)));
  const auto worker = Must(cluster->Connect({.wire_gradients = WireValues::kInt8}));
  const std::vector<Key> keys = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<float> gradients;
  for (const Key key : keys) {
    gradients.push_back(0.5F);
    gradients.push_back(static_cast<float>(key) * 0x1p-12F);  // Less than half a step of the row.
  }
  constexpr int kPushes = 256;

  for (int i = 0; i < kPushes; ++i) Must(worker->Push(table, keys, gradients));

  const std::vector<float> rows = test::Rows(*worker, table, keys, 2);
  constexpr float kStep = 0x1p-7F;  // 0.5 is 64 of them.
  for (std::size_t i = 0; i < keys.size(); ++i) {
    CHECK(rows[2 * i] == 3 - 0.5F * kPushes);
    const float want = 3 - gradients[2 * i + 1] * kPushes;
    CHECK(std::abs(rows[2 * i + 1] - want) <= kStep / 2);
  }
}

}  // namespace
}  // namespace longtail
