// The ledger sees what is wrong: it judges the simulations, so it is judged here.
#include "sim/ledger.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace longtail::sim {
namespace {

constexpr SessionId kSlow{1};
constexpr SessionId kFast{2};
constexpr PartitionId kPartition{0};
const RowName kRow{0, 77};

struct Fixture {
  explicit Fixture(StepMode mode = StepMode::kBoundedStaleness, std::uint32_t staleness = 2) {
    map.step_mode = mode;
    map.staleness = staleness;
    ledger.Came(kSlow, 0);
    ledger.Came(kFast, 0);
  }
  // A worker pushes 5, and ends its step.
  void Step(SessionId session, std::uint64_t step) {
    ledger.Pushed(session, ++call, step, kPartition, {{kRow, 5}});
    ledger.EndedStep(session);
  }
  bool MayShow(std::uint64_t step, std::optional<std::uint64_t> staleness, std::vector<float> row) {
    return ledger.CheckPull(step, staleness, {{kRow, std::move(row)}}).empty();
  }

  ClusterMap map;
  Ledger ledger{map};
  std::uint64_t call = 0;
};

TEST_CASE("a pull must be as fresh as it says, and that within the bound", "[sim][ledger]") {
  Fixture fixture;
  for (std::uint64_t step = 0; step < 3; ++step) fixture.Step(kFast, step);
  fixture.Step(kSlow, 0);

  CHECK(fixture.MayShow(3, 2, {-7, -17}));         // Both steps 0.
  CHECK(fixture.MayShow(3, 2, {-17, -37}));        // All that was pushed.
  CHECK_FALSE(fixture.MayShow(3, 2, {-2, -7}));    // One of steps 0 lacks.
  CHECK_FALSE(fixture.MayShow(3, 2, {-22, -47}));  // One counts twice.
  CHECK_FALSE(fixture.MayShow(3, 2, {-17, -36}));  // A row torn.
  CHECK_FALSE(fixture.MayShow(3, 1, {-17, -37}));  // The slow one has not ended step 1.
  CHECK_FALSE(fixture.MayShow(4, 3, {-17, -37}));  // Beyond the bound.
  CHECK_FALSE(fixture.MayShow(3, std::nullopt, {-17, -37}));
  fixture.ledger.Left(kSlow);
  CHECK(fixture.MayShow(3, 1, {-17, -37}));
}

TEST_CASE("a synchronous pull shows all steps before its own, and nothing of them that follow",
          "[sim][ledger]") {
  Fixture fixture(StepMode::kSynchronous, 0);
  fixture.Step(kFast, 0);
  fixture.Step(kSlow, 0);
  fixture.Step(kFast, 1);

  CHECK(fixture.MayShow(1, 0, {-7}));
  CHECK_FALSE(fixture.MayShow(1, 0, {-2}));
  CHECK_FALSE(fixture.MayShow(1, 0, {-12}));
  CHECK_FALSE(fixture.MayShow(2, 0, {-12}));  // The slow one is in step 1.
}

TEST_CASE("a partition holds each push once, and of a dead worker's the first ones",
          "[sim][ledger]") {
  Fixture fixture;
  fixture.ledger.Pushed(kFast, 1, 0, kPartition, {{kRow, 5}});
  fixture.ledger.Pushed(kFast, 2, 0, kPartition, {{kRow, 7}, {{0, 78}, 1}});
  fixture.ledger.Pushed(kFast, 3, 0, kPartition, {{kRow, 9}});
  fixture.ledger.Pushed(kFast, 3, 0, PartitionId{1}, {{{0, 79}, 9}});
  fixture.ledger.Pushed(kSlow, 1, 0, kPartition, {{kRow, 100}});
  const auto may_hold = [&](const FoundRows& rows) {
    return fixture.ledger.MayHold(kPartition, rows);
  };
  const FoundRows all = {{kRow, {121, 8}}, {{0, 78}, {1, 2}}};
  const FoundRows two = {{kRow, {112, 6}}, {{0, 78}, {1, 2}}};
  const FoundRows one = {{kRow, {105, 4}}};
  CHECK(may_hold(all));
  CHECK_FALSE(may_hold(two));

  fixture.ledger.Died(kFast);
  CHECK(may_hold(all));
  CHECK(may_hold(two));
  CHECK(may_hold(one));
  CHECK(may_hold({{kRow, {100, 2}}}));
  CHECK_FALSE(may_hold({}));
  CHECK_FALSE(may_hold({{kRow, {109, 4}}}));  // The last one alone.
  CHECK_FALSE(may_hold({{kRow, {112, 6}}}));  // Half of a push.
  CHECK_FALSE(may_hold({{kRow, {112, 7}}, {{0, 78}, {1, 2}}}));
  fixture.ledger.Acknowledged(kFast, 2);

  CHECK(may_hold(all));
  CHECK(may_hold(two));
  CHECK_FALSE(may_hold(one));
}

}  // namespace
}  // namespace longtail::sim
