// Bounded staleness in one partition: pushes take effect at once, and its step is that of the
// slowest worker that has not left.
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "server/partition_core.h"
#include "server/request_builder.h"

namespace longtail::server {
namespace {

constexpr PartitionId kPartition{0};
constexpr TableId kTable{0};
constexpr std::uint32_t kWorkers = 3;
constexpr Key kKey = 4;

SessionId SessionOf(std::uint32_t rank) {
  return SessionId{100 + rank};
}

struct Partition {
  Partition() {
    REQUIRE(core.CreateTable(kTable, {.name = "t",
                                      .dim = 1,
                                      .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
                                      .initializer = ConstantSpec{.value = 3},
                                      .eviction = {.idle_steps = 2, .sweep_steps = 1}})
                .ok());
    for (std::uint32_t rank = 0; rank < kWorkers; ++rank) {
      REQUIRE(core.OpenSession(SessionOf(rank), rank).ok());
    }
  }
  absl::Status Push(std::uint32_t rank, std::uint64_t sequence, std::uint64_t step,
                    Key key = kKey) {
    return core.Push(test::MakePush(SessionOf(rank), step,
                                    {{.partition = kPartition,
                                      .table = kTable,
                                      .dim = 1,
                                      .sequence = sequence,
                                      .keys = {key},
                                      .gradients = {2}}}),
                     0, 1);
  }
  absl::Status End(std::uint32_t rank, std::uint64_t sequence, std::uint64_t step) {
    return core.Barrier(SessionOf(rank), sequence, step);
  }
  float Weight() const {
    sparse::RowView row;
    return core.table(kTable).Find(kKey, &row) ? row.values[0] : 3;
  }

  PartitionCore core{{.id = kPartition,
                      .partition_count = 1,
                      .step_mode = StepMode::kBoundedStaleness,
                      .worker_count = kWorkers}};
};

TEST_CASE("a push takes effect at once, whatever step its worker is in", "[server][bounded]") {
  Partition partition;
  CHECK(partition.Push(1, 0, 0).ok());
  CHECK(partition.Weight() == 1);
  CHECK(partition.End(1, 1, 0).ok());

  CHECK(partition.Push(1, 2, 1).ok());

  CHECK(partition.Weight() == -1);
  CHECK_FALSE(partition.core.has_unapplied_pushes());
  CHECK(partition.core.step() == 0);
}

TEST_CASE("a partition's step is that of its slowest worker", "[server][bounded]") {
  Partition partition;
  for (std::uint64_t step = 0; step < 5; ++step) CHECK(partition.End(0, step, step).ok());
  for (std::uint64_t step = 0; step < 3; ++step) CHECK(partition.End(1, step, step).ok());
  CHECK(partition.core.step() == 0);

  CHECK(partition.End(2, 0, 0).ok());
  CHECK(partition.core.step() == 1);
  CHECK(partition.End(2, 0, 0).ok());  // A repeat.
  CHECK(partition.core.step() == 1);
  partition.core.CloseSession(SessionOf(2));

  CHECK(partition.core.step() == 3);
  partition.core.CloseSession(SessionOf(1));
  CHECK(partition.core.step() == 5);
  partition.core.CloseSession(SessionOf(0));
  CHECK(partition.core.step() == 5);
}

TEST_CASE("a rank that never came holds the partition's step", "[server][bounded]") {
  PartitionCore core(
      {.id = kPartition, .step_mode = StepMode::kBoundedStaleness, .worker_count = 2});
  REQUIRE(core.OpenSession(SessionOf(0), 0).ok());

  CHECK(core.Barrier(SessionOf(0), 0, 0).ok());
  CHECK(core.step() == 0);
  REQUIRE(core.OpenSession(SessionOf(1), 1).ok());
  CHECK(core.step() == 0);
  CHECK(core.Barrier(SessionOf(1), 0, 0).ok());

  CHECK(core.step() == 1);
}

TEST_CASE("a worker that takes a left rank begins with the slowest's step", "[server][bounded]") {
  Partition partition;
  partition.core.CloseSession(SessionOf(2));
  for (std::uint64_t step = 0; step < 4; ++step) CHECK(partition.End(0, step, step).ok());
  CHECK(partition.End(1, 0, 0).ok());

  REQUIRE(partition.core.OpenSession(SessionId{55}, 2).ok());

  CHECK(partition.core.sessions().at(SessionId{55}).next_step == 1);
  CHECK(partition.End(1, 1, 1).ok());
  CHECK(partition.core.step() == 1);
}

TEST_CASE("a push or an end of another step than the worker's is refused in bounded mode, too",
          "[server][bounded]") {
  Partition partition;

  const absl::Status push = partition.Push(1, 0, 1);
  const absl::Status end = partition.End(1, 1, 1);

  CHECK(absl::IsInvalidArgument(push));
  CHECK(std::string(push.message()).find("push of step 1 by worker 1: want step 0") !=
        std::string::npos);
  CHECK(absl::IsInvalidArgument(end));
  CHECK(partition.Weight() == 3);
}

TEST_CASE("rows are swept as the slowest worker ends steps", "[server][bounded]") {
  Partition partition;
  CHECK(partition.Push(0, 0, 0).ok());
  std::uint64_t sequence = 1;
  for (std::uint64_t step = 0; step < 4; ++step) {
    CHECK(partition.End(0, sequence++, step).ok());
    CHECK(partition.Push(0, sequence++, step + 1, 77).ok());
  }
  CHECK(partition.core.table(kTable).row_count() == 2);  // Four steps idle, for worker 0 alone.

  for (const std::uint32_t rank : {1U, 2U}) {
    for (std::uint64_t step = 0; step < 3; ++step) CHECK(partition.End(rank, step, step).ok());
  }

  CHECK(partition.core.step() == 3);
  CHECK(partition.core.table(kTable).row_count() == 1);
  CHECK(partition.core.table(kTable).Statistics().evicted_idle == 1);
}

}  // namespace
}  // namespace longtail::server
