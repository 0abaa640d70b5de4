// Checkpoints of servers that go on at full speed meanwhile.
#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "cluster/process_fixture.h"
#include "io/file_store.h"
#include "server/checkpoint_reader.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::Must;

constexpr std::uint32_t kDim = 4;
constexpr float kRate = 0.25F;
constexpr std::size_t kGroups = 400;
constexpr std::size_t kGroupKeys = 60;

// What Adagrad makes of a row after `count` gradients of 1: state and weight are functions of it.
struct Want {
  float weight = 3;
  float sum = 0;
};
std::vector<Want> WantedRows(std::uint32_t counts) {
  std::vector<Want> wanted(1);
  for (std::uint32_t i = 1; i <= counts; ++i) {
    Want next = wanted.back();
    next.sum += 1;
    next.weight -= kRate / std::sqrt(next.sum);
    wanted.push_back(next);
  }
  return wanted;
}

std::vector<Key> KeysOfGroup(std::size_t group) {
  std::vector<Key> keys;
  for (std::size_t i = 0; i < kGroupKeys; ++i) keys.push_back(group * kGroupKeys + i);
  return keys;
}

// Pushes one group after another, each as one request.
void PushAll(Worker& worker, TableId table, const std::atomic<bool>& stop,
             std::atomic<std::uint64_t>& pushes, absl::Status& outcome) {
  const std::vector<float> gradients(kGroupKeys * kDim, 1);
  for (std::size_t group = 0; !stop && outcome.ok(); group = (group + 1) % kGroups) {
    outcome = worker.Push(table, KeysOfGroup(group), gradients);
    ++pushes;
  }
}

// Whether each row of a checkpoint is one that its count makes, and all rows of one push have the
// same count: then all partitions were cut between the same two pushes.
void CheckRows(BlobStore& store, const std::string& name) {
  std::map<Key, std::uint32_t> counts;
  bool are_rows_right = true;
  const std::vector<Want> wanted = WantedRows(100'000);
  Must(server::ReadRows(store, Must(server::ReadManifest(store, name)), [&](const RowBlock& rows) {
    for (std::size_t i = 0; i < rows.keys.size(); ++i) {
      counts[rows.keys[i]] = rows.counts[i];
      const float* const row = &rows.values[i * rows.value_count];
      const Want& want = wanted[std::min<std::size_t>(rows.counts[i], wanted.size() - 1)];
      for (std::uint32_t c = 0; c < kDim; ++c) {
        are_rows_right &= std::abs(row[c] - want.weight) <= 1e-4F * std::abs(want.weight) + 1e-4F &&
                          row[kDim + c] == want.sum;
      }
    }
    return absl::OkStatus();
  }));
  CHECK(are_rows_right);
  CHECK(counts.size() == kGroups * kGroupKeys);
  std::size_t torn = 0;
  for (std::size_t group = 0; group < kGroups; ++group) {
    for (const Key key : KeysOfGroup(group)) {
      torn += counts[key] != counts[group * kGroupKeys] ? 1 : 0;
    }
  }
  CHECK(torn == 0);
}

TEST_CASE("checkpoints taken at full speed hold whole pushes and rows", "[cluster][checkpoint]") {
  const std::uint32_t increments = GENERATE(0U, 5U);  // In a row, on a full one.
  CAPTURE(increments);
  const test::ScratchDirectory scratch;
  auto processes = test::StartProcesses({.cluster = {.servers = 1}}, 1, scratch.path());
  RemoteOptions options = processes.remote();
  options.store = scratch.path();
  const auto cluster = Must(Cluster::Remote(options));
  TableSpec spec = test::SpecOf(
      "t", kDim, AdagradSpec{.learning_rate = kRate, .initial_accumulator = 0, .epsilon = 1e-12F});
  spec.initializer = ConstantSpec{.value = 3};
  const TableId table = Must(cluster->CreateTable(spec));
  const auto worker = Must(cluster->Connect());
  for (std::size_t group = 0; group < kGroups; ++group) {
    Must(worker->Push(table, KeysOfGroup(group), std::vector<float>(kGroupKeys * kDim, 1)));
  }
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> pushes = 0;
  absl::Status outcome;
  if (increments != 0) Must(cluster->Checkpoint("full", {}, {.increments_max = increments}));
  std::thread pushing([&] { PushAll(*worker, table, stop, pushes, outcome); });

  std::uint64_t meanwhile = 0;
  for (std::uint32_t i = 0; i < 4; ++i) {
    absl::SleepFor(absl::Milliseconds(30));
    const std::uint64_t before = pushes;
    const std::string name = "at-" + std::to_string(i);
    const CheckpointInfo info = Must(cluster->Checkpoint(name, {}, {.increments_max = increments}));
    CHECK(info.increments == (increments == 0 ? 0 : i + 1));
    meanwhile += pushes - before;
  }
  stop = true;
  pushing.join();

  Must(outcome);
  CHECK(meanwhile > 4);
  const auto store = Must(FileStore::Open(scratch.path()));
  for (int i = 0; i < 4; ++i) CheckRows(*store, "at-" + std::to_string(i));
}

}  // namespace
}  // namespace longtail
