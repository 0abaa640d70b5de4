// Steps of several workers through the public API.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "server/cluster_fixture.h"

namespace longtail {
namespace {

using test::ExactSpec;
using test::Must;
using test::Rows;

std::unique_ptr<Cluster> Synchronous(std::uint32_t workers) {
  return Must(Cluster::Embedded(
      {.lanes = 2, .partitions = 4, .step_mode = StepMode::kSynchronous, .workers = workers}));
}

TEST_CASE("a pull of a step sees every worker's pushes of the steps before it", "[server][step]") {
  const auto cluster = Synchronous(2);
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto a = Must(cluster->Connect());
  const auto b = Must(cluster->Connect());
  Must(a->Push(table, std::vector<Key>{1}, std::vector<float>{5}));
  CHECK(Rows(*a, table, {1}, 1) == std::vector<float>{3});
  Must(a->EndStep());
  CHECK(a->step() == 1);

  KeyBatch batch;
  Must(a->Prepare(table, std::vector<Key>{1}, batch));
  std::vector<float> row(1);
  const PullItem item{.keys = &batch, .rows = row};
  Pending pull = a->PullAsync({&item, 1});
  CHECK_FALSE(pull.done());
  Must(b->Push(table, std::vector<Key>{1}, std::vector<float>{20}));
  Must(b->EndStep());
  Must(pull.Wait());

  CHECK(row == std::vector<float>{-22});
}

TEST_CASE("the others go on when a worker leaves", "[server][step]") {
  const auto cluster = Synchronous(2);
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto a = Must(cluster->Connect());
  auto b = Must(cluster->Connect());
  Must(a->Push(table, std::vector<Key>{1}, std::vector<float>{5}));
  Must(a->EndStep());

  b.reset();

  CHECK(Rows(*a, table, {1}, 1) == std::vector<float>{-2});
}

TEST_CASE("a worker that takes a left rank goes on with the step under way", "[server][step]") {
  const auto cluster = Synchronous(2);
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto a = Must(cluster->Connect());
  Must(cluster->Connect()).reset();
  for (int i = 0; i < 3; ++i) Must(a->EndStep());
  CHECK(Rows(*a, table, {1}, 1) == std::vector<float>{3});

  const auto c = Must(cluster->Connect());

  CHECK(c->rank() == 1);
  CHECK(c->step() == 3);
  Must(c->Push(table, std::vector<Key>{1}, std::vector<float>{4}));
  Must(c->EndStep());
  Must(a->EndStep());
  CHECK(Rows(*a, table, {1}, 1) == std::vector<float>{-1});
}

TEST_CASE("a dropped pull writes nothing more", "[server][step]") {
  const auto cluster = Synchronous(2);
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto a = Must(cluster->Connect());
  const auto b = Must(cluster->Connect());
  Must(a->EndStep());
  KeyBatch batch;
  Must(a->Prepare(table, std::vector<Key>{1}, batch));
  std::vector<float> row = {-9};
  {
    const PullItem item{.keys = &batch, .rows = row};
    const Pending dropped = a->PullAsync({&item, 1});
  }

  Must(b->EndStep());
  Rows(*b, table, {1}, 1);

  CHECK(row == std::vector<float>{-9});
}

TEST_CASE("a worker that leaves writes into no pull's memory any more", "[server][step]") {
  const auto cluster = Synchronous(2);
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  auto a = Must(cluster->Connect({.timeout = std::chrono::milliseconds(100)}));
  const auto b = Must(cluster->Connect());
  Must(a->EndStep());
  KeyBatch batch;
  Must(a->Prepare(table, std::vector<Key>{1}, batch));
  auto row = std::make_unique<std::vector<float>>(1, -9.0F);
  const PullItem item{.keys = &batch, .rows = *row};
  Pending pull = a->PullAsync({&item, 1}, {.timeout = std::chrono::seconds(60)});

  a.reset();
  CHECK(absl::IsCancelled(pull.Wait()));
  Must(b->EndStep());
  Rows(*b, table, {1}, 1);

  CHECK(*row == std::vector<float>{-9});
}

TEST_CASE("a push counts in asynchronous mode whatever the step", "[server][step]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 4}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  for (int i = 0; i < 4; ++i) {
    Must(worker->Push(table, std::vector<Key>{1}, std::vector<float>{2}));
    Must(worker->EndStep());
  }

  CHECK(worker->step() == 4);
  CHECK(Rows(*worker, table, {1}, 1) == std::vector<float>{-5});
}

}  // namespace
}  // namespace longtail
