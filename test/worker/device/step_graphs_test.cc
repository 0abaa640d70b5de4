#include "worker/device/step_graphs.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "worker/device/checked_device.h"
#include "worker/device/cpu_device.h"

namespace longtail::device {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);

// A step that adds what lies in x: numbers that differ from step to step.
struct Steps {
  explicit Steps(Device& device, std::size_t graphs_max = StepGraphs::kGraphsMax)
      : stream(device.MakeStream({.name = "s"}).value()), graphs(graphs_max) {}

  // Returns whether the step's commands were enqueued, or recorded.
  bool Do(const StepKind& kind, float number) {
    x = number;
    bool is_enqueued = false;
    graphs.Run(*stream, kind, [&] {
      is_enqueued = true;
      stream->Launch(AddCall{.x = &x, .y = &sum, .count = 1});
    });
    REQUIRE(stream->Finish(kLimit).ok());
    want += number;
    CHECK(sum == want);
    return is_enqueued;
  }

  std::unique_ptr<Stream> stream;
  StepGraphs graphs;
  float x = 0, sum = 0, want = 0;
};

TEST_CASE("the second step of a kind is recorded, and those that follow are launched by it",
          "[device][graph]") {
  CpuDevice device({.streams = GENERATE(CpuStreams::kThreads, CpuStreams::kInline)});
  Steps steps(device);
  CHECK(steps.Do({}, 1));
  CHECK(steps.Do({}, 20));
  CHECK_FALSE(steps.Do({}, 300));
  CHECK_FALSE(steps.Do({}, 4000));

  const GraphCounters& counters = steps.graphs.counters();
  CHECK(counters.captures == 1);
  CHECK(counters.replays == 3);
  CHECK(counters.commands == 3);
  CHECK(counters.plain_steps == 1);
  CHECK(steps.graphs.problem().empty());
}

TEST_CASE("whatever decides the commands makes another kind", "[device][graph]") {
  CpuDevice device({});
  Steps steps(device);
  const StepKind kind{.room = 1, .bounds = {.examples = 5, .keys = 9}, .scales = {1, 2}};
  std::vector<StepKind> others(8, kind);
  others[0].room = 2;
  others[1].bounds.examples = 6;
  others[2].bounds.keys = 10;
  others[3].bounds.unique = 1;
  others[4].bounds.has_offsets = true;
  others[5].bounds.has_values = true;
  others[6].scales[0] = 2;
  others[7].scales[1] = 3;
  for (float number = 1; number < 4; ++number) steps.Do(kind, number);

  for (const StepKind& other : others) {
    CHECK(steps.Do(other, 1));
    CHECK(steps.Do(other, 2));
    CHECK_FALSE(steps.Do(other, 3));
    CHECK_FALSE(steps.Do(kind, 4));
  }
  CHECK(steps.graphs.counters().captures == 9);
}

TEST_CASE("graphs are kept for so many kinds, and steps of others are done by their commands",
          "[device][graph]") {
  CpuDevice device({});
  Steps steps(device, /*graphs_max=*/3);
  for (int again = 0; again < 4; ++again) {
    for (std::uint64_t room = 0; room < 100; ++room) steps.Do({.room = room}, 1);
  }
  CHECK(steps.graphs.counters().captures == 0);  // Each was forgotten before it came again.

  for (std::uint64_t room = 0; room < 5; ++room) {
    steps.Do({.room = room}, 1);
    steps.Do({.room = room}, 2);
    CHECK(steps.Do({.room = room}, 3) == (room >= 3));
  }
  CHECK(steps.graphs.counters().captures == 3);
  CHECK(steps.graphs.problem().empty());
}

TEST_CASE("a device that records nothing does steps by their commands, and that is said",
          "[device][graph]") {
  CheckedDevice device;
  Steps steps(device);
  for (float number = 1; number < 5; ++number) CHECK(steps.Do({}, number));

  CHECK(steps.graphs.problem() ==
        "no graphs, steps are launched command by command: this device records no commands");
  CHECK(steps.graphs.counters().plain_steps == 4);
  CHECK(steps.graphs.counters().replays == 0);
}

TEST_CASE("a capture that is spoilt leaves all steps to their commands, none lost or done twice",
          "[device][graph]") {
  CpuDevice device({});
  const auto stream = device.MakeStream({.name = "s"}).value();
  const auto event = device.MakeEvent("e").value();
  StepGraphs graphs;
  float x = 1, sum = 0;
  for (int step = 1; step <= 4; ++step) {
    graphs.Run(*stream, {}, [&] {
      stream->Launch(AddCall{.x = &x, .y = &sum, .count = 1});
      stream->Record(*event);
    });
    REQUIRE(stream->Finish(kLimit).ok());
    CHECK(sum == static_cast<float>(step));
  }

  CHECK(graphs.problem() ==
        "no graphs, steps are launched command by command: stream 's': a record within a capture");
  CHECK(graphs.counters().captures == 0);
  CHECK(graphs.counters().plain_steps == 4);
}

}  // namespace
}  // namespace longtail::device
