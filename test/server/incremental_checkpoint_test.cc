// An incremental checkpoint is what a full one of the same moment is, however its rows came about.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "io/open_store.h"
#include "protocol/manifest.h"
#include "server/checkpoint_reader.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;

constexpr std::uint32_t kDim = 3;
constexpr Key kKeys = 700;

// A row's place and all that it is.
using Rows =
    std::map<std::pair<TableId, Key>, std::tuple<std::uint32_t, std::uint32_t, std::vector<float>>>;

Rows RowsOf(const CheckpointName& name) {
  const auto store = Must(OpenExistingStore(name.store));
  const Manifest manifest = Must(server::ReadManifest(*store, name.name));
  Rows rows;
  bool has_twice = false;
  Must(server::ReadRows(*store, manifest, [&](const RowBlock& block) {
    for (std::size_t i = 0; i < block.keys.size(); ++i) {
      const auto values = block.values.begin() + static_cast<std::ptrdiff_t>(i * block.value_count);
      has_twice |=
          !rows.try_emplace({block.table, block.keys[i]}, block.counts[i], block.last_steps[i],
                            std::vector<float>(values, values + block.value_count))
               .second;
    }
    return absl::OkStatus();
  }));
  CHECK_FALSE(has_twice);
  return rows;
}

std::vector<std::uint64_t> Hashes(Cluster& cluster) {
  std::vector<std::uint64_t> hashes;
  for (const TableReport& table : Must(cluster.AllStatistics())) {
    hashes.push_back(table.statistics.hash);
    hashes.push_back(table.statistics.rows);
  }
  return hashes;
}

TableSpec BudgetSpec(const char* name) {
  TableSpec spec = test::SpecOf(name, 256, AdagradSpec{});  // Room for 31 rows of a partition.
  spec.eviction = {.budget_bytes = 65'536, .budget_policy = BudgetPolicy::kEvictLowest};
  return spec;
}

// A cluster whose tables do all that can be done to rows, trained at random.
class Training {
 public:
  Training(const std::string& store, StepMode mode, std::uint64_t seed)
      : cluster_(Must(
            Cluster::Embedded({.lanes = 2, .partitions = 8, .step_mode = mode, .store = store}))),
        rng_(seed) {
    Create(test::SpecOf("plain", kDim, AdamSpec{}));
    Create(test::TailSpecOf("tail", kDim));
    Create(test::SharedSpecOf("shared", kDim));
    Create(BudgetSpec("budget"));
    worker_ = Must(cluster_->Connect());
  }

  void Create(const TableSpec& spec) {
    tables_.emplace_back(Must(cluster_->CreateTable(spec)), spec.dim);
  }

  void Steps(int steps, std::size_t keys_max = 60) {
    for (; steps > 0; --steps) {
      for (const auto& [table, dim] : tables_) {
        const std::size_t n = rng_.Below(keys_max);
        Must(worker_->Push(table, test::Keys(rng_, n, kKeys), test::Floats(rng_, n * dim, -1, 1)));
      }
      Must(worker_->EndStep());
    }
  }

  Cluster& cluster() { return *cluster_; }
  Rng& rng() { return rng_; }

 private:
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Worker> worker_;
  std::vector<std::pair<TableId, std::uint32_t>> tables_;  // With their dims.
  Rng rng_;
};

TEST_CASE("an increment has the rows of a full checkpoint of its moment, to the bit",
          "[server][increment]") {
  const StepMode mode = GENERATE(StepMode::kSynchronous, StepMode::kAsynchronous);
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 4));
  CAPTURE(mode, seed);
  const test::ScratchDirectory store;
  Training training(store.path(), mode, seed);
  training.Steps(12);
  std::uint64_t increments = 0;
  for (int i = 0; i < 9; ++i) {
    CAPTURE(i);
    if (i == 4) training.Create(test::SpecOf("later", kDim, FtrlSpec{}));
    training.Steps(static_cast<int>(training.rng().Below(3)), 40);
    if (training.rng().Below(3) == 0) {  // One fails: at some lane's object, or at the manifest.
      const std::string name = "failed-" + std::to_string(i);
      const bool at_end = training.rng().Below(2) == 0;
      std::filesystem::create_directories(store / name /
                                          (at_end ? "MANIFEST.json" : "p00003-0000.snapshot"));
      REQUIRE_FALSE(training.cluster().Checkpoint(name, {}, {.increments_max = 5}).ok());
      training.Steps(1, 20);
    }
    const CheckpointInfo info = Must(training.cluster().Checkpoint(
        "at-" + std::to_string(i), {{"entry", "text"}}, {.increments_max = 5}));
    const CheckpointInfo full = Must(training.cluster().Checkpoint("full-" + std::to_string(i)));

    const Rows rows = RowsOf(info.name);
    CHECK(rows == RowsOf(full.name));
    CHECK(info.rows == rows.size());
    CHECK(info.step == full.step);
    CHECK(info.tables == full.tables);
    CHECK(full.increments == 0);
    CHECK(full.own_bytes == full.bytes);
    CHECK((info.increments == 0) == (info.base.empty()));
    CHECK((info.increments == 0) == (info.own_bytes == info.bytes));
    increments += info.increments != 0 ? 1 : 0;
    CHECK(Must(ReadTrainerState(info.name)).at("entry") == "text");
    const std::uint32_t partitions = std::uint32_t{1} << training.rng().Below(6);
    const auto restored = Must(Cluster::Restore(
        {.lanes = std::min(3U, partitions), .partitions = partitions, .step_mode = mode},
        info.name));
    CHECK(Hashes(*restored) == Hashes(training.cluster()));
    CHECK(restored->restored_step() == info.step);
  }
  CHECK(increments >= 6);
}

TEST_CASE("after so many increments a checkpoint is full", "[server][increment]") {
  const test::ScratchDirectory store;
  Training training(store.path(), StepMode::kAsynchronous, 7);
  training.Steps(9);
  std::vector<std::uint32_t> increments;
  std::vector<std::string> bases;
  for (int i = 0; i < 7; ++i) {
    const CheckpointInfo info =
        Must(training.cluster().Checkpoint("c" + std::to_string(i), {}, {.increments_max = 2}));
    increments.push_back(info.increments);
    bases.push_back(info.base);
    training.Steps(1, 5);
    Must(training.cluster().Checkpoint("full-" + std::to_string(i)));  // Has no part in it.
    training.Steps(1, 5);
  }
  CHECK(increments == std::vector<std::uint32_t>{0, 1, 2, 0, 1, 2, 0});
  CHECK(bases == std::vector<std::string>{"", "c0", "c1", "", "c3", "c4", ""});
  // Fewer, from now on.
  training.Steps(1, 5);
  CHECK(Must(training.cluster().Checkpoint("d", {}, {.increments_max = 1})).increments == 1);
  CHECK(Must(training.cluster().Checkpoint("e", {}, {.increments_max = 1})).increments == 0);
}

TEST_CASE("an increment has what changed, and no more", "[server][increment]") {
  const test::ScratchDirectory store;
  const auto cluster =
      Must(Cluster::Embedded({.lanes = 2, .partitions = 4, .store = store.path()}));
  const TableId table = Must(cluster->CreateTable(test::SpecOf("t", kDim, AdagradSpec{})));
  const auto worker = Must(cluster->Connect());
  std::vector<Key> keys(4000);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = i;
  Must(worker->Push(table, keys, std::vector<float>(keys.size() * kDim, 1)));
  Must(cluster->Checkpoint("a", {}, {.increments_max = 3}));
  keys.resize(40);
  Must(worker->Push(table, keys, std::vector<float>(keys.size() * kDim, 1)));

  const CheckpointInfo info = Must(cluster->Checkpoint("b", {}, {.increments_max = 3}));

  const auto opened = Must(OpenExistingStore(store.path()));
  std::uint64_t own_rows = 0;
  for (const SnapshotBlob& blob : Must(server::ReadManifest(*opened, "b")).blobs) {
    if (blob.name.starts_with("b/")) own_rows += blob.rows;
  }
  CHECK(own_rows == 40);
  CHECK(info.rows == 4000);
  CHECK(info.own_bytes < info.bytes / 10);
}

TEST_CASE("a base that is gone, or another of its name, is not built on", "[server][increment]") {
  const test::ScratchDirectory store;
  Training training(store.path(), StepMode::kAsynchronous, 3);
  Training other(store.path(), StepMode::kAsynchronous, 4);
  training.Steps(5);
  Must(training.cluster().Checkpoint("a", {}, {.increments_max = 9}));
  std::filesystem::remove_all(store / "a");
  const bool is_replaced = GENERATE(false, true);
  if (is_replaced) Must(other.cluster().Checkpoint("a", {}, {.increments_max = 9}));

  const CheckpointInfo info = Must(training.cluster().Checkpoint("b", {}, {.increments_max = 9}));

  CHECK(info.increments == 0);
  CHECK(RowsOf(info.name) == RowsOf(Must(training.cluster().Checkpoint("full")).name));
  // One that is being removed is not built on, either.
  const auto opened = Must(OpenExistingStore(store.path()));
  Must(opened->Write("b/REMOVED", "being removed\n"));
  CHECK(Must(training.cluster().Checkpoint("c", {}, {.increments_max = 9})).increments == 0);
  CHECK(Must(training.cluster().Checkpoint("d", {}, {.increments_max = 9})).increments == 1);
}

TEST_CASE("a name whose objects others need is not used again", "[server][increment]") {
  const test::ScratchDirectory store;
  Training training(store.path(), StepMode::kAsynchronous, 3);
  training.Steps(5);
  Must(training.cluster().Checkpoint("a", {}, {.increments_max = 9}));
  training.Steps(1, 9);
  const CheckpointInfo b = Must(training.cluster().Checkpoint("b", {}, {.increments_max = 9}));
  REQUIRE(b.increments == 1);
  const Rows rows = RowsOf(b.name);
  std::filesystem::remove(store / "a" / "MANIFEST.json");  // As gc does first.

  const absl::Status status = training.cluster().Checkpoint("a").status();

  CHECK(absl::IsAlreadyExists(status));
  CHECK(Says(status, "checkpoint 'a' was removed from"));
  CHECK(Says(status, "but for objects that 'b' needs: want a new name"));
  CHECK(RowsOf(b.name) == rows);
  std::filesystem::remove_all(store / "b");
  CHECK(training.cluster().Checkpoint("a").ok());
}

TEST_CASE("rounded increments are as near as they say, and exact rows stay exact",
          "[server][increment]") {
  const WireValues format = GENERATE(WireValues::kBfloat16, WireValues::kInt8);
  const test::ScratchDirectory store;
  Training training(store.path(), StepMode::kSynchronous, 5);
  training.Steps(20);
  const CheckpointOptions options{.increments_max = 3, .values = format};
  const Rows first = RowsOf(Must(training.cluster().Checkpoint("a", {}, options)).name);
  CHECK(first == RowsOf(Must(training.cluster().Checkpoint("full-a")).name));
  training.Steps(2, 30);

  const Rows have = RowsOf(Must(training.cluster().Checkpoint("b", {}, options)).name);

  const Rows want = RowsOf(Must(training.cluster().Checkpoint("full-b")).name);
  REQUIRE(have.size() == want.size());
  std::uint64_t rounded = 0;
  for (const auto& [place, row] : want) {
    const auto& [count, step, values] = row;
    REQUIRE(have.contains(place));
    const auto& [have_count, have_step, have_values] = have.at(place);
    CHECK(have_count == count);
    CHECK(have_step == step);
    if (have_values == values) continue;
    ++rounded;
    const auto old = first.find(place);
    CHECK((old == first.end() || old->second != row));  // It changed.
    float largest = 0;
    const std::size_t dim = place.first == TableId{3} ? 256 : kDim;
    for (std::size_t i = 0; i < dim; ++i) largest = std::max(largest, std::abs(values[i]));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float error = std::abs(have_values[i] - values[i]);
      CHECK(error <=
            (i < dim && format == WireValues::kInt8 ? largest / 127 : std::abs(values[i]) / 256));
    }
  }
  CHECK(rounded > 20);
}

TEST_CASE("options of increments that mean nothing are refused", "[server][increment]") {
  const test::ScratchDirectory store;
  Training training(store.path(), StepMode::kAsynchronous, 5);
  Cluster& cluster = training.cluster();
  const absl::Status many = cluster.Checkpoint("a", {}, {.increments_max = 1001}).status();
  CHECK(absl::IsInvalidArgument(many));
  CHECK(Says(many, "increments_max 1001: want 0..1000"));
  const absl::Status format =
      cluster.Checkpoint("a", {}, {.increments_max = 1, .values = WireValues::kFloat16}).status();
  CHECK(absl::IsInvalidArgument(format));
  CHECK(Says(format, "want fp32, bf16 or int8"));
  CHECK(cluster.Checkpoint("a").ok());
}

}  // namespace
}  // namespace longtail
