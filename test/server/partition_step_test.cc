// Synchronous steps in one partition: nothing is seen before all have ended them, and then all is
// applied in the order of ranks.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "server/partition_core.h"
#include "server/request_builder.h"

namespace longtail::server {
namespace {

constexpr PartitionId kPartition{0};
constexpr TableId kTable{0};
constexpr std::uint32_t kWorkers = 3;

SessionId SessionOf(std::uint32_t rank) {
  return SessionId{100 + rank};
}

struct Partition {
  explicit Partition(std::uint64_t max = std::numeric_limits<std::uint64_t>::max())
      : step_max(max) {
    // Adagrad: its result depends on the order of pushes.
    REQUIRE(core.CreateTable(kTable, {.name = "t",
                                      .dim = 2,
                                      .optimizer = {.rule = AdagradSpec{.learning_rate = 0.3F}},
                                      .initializer = ConstantSpec{.value = 0.7F}})
                .ok());
  }

  void OpenAll() {
    for (std::uint32_t rank = 0; rank < kWorkers; ++rank) {
      REQUIRE(core.OpenSession(SessionOf(rank), rank).ok());
    }
  }
  absl::Status Push(std::uint32_t rank, std::uint64_t sequence, std::uint64_t step) {
    const auto r = static_cast<float>(rank);
    const auto s = static_cast<float>(step);
    return core.Push(
        test::MakePush(SessionOf(rank), step,
                       {{.partition = kPartition,
                         .table = kTable,
                         .dim = 2,
                         .sequence = sequence,
                         .keys = {4, 900 + rank},
                         .gradients = {0.31F + r, 1.7F * r - 0.9F, 0.123F + s, 0.4F + r}}}),
        0, 1);
  }
  absl::Status End(std::uint32_t rank, std::uint64_t sequence, std::uint64_t step) {
    return core.Barrier(SessionOf(rank), sequence, step);
  }
  std::uint64_t Hash() const { return core.table(kTable).ContentHash(); }

  std::uint64_t step_max = std::numeric_limits<std::uint64_t>::max();
  PartitionCore core{{.id = kPartition,
                      .partition_count = 1,
                      .step_mode = StepMode::kSynchronous,
                      .worker_count = kWorkers,
                      .step_max = step_max}};
};

TEST_CASE("one that is to stop at a step holds what that left, whatever follows",
          "[server][step]") {
  Partition whole;
  Partition stopped(2);
  std::uint64_t want = 0;
  for (Partition* const partition : {&whole, &stopped}) {
    partition->OpenAll();
    // One worker is ahead of the others by two steps.
    for (std::uint64_t step = 0; step < 4; ++step) {
      CHECK(partition->Push(0, 2 * step, step).ok());
      CHECK(partition->End(0, 2 * step + 1, step).ok());
    }
    for (std::uint64_t step = 0; step < 3; ++step) {
      for (const std::uint32_t rank : {1U, 2U}) {
        CHECK(partition->Push(rank, 2 * step, step).ok());
        CHECK(partition->End(rank, 2 * step + 1, step).ok());
      }
      if (step == 1 && partition == &whole) want = whole.Hash();
    }
  }
  CHECK(whole.core.step() == 3);
  CHECK(whole.Hash() != want);
  CHECK(stopped.core.step() == 3);
  CHECK(stopped.core.applied_step() == 2);
  CHECK(stopped.Hash() == want);
  // When all leave, what they pushed since is applied: not here.
  for (std::uint32_t rank = 0; rank < kWorkers; ++rank) {
    stopped.core.CloseSession(SessionOf(rank));
  }
  CHECK(stopped.core.applied_step() == 2);
  CHECK(stopped.Hash() == want);
}

TEST_CASE("nothing of a step is seen before every worker has ended it", "[server][step]") {
  Partition partition;
  partition.OpenAll();
  const std::uint64_t before = partition.Hash();

  CHECK(partition.Push(0, 0, 0).ok());
  CHECK(partition.End(0, 1, 0).ok());
  CHECK(partition.Push(2, 0, 0).ok());
  CHECK(partition.End(2, 1, 0).ok());
  CHECK(partition.Push(1, 0, 0).ok());
  CHECK(partition.Hash() == before);
  CHECK(partition.core.step() == 0);
  CHECK(partition.core.has_unapplied_pushes());
  CHECK(partition.End(1, 1, 0).ok());

  CHECK(partition.Hash() != before);
  CHECK(partition.core.table(kTable).row_count() == 4);
  CHECK(partition.core.step() == 1);
  CHECK_FALSE(partition.core.has_unapplied_pushes());
}

TEST_CASE("a step's result does not depend on the order of arrival", "[server][step]") {
  // Each worker pushes twice and ends its step; all orders in which the nine can arrive that keep
  // each worker's own order are 1,680.
  std::array<std::uint32_t, 9> order = {0, 0, 0, 1, 1, 1, 2, 2, 2};
  std::uint64_t want = 0;
  std::size_t orders = 0;
  do {
    Partition partition;
    partition.OpenAll();
    std::array<std::uint64_t, kWorkers> next = {0, 0, 0};
    for (const std::uint32_t rank : order) {
      const std::uint64_t sequence = next[rank]++;
      const absl::Status status =
          sequence < 2 ? partition.Push(rank, sequence, 0) : partition.End(rank, sequence, 0);
      REQUIRE(status.ok());
    }
    REQUIRE(partition.core.step() == 1);
    if (orders++ == 0) want = partition.Hash();
    REQUIRE(partition.Hash() == want);
  } while (std::ranges::next_permutation(order).found);
  CHECK(orders == 1680);
}

TEST_CASE("pushes of a step are applied in the order of ranks", "[server][step]") {
  Partition partition;
  partition.OpenAll();
  for (const std::uint32_t rank : {2U, 0U, 1U}) {
    REQUIRE(partition.Push(rank, 0, 0).ok());
    REQUIRE(partition.End(rank, 1, 0).ok());
  }
  sparse::Table want(partition.core.table(kTable).spec());
  for (std::uint32_t rank = 0; rank < kWorkers; ++rank) {
    const auto r = static_cast<float>(rank);
    const std::vector<Key> keys = {4, 900 + rank};
    const std::vector<std::uint32_t> counts = {1, 1};
    const std::vector<float> gradients = {0.31F + r, 1.7F * r - 0.9F, 0.123F, 0.4F + r};
    want.Push(keys, counts, gradients, 0, 1);
  }

  CHECK(partition.Hash() == want.ContentHash());
}

TEST_CASE("a worker may be a step ahead, and its pushes wait for that step", "[server][step]") {
  Partition partition;
  partition.OpenAll();
  CHECK(partition.End(0, 0, 0).ok());
  CHECK(partition.Push(0, 1, 1).ok());
  CHECK(partition.End(0, 2, 1).ok());
  const std::uint64_t before = partition.Hash();

  CHECK(partition.End(1, 0, 0).ok());
  CHECK(partition.End(2, 0, 0).ok());
  CHECK(partition.core.step() == 1);
  CHECK(partition.Hash() == before);
  CHECK(partition.core.has_unapplied_pushes());
  CHECK(partition.End(1, 1, 1).ok());
  CHECK(partition.End(2, 1, 1).ok());

  CHECK(partition.core.step() == 2);
  CHECK(partition.Hash() != before);
}

TEST_CASE("a repeated end of a step ends it once", "[server][step]") {
  Partition partition;
  partition.OpenAll();
  CHECK(partition.End(0, 0, 0).ok());
  CHECK(partition.End(0, 0, 0).ok());
  CHECK(partition.End(1, 0, 0).ok());
  CHECK(partition.End(1, 0, 0).ok());

  CHECK(partition.core.step() == 0);
  CHECK(partition.core.sessions().at(SessionOf(0)).next_step == 1);
  CHECK(partition.End(2, 0, 0).ok());
  CHECK(partition.core.step() == 1);
}

TEST_CASE("an end of a step after a gap is refused", "[server][step]") {
  Partition partition;
  partition.OpenAll();

  const absl::Status status = partition.End(0, 1, 0);

  CHECK(absl::IsUnavailable(status));
  CHECK(std::string(status.message()).find("sequence 1: want 0 first") != std::string::npos);
  CHECK(partition.core.sessions().at(SessionOf(0)).next_step == 0);
}

TEST_CASE("a push or an end of another step than the worker's is refused", "[server][step]") {
  Partition partition;
  partition.OpenAll();
  CHECK(partition.End(1, 0, 0).ok());

  const absl::Status early = partition.Push(1, 1, 0);
  const absl::Status late = partition.Push(1, 2, 2);
  const absl::Status end = partition.End(1, 3, 2);

  CHECK(absl::IsInvalidArgument(early));
  CHECK(std::string(early.message()).find("push of step 0 by worker 1: want step 1") !=
        std::string::npos);
  CHECK(absl::IsInvalidArgument(late));
  CHECK(absl::IsInvalidArgument(end));
  CHECK(std::string(end.message()).find("end of step 2 by worker 1: want step 1") !=
        std::string::npos);
  CHECK(partition.End(1, 4, 1).ok());  // Each used up its sequence.
}

TEST_CASE("a closed session no longer holds steps up", "[server][step]") {
  Partition partition;
  partition.OpenAll();
  CHECK(partition.Push(0, 0, 0).ok());
  CHECK(partition.End(0, 1, 0).ok());
  CHECK(partition.End(1, 0, 0).ok());
  CHECK(partition.core.step() == 0);

  partition.core.CloseSession(SessionOf(2));

  CHECK(partition.core.step() == 1);
  CHECK(partition.core.table(kTable).row_count() == 2);
  CHECK(partition.End(0, 2, 1).ok());
  CHECK(partition.End(1, 1, 1).ok());
  CHECK(partition.core.step() == 2);
}

TEST_CASE("a rank that never came holds steps up", "[server][step]") {
  Partition partition;
  for (std::uint32_t rank = 0; rank < 2; ++rank) {
    REQUIRE(partition.core.OpenSession(SessionOf(rank), rank).ok());
    CHECK(partition.End(rank, 0, 0).ok());
  }
  CHECK(partition.core.step() == 0);

  REQUIRE(partition.core.OpenSession(SessionOf(2), 2).ok());
  CHECK(partition.core.step() == 0);
  CHECK(partition.End(2, 0, 0).ok());

  CHECK(partition.core.step() == 1);
}

TEST_CASE("a worker that takes a left rank begins with the step under way", "[server][step]") {
  Partition partition;
  partition.OpenAll();
  partition.core.CloseSession(SessionOf(1));
  CHECK(partition.End(0, 0, 0).ok());
  CHECK(partition.End(2, 0, 0).ok());
  CHECK(partition.core.step() == 1);

  REQUIRE(partition.core.OpenSession(SessionId{55}, 1).ok());

  CHECK(partition.core.sessions().at(SessionId{55}).next_step == 1);
  CHECK(partition.End(0, 1, 1).ok());
  CHECK(partition.End(2, 1, 1).ok());
  CHECK(partition.core.step() == 1);
  CHECK(partition.core.Barrier(SessionId{55}, 0, 1).ok());
  CHECK(partition.core.step() == 2);
}

TEST_CASE("a rank that is taken again does not stand in for one that never came",
          "[server][step]") {
  Partition partition;
  REQUIRE(partition.core.OpenSession(SessionOf(0), 0).ok());
  REQUIRE(partition.core.OpenSession(SessionOf(1), 1).ok());
  partition.core.CloseSession(SessionOf(1));
  REQUIRE(partition.core.OpenSession(SessionId{55}, 1).ok());

  CHECK(partition.End(0, 0, 0).ok());
  CHECK(partition.core.Barrier(SessionId{55}, 0, 0).ok());

  CHECK(partition.core.step() == 0);
}

TEST_CASE("steps stand still while all workers are gone", "[server][step]") {
  Partition partition;
  partition.OpenAll();
  for (std::uint32_t rank = 0; rank < kWorkers; ++rank) {
    partition.core.CloseSession(SessionOf(rank));
  }

  CHECK(partition.core.step() == 0);
}

TEST_CASE("what workers that all left had pushed and ended counts, whoever left first",
          "[server][step]") {
  std::array<std::uint32_t, kWorkers> order = {0, 1, 2};
  std::uint64_t want = 0;
  do {
    CAPTURE(order);
    Partition partition;
    partition.OpenAll();
    // Worker 1 ends two steps, worker 2 one, worker 0 none and leaves in the midst of it.
    CHECK(partition.Push(0, 0, 0).ok());
    CHECK(partition.Push(1, 0, 0).ok());
    CHECK(partition.End(1, 1, 0).ok());
    CHECK(partition.Push(1, 2, 1).ok());
    CHECK(partition.End(1, 3, 1).ok());
    CHECK(partition.Push(1, 4, 2).ok());
    CHECK(partition.End(2, 0, 0).ok());

    for (const std::uint32_t rank : order) partition.core.CloseSession(SessionOf(rank));

    CHECK(partition.core.step() == 2);
    CHECK_FALSE(partition.core.has_unapplied_pushes());
    CHECK(partition.core.table(kTable).row_count() == 3);
    if (want == 0) want = partition.Hash();
    CHECK(partition.Hash() == want);
  } while (std::ranges::next_permutation(order).found);
}

TEST_CASE("what a worker that left had pushed waits for a rank that never came", "[server][step]") {
  Partition partition;
  REQUIRE(partition.core.OpenSession(SessionOf(0), 0).ok());
  CHECK(partition.Push(0, 0, 0).ok());
  CHECK(partition.End(0, 1, 0).ok());

  partition.core.CloseSession(SessionOf(0));

  CHECK(partition.core.step() == 0);
  CHECK(partition.core.has_unapplied_pushes());
}

TEST_CASE("a worker that begins later is not waited for before", "[server][step]") {
  Partition partition;
  partition.OpenAll();
  partition.core.CloseSession(SessionOf(2));
  REQUIRE(partition.core.OpenSession(SessionId{55}, 2).ok());
  CHECK(partition.Push(0, 0, 0).ok());
  CHECK(partition.End(0, 1, 0).ok());
  CHECK(partition.End(1, 0, 0).ok());
  CHECK(partition.core.step() == 0);

  // Elsewhere step 0 had ended when it came.
  REQUIRE(partition.core.OpenSession(SessionId{55}, 2, 1).ok());
  CHECK(partition.core.step() == 1);
  CHECK_FALSE(partition.core.has_unapplied_pushes());
  const std::uint64_t position = partition.core.log_position();
  REQUIRE(partition.core.OpenSession(SessionId{55}, 2, 1).ok());
  REQUIRE(partition.core.OpenSession(SessionId{55}, 2).ok());

  CHECK(partition.core.log_position() == position);
  CHECK(partition.core.sessions().at(SessionId{55}).next_step == 1);
  CHECK(partition.core.Barrier(SessionId{55}, 0, 1).ok());
}

TEST_CASE("a session may be opened at a step that has not come yet", "[server][step]") {
  Partition partition;

  REQUIRE(partition.core.OpenSession(SessionOf(0), 0, 7).ok());

  CHECK(partition.core.sessions().at(SessionOf(0)).next_step == 7);
}

TEST_CASE("sessions go on from a step that was imported", "[server][step]") {
  Partition partition;
  partition.core.ImportStep(40);
  partition.OpenAll();

  CHECK(partition.End(0, 0, 40).ok());
  CHECK(partition.End(1, 0, 40).ok());
  CHECK(partition.End(2, 0, 40).ok());

  CHECK(partition.core.step() == 41);
}

}  // namespace
}  // namespace longtail::server
