// What a cluster and a worker refuse, and what they say then.
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::ExactSpec;
using test::Must;
using test::Says;

TEST_CASE("an option of a cluster that is wrong is named", "[server][cluster]") {
  const auto check = [](const ClusterOptions& options, const std::string& says) {
    const absl::Status status = Cluster::Embedded(options).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(Says(status, says));
  };

  check({.lanes = 0}, "lanes 0: want 1..256");
  check({.lanes = 257, .partitions = 512}, "lanes 257: want 1..256");
  check({.partitions = 0}, "partitions 0: want a power of two");
  check({.partitions = 48}, "partitions 48: want a power of two");
  check({.partitions = 131072}, "partitions 131072: want a power of two, 1..65536");
  check({.lanes = 4, .partitions = 2}, "partitions 2: want at least 4, the number of lanes");
  check({.workers = 0}, "workers 0: want 1..4096");
  check({.workers = 4097}, "workers 4097: want 1..4096");
  check({.control_timeout = std::chrono::milliseconds(0)}, "control_timeout");
  check({.checkpoint_timeout = std::chrono::milliseconds(-1)}, "checkpoint_timeout");
  check({.store = "s3:bucket"}, "scheme 's3'");
}

TEST_CASE("tables have one spec a name", "[server][cluster]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 4}));
  const TableId users = Must(cluster->CreateTable(ExactSpec("users", 2)));
  const TableId items = Must(cluster->CreateTable(ExactSpec("items", 3)));

  CHECK(users == TableId{0});
  CHECK(items == TableId{1});
  CHECK(Must(cluster->CreateTable(ExactSpec("users", 2))) == users);
  CHECK(Must(cluster->FindTable("items")) == items);
  const absl::Status other = cluster->CreateTable(ExactSpec("users", 4)).status();
  CHECK(absl::IsAlreadyExists(other));
  CHECK(Says(other, "table 'users' exists with another spec"));
  CHECK(absl::IsInvalidArgument(cluster->CreateTable(ExactSpec("Users", 4)).status()));
  const absl::Status missing = cluster->FindTable("clicks").status();
  CHECK(absl::IsNotFound(missing));
  CHECK(Says(missing, "table 'clicks': this cluster has [users, items]"));
  CHECK(absl::IsNotFound(cluster->Statistics(TableId{2}).status()));
}

TEST_CASE("no more workers connect than the cluster has room for", "[server][cluster]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 4, .workers = 2}));
  auto first = Must(cluster->Connect());
  const auto second = Must(cluster->Connect());
  CHECK(first->rank() == 0);
  CHECK(second->rank() == 1);

  const absl::Status third = cluster->Connect().status();

  CHECK(absl::IsResourceExhausted(third));
  CHECK(Says(third, "all 2 workers of this cluster are connected"));
  first.reset();
  CHECK(Must(cluster->Connect())->rank() == 0);
}

TEST_CASE("a worker's times must be more than nothing", "[server][cluster]") {
  const auto cluster = Must(Cluster::Embedded({.partitions = 4}));

  CHECK(absl::IsInvalidArgument(
      cluster->Connect({.timeout = std::chrono::milliseconds(0)}).status()));
  CHECK(absl::IsInvalidArgument(
      cluster->Connect({.retry_after = std::chrono::milliseconds(0)}).status()));
  CHECK(cluster->Connect().ok());
}

TEST_CASE("a worker names what is wrong with a call", "[server][worker]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 4}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("users", 2)));
  const auto worker = Must(cluster->Connect());
  KeyBatch batch;
  Must(worker->Prepare(table, std::vector<Key>{5, 6, 5}, batch));
  std::vector<float> rows(4);
  std::vector<float> few(3);
  std::vector<std::uint32_t> one_count(1);

  const absl::Status no_table = worker->Prepare(TableId{1}, std::vector<Key>{1}, batch);
  CHECK(absl::IsNotFound(no_table));
  CHECK(Says(no_table, "table 1: this cluster has 1 tables"));
  CHECK(absl::IsNotFound(worker->Table(TableId{1}).status()));
  CHECK(Must(worker->Table(table)) == ExactSpec("users", 2));
  const PullItem short_pull{.keys = &batch, .rows = few};
  const absl::Status pull = worker->Pull({&short_pull, 1});
  CHECK(absl::IsInvalidArgument(pull));
  CHECK(Says(pull, "table 'users': 3 floats for 2 keys: want 4"));
  const PullItem counts_pull{.keys = &batch, .rows = rows, .counts = one_count};
  CHECK(Says(worker->Pull({&counts_pull, 1}), "1 counts for 2 keys"));
  const PushItem short_push{.keys = &batch, .gradients = few};
  CHECK(absl::IsInvalidArgument(worker->Push({&short_push, 1})));
  const PullItem no_keys{.keys = nullptr, .rows = rows};
  CHECK(Says(worker->Pull({&no_keys, 1}), "item without keys"));
  const KeyBatch empty;
  const PushItem not_prepared{.keys = &empty, .gradients = rows};
  CHECK(Says(worker->Push({&not_prepared, 1}), "item without keys"));
  CHECK(absl::IsInvalidArgument(worker->Pull(table, std::vector<Key>{1, 2}, few)));
  CHECK(absl::IsInvalidArgument(worker->Push(table, std::vector<Key>{1, 2}, few)));
  CHECK(absl::IsNotFound(worker->Pull(TableId{3}, std::vector<Key>{1, 2}, rows)));
}

TEST_CASE("a push's rate scale must be a number", "[server][worker]") {
  const auto cluster = Must(Cluster::Embedded({.partitions = 4}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("users", 1)));
  const auto worker = Must(cluster->Connect());
  const float scale =
      GENERATE(std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> gradient = {1};

  const absl::Status status =
      worker->Push(table, std::vector<Key>{4}, gradient, {.learning_rate_scale = scale});

  CHECK(absl::IsInvalidArgument(status));
  CHECK(Says(status, "learning_rate_scale"));
  CHECK(test::Rows(*worker, table, {4}, 1) == std::vector<float>{3});
}

TEST_CASE("keys prepared by another cluster's worker are refused", "[server][worker]") {
  const auto home = Must(Cluster::Embedded({.partitions = 4}));
  const auto other = Must(Cluster::Embedded({.partitions = 8}));
  const auto same = Must(Cluster::Embedded({.partitions = 4}));
  Must(home->CreateTable(ExactSpec("a", 1)));
  const TableId second = Must(home->CreateTable(ExactSpec("b", 1)));
  Must(other->CreateTable(ExactSpec("a", 1)));
  Must(other->CreateTable(ExactSpec("b", 1)));
  const auto worker = Must(home->Connect());
  KeyBatch batch;
  Must(worker->Prepare(second, std::vector<Key>{1}, batch));
  std::vector<float> row(1);
  const PullItem item{.keys = &batch, .rows = row};

  const absl::Status partitions = Must(other->Connect())->Pull({&item, 1});
  const absl::Status table = Must(same->Connect())->Pull({&item, 1});
  Must(same->CreateTable(ExactSpec("a", 1)));
  Must(same->CreateTable(ExactSpec("b", 2)));
  const absl::Status dim = Must(same->Connect())->Pull({&item, 1});

  CHECK(absl::IsInvalidArgument(partitions));
  CHECK(Says(partitions, "table 'b': keys prepared for 4 partitions: want 8"));
  CHECK(absl::IsNotFound(table));
  CHECK(absl::IsInvalidArgument(dim));
}

TEST_CASE("a call past its deadline says what it waited for", "[server][worker]") {
  const auto cluster =
      Must(Cluster::Embedded({.partitions = 4, .step_mode = StepMode::kSynchronous, .workers = 2}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("users", 1)));
  const auto worker = Must(cluster->Connect());
  const auto idle = Must(cluster->Connect());
  Must(worker->EndStep());
  std::vector<float> row(1);

  const absl::Status status =
      worker->Pull(table, std::vector<Key>{4}, row, {.timeout = std::chrono::milliseconds(20)});

  CHECK(absl::IsDeadlineExceeded(status));
  CHECK(Says(status, "pull of 1 keys: no answer from lane 0"));
  CHECK(Says(status, "a pull waits for every worker's step"));
}

TEST_CASE("a checkpoint needs a store, a good name and no step under way", "[server][checkpoint]") {
  const test::ScratchDirectory directory;
  const auto bare = Must(Cluster::Embedded({.partitions = 4}));
  CHECK(absl::IsFailedPrecondition(bare->Checkpoint("a").status()));
  const auto cluster = Must(Cluster::Embedded(
      {.partitions = 4, .step_mode = StepMode::kSynchronous, .store = directory.path()}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("users", 1)));
  const std::string name = GENERATE("", "a/b", ".hidden", "a b", "..");
  CHECK(absl::IsInvalidArgument(cluster->Checkpoint(name).status()));
  const auto worker = Must(cluster->Connect());
  Must(worker->Push(table, std::vector<Key>{4}, std::vector<float>{1}));

  const absl::Status status = cluster->Checkpoint("a").status();

  CHECK(absl::IsFailedPrecondition(status));
  CHECK(Says(status, "which has not ended: take it between steps"));
  Must(worker->EndStep());
  CHECK(cluster->Checkpoint("a").ok());
}

}  // namespace
}  // namespace longtail
