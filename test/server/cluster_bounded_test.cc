// Bounded staleness through the public API.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::ExactSpec;
using test::Must;
using test::Rows;
using test::Says;

ClusterOptions Bounded(std::uint32_t staleness, std::uint32_t workers = 2) {
  return {.lanes = 2,
          .partitions = 4,
          .step_mode = StepMode::kBoundedStaleness,
          .staleness = staleness,
          .workers = workers};
}

// Pulls one key, and says whether that took waiting for others.
class OneRow {
 public:
  OneRow(Worker& worker, TableId table) {
    Must(worker.Prepare(table, std::vector<Key>{1}, batch_));
    const PullItem item{.keys = &batch_, .rows = row_};
    pull_ = worker.PullAsync({&item, 1});
  }
  Pending& pull() { return pull_; }
  float weight() const { return row_[0]; }

 private:
  KeyBatch batch_;
  std::vector<float> row_ = {-99};
  Pending pull_;
};

// A pull that must wait is found not to be answered when a later one, of the slow worker and to
// the same lane, is.
bool Blocks(OneRow& row, Worker& slow, TableId table) {
  Rows(slow, table, {1}, 1);
  return !row.pull().done();
}

TEST_CASE("the fast worker blocks exactly when it is more than the bound ahead",
          "[server][bounded]") {
  const std::uint32_t staleness = GENERATE(0U, 1U, 4U);
  CAPTURE(staleness);
  const auto cluster = Must(Cluster::Embedded(Bounded(staleness)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto fast = Must(cluster->Connect());
  const auto slow = Must(cluster->Connect());
  for (std::uint32_t step = 0; step < staleness; ++step) {
    Must(fast->Push(table, std::vector<Key>{1}, std::vector<float>{2}));
    Must(fast->EndStep());
    CHECK(Rows(*fast, table, {1}, 1)[0] == 3 - 2 * static_cast<float>(step + 1));
  }
  for (std::uint32_t round = 0; round < 3; ++round) {
    CAPTURE(round);
    Must(fast->EndStep());
    OneRow ahead(*fast, table);
    CHECK(Blocks(ahead, *slow, table));
    Must(slow->Push(table, std::vector<Key>{1}, std::vector<float>{5}));
    CHECK(Blocks(ahead, *slow, table));
    Must(slow->EndStep());
    Must(ahead.pull().Wait());
    CHECK(ahead.weight() ==
          3 - 2 * static_cast<float>(staleness) - 5 * static_cast<float>(round + 1));
  }
  CHECK(fast->step() == staleness + 3);
  CHECK(slow->step() == 3);

  WorkerStatistics want;
  for (std::uint32_t step = 0; step < staleness; ++step) want.pulls_by_staleness[step + 1] = 1;
  want.pulls_by_staleness[staleness] += 3;
  CHECK(fast->statistics() == want);
}

TEST_CASE("a pull past its deadline says how near it waits for others to come",
          "[server][bounded]") {
  const auto cluster = Must(Cluster::Embedded(Bounded(1)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("users", 1)));
  const auto fast = Must(cluster->Connect());
  const auto slow = Must(cluster->Connect());
  Must(fast->EndStep());
  Must(fast->EndStep());
  std::vector<float> row(1);

  const absl::Status status =
      fast->Pull(table, std::vector<Key>{4}, row, {.timeout = std::chrono::milliseconds(20)});

  CHECK(absl::IsDeadlineExceeded(status));
  CHECK(Says(status, "pull of 1 keys: no answer from lane "));
  CHECK(Says(status,
             "in bounded mode a pull waits for every worker to come within 1 step of its own, 2"));
  Must(slow->EndStep());
  Must(fast->Pull(table, std::vector<Key>{4}, row));
}

TEST_CASE("the others go on when the slowest worker leaves", "[server][bounded]") {
  const auto cluster = Must(Cluster::Embedded(Bounded(1)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto fast = Must(cluster->Connect());
  auto slow = Must(cluster->Connect());
  Must(slow->Push(table, std::vector<Key>{1}, std::vector<float>{7}));
  for (int i = 0; i < 2; ++i) Must(fast->EndStep());
  OneRow waiting(*fast, table);
  CHECK(Blocks(waiting, *slow, table));

  slow.reset();

  Must(waiting.pull().Wait());
  CHECK(waiting.weight() == -4);
  for (int i = 0; i < 10; ++i) Must(fast->EndStep());
  CHECK(Rows(*fast, table, {1}, 1)[0] == -4);
}

TEST_CASE("a worker that never came is waited for", "[server][bounded]") {
  const auto cluster = Must(Cluster::Embedded(Bounded(0)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto first = Must(cluster->Connect());
  Must(first->EndStep());
  OneRow waiting(*first, table);
  const auto second = Must(cluster->Connect());
  CHECK(Blocks(waiting, *second, table));

  Must(second->EndStep());

  Must(waiting.pull().Wait());
}

TEST_CASE("a worker that takes a left rank begins where the slowest is, everywhere",
          "[server][bounded]") {
  const auto cluster = Must(Cluster::Embedded(Bounded(3)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto a = Must(cluster->Connect());
  Must(cluster->Connect()).reset();
  for (int i = 0; i < 5; ++i) Must(a->EndStep());

  const auto b = Must(cluster->Connect());

  CHECK(b->rank() == 1);
  CHECK(b->step() == 5);
  for (int i = 0; i < 3; ++i) Must(a->EndStep());
  Rows(*a, table, {1}, 1);
  Must(a->EndStep());
  OneRow waiting(*a, table);
  CHECK(Blocks(waiting, *b, table));
  Must(b->EndStep());
  Must(waiting.pull().Wait());
}

TEST_CASE("staleness beyond its limit, or in another mode, is refused with its value",
          "[server][bounded]") {
  ClusterOptions options = Bounded(kStalenessMax);
  CHECK(Cluster::Embedded(options).ok());
  options.staleness = kStalenessMax + 1;
  const absl::Status high = Cluster::Embedded(options).status();
  options.staleness = 3;
  options.step_mode = GENERATE(StepMode::kAsynchronous, StepMode::kSynchronous);
  const absl::Status other = Cluster::Embedded(options).status();

  CHECK(high == absl::InvalidArgumentError("staleness 1000001: want 0..1000000"));
  CHECK(other ==
        absl::InvalidArgumentError("staleness 3: want 0, or a step_mode of bounded staleness"));
}

TEST_CASE(
    "a checkpoint within a step has all that was applied, and steps go on from the furthest "
    "partition's",
    "[server][bounded]") {
  const test::ScratchDirectory directory;
  ClusterOptions options = Bounded(2);
  options.store = directory.path();
  const auto saved = Must(Cluster::Embedded(options));
  const TableId table = Must(saved->CreateTable(ExactSpec("t", 1)));
  const auto a = Must(saved->Connect());
  const auto b = Must(saved->Connect());
  Must(a->Push(table, std::vector<Key>{1}, std::vector<float>{2}));
  Must(a->EndStep());
  Must(a->EndStep());
  Must(b->EndStep());
  Must(a->Push(table, std::vector<Key>{1}, std::vector<float>{5}));

  const CheckpointInfo info = Must(saved->Checkpoint("within"));
  CHECK(info.step == 1);
  const auto restored = Must(Cluster::Restore(options, info.name));

  const auto c = Must(restored->Connect());
  const auto d = Must(restored->Connect());
  CHECK(c->step() == 1);
  for (int i = 0; i < 2; ++i) Must(c->EndStep());
  CHECK(Rows(*c, table, {1}, 1) == std::vector<float>{-4});
  Must(c->EndStep());
  OneRow waiting(*c, table);
  CHECK(Blocks(waiting, *d, table));
}

TEST_CASE("in synchronous mode a pull for the next step is one step stale, another not at all",
          "[server][bounded]") {
  const auto cluster =
      Must(Cluster::Embedded({.partitions = 4, .step_mode = StepMode::kSynchronous}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  std::vector<float> row(1);
  for (int i = 0; i < 3; ++i) {
    Must(worker->Pull(table, std::vector<Key>{1}, row, {.steps_ahead = 1}));
    Must(worker->EndStep());
  }
  Must(worker->Pull(table, std::vector<Key>{1}, row));
  Must(worker->Pull(table, std::vector<Key>{1}, row, {.steps_ahead = std::nullopt}));

  WorkerStatistics want;
  want.pulls_by_staleness[0] = 1;
  want.pulls_by_staleness[1] = 3;
  CHECK(worker->statistics() == want);
}

}  // namespace
}  // namespace longtail
