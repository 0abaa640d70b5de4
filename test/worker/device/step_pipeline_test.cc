#include "worker/device/step_pipeline.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "worker/device/cpu_device.h"
#include "worker/device/key_segments.h"
#include "worker/device/range_trace.h"
#include "worker/device/step_room.h"

namespace longtail::device {
namespace {

constexpr std::uint32_t kRowDim = 5;

StepLimits SmallLimits() {
  return {.examples = 40, .fields = 3, .numbers = 2, .keys = 300, .row_dim = kRowDim};
}

std::unique_ptr<StepPipeline> MakePipeline(Device& device, const StepPipeline::Options& options) {
  auto pipeline = StepPipeline::Make(device, options);
  INFO(pipeline.status().ToString());
  REQUIRE(pipeline.ok());
  return *std::move(pipeline);
}

// Different keys, ascending.
std::vector<std::uint64_t> DrawKeys(Rng& rng, std::uint32_t below) {
  std::vector<std::uint64_t> keys;
  for (std::uint64_t key = 0; key < below; ++key) {
    if (rng.Below(3) != 0) keys.push_back(key);
  }
  return keys;
}

// The row of a key as the servers have it at a step.
float RowFloat(std::uint64_t key, std::uint32_t step, std::uint32_t column) {
  return static_cast<float>(key * 1000 + step * 10 + column);
}

// A model whose row gradients are twice the rows.
void EnqueueTwice(Stream& stream, const StepRoom& room) {
  const std::uint32_t floats = room.shape().unique * kRowDim;
  float* const twice = room.device().row_gradients;
  stream.Copy(twice, room.device().rows, floats * sizeof(float));
  stream.Launch(AddCall{.x = room.device().rows, .y = twice, .count = floats});
}

TEST_CASE("segments have each key's positions in their order", "[device][step]") {
  Rng rng(1);
  for (std::uint32_t keys = 0; keys < 200; keys += 7) {
    CAPTURE(keys);
    const auto unique = static_cast<std::uint32_t>(keys == 0 ? 0 : 1 + rng.Below(keys));
    std::vector<std::uint32_t> inverse(keys), begins(unique + 1), positions(keys);
    for (std::uint32_t& key : inverse) key = static_cast<std::uint32_t>(rng.Below(unique));

    FindSegments(inverse, begins, positions);

    std::vector<std::uint32_t> want_begins{0}, want_positions;
    for (std::uint32_t key = 0; key < unique; ++key) {
      for (std::uint32_t i = 0; i < keys; ++i) {
        if (inverse[i] == key) want_positions.push_back(i);
      }
      want_begins.push_back(static_cast<std::uint32_t>(want_positions.size()));
    }
    CHECK(begins == want_begins);
    CHECK(positions == want_positions);
  }
}

TEST_CASE("a room's arrays lie apart, within its memory and alike on both sides",
          "[device][step]") {
  CpuDevice device({.streams = CpuStreams::kInline});
  StepLimits limits = SmallLimits();
  limits.has_cache = GENERATE(false, true);
  limits.is_rounded = GENERATE(false, true);
  const auto room = StepRoom::Make(device, "room", limits).value();
  Rng rng(2);
  for (int i = 0; i < 50; ++i) {
    StepShape shape;
    shape.examples = static_cast<std::uint32_t>(1 + rng.Below(limits.examples));
    shape.keys = static_cast<std::uint32_t>(rng.Below(limits.keys + 1));
    shape.unique = static_cast<std::uint32_t>(rng.Below(shape.keys + 1));
    shape.has_offsets = rng.Below(2) == 0;
    shape.has_values = shape.has_offsets && rng.Below(2) == 0;
    REQUIRE(room->Begin(shape).ok());

    const StepArrays& host = room->host();
    CHECK((host.offsets != nullptr) == shape.has_offsets);
    CHECK((host.values != nullptr) == shape.has_values);
    CHECK((host.keys != nullptr) == limits.has_cache);
    CHECK((room->sent_rows() == room->device().rows) == !limits.has_cache);
    CHECK(room->loss_parts() == 1);
    // Each array with a number of its own: none may have another's. Sanitizers see the rest.
    const auto fill = [](auto* array, std::size_t count, int number) {
      if (array != nullptr) {
        std::fill_n(array, count, static_cast<std::remove_reference_t<decltype(*array)>>(number));
      }
    };
    const auto is_filled = [](const auto* array, std::size_t count, int number) {
      return array == nullptr || std::all_of(array, array + count, [&](auto value) {
               return static_cast<int>(value) == number;
             });
    };
    const auto each = [&](const auto& f) {
      const std::size_t floats = std::size_t{shape.unique} * kRowDim;
      f(host.keys, shape.unique, 1);
      f(host.labels, shape.examples, 2);
      f(host.numbers, shape.examples * limits.numbers, 3);
      f(host.offsets, shape.examples * limits.fields + 1, 4);
      f(host.values, shape.keys, 5);
      f(host.inverse, shape.keys, 6);
      f(host.positions, shape.keys, 7);
      f(host.begins, shape.unique + 1, 8);
      f(host.unique_count, 1, 9);
      f(&host.scalars->learning_rate, 1, 15);
      f(host.ranks, shape.unique, 10);
      f(host.rows, floats, 11);
      f(host.row_gradients, floats, 12);
      f(host.logits, shape.examples, 13);
      f(host.losses, 1, 14);
    };
    each(fill);
    each([&](const auto* array, std::size_t count, int number) {
      CAPTURE(number);
      CHECK(is_filled(array, count, number));
    });
  }
}

TEST_CASE("steps of about as many keys have the same places, where bounds are rounded",
          "[device][step]") {
  CpuDevice device({.streams = CpuStreams::kInline});
  StepLimits limits{.examples = 40, .fields = 3, .keys = 3000, .row_dim = kRowDim};
  const auto exact = StepRoom::Make(device, "room", limits).value();
  limits.is_rounded = true;
  const auto room = StepRoom::Make(device, "room", limits).value();
  const StepShape shape{.examples = 40, .keys = 2000, .unique = 1000};
  StepShape more = shape;
  more.unique = 1020;
  REQUIRE(room->Begin(shape).ok());
  const StepArrays host = room->host(), there = room->device();
  REQUIRE(room->Begin(more).ok());

  CHECK(room->shape() == more);
  CHECK(room->host().rows == host.rows);
  CHECK(room->host().unique_count == host.unique_count);
  CHECK(room->device().row_gradients == there.row_gradients);
  CHECK(room->device().scalars == there.scalars);
  CHECK(room->bounds() == StepShape{.examples = 40, .keys = 2048, .unique = 1024});
  REQUIRE(exact->Begin(more).ok());
  CHECK(exact->bounds() == more);
  for (std::uint32_t keys = 0; keys <= limits.keys; ++keys) {
    REQUIRE(room->Begin({.examples = 1, .keys = keys, .unique = keys / 2}).ok());
    const StepShape& bounds = room->bounds();
    const bool is_near = bounds.keys >= keys && bounds.keys <= keys + keys / 8 &&
                         bounds.keys <= limits.keys && bounds.unique >= keys / 2 &&
                         bounds.unique <= bounds.keys;
    if (!is_near) FAIL(keys << " keys: room for " << bounds.keys << ", " << bounds.unique);
  }
}

TEST_CASE("a step beyond a room's limits and a room without any are refused", "[device][step]") {
  CpuDevice device({.streams = CpuStreams::kInline});
  const auto room = StepRoom::Make(device, "room", SmallLimits()).value();
  CHECK(room->Begin({.examples = 41}).message() ==
        "a step of 41 examples: the device has room for 40");
  CHECK(room->Begin({.examples = 4, .keys = 301}).message() ==
        "a step of 301 keys: the device has room for 300");
  CHECK(absl::IsResourceExhausted(room->Begin({.examples = 4, .keys = 30, .unique = 31})));

  StepLimits limits = SmallLimits();
  limits.row_dim = 0;
  CHECK(StepRoom::Make(device, "room", limits).status().message() ==
        "a step's row_dim 0: want 1..4096");
  limits = SmallLimits();
  limits.keys = kItemsMax;
  CHECK(absl::IsInvalidArgument(StepRoom::Make(device, "room", limits).status()));
  CHECK(absl::IsInvalidArgument(
      StepPipeline::Make(device, {.limits = SmallLimits(), .room_count = 0}).status()));
}

TEST_CASE("each of several steps in flight computes on its own rows", "[device][step]") {
  CpuDevice device({.streams = GENERATE(CpuStreams::kThreads, CpuStreams::kInline)});
  const auto rooms = GENERATE(as<std::uint32_t>(), 1, 2, 4);
  CAPTURE(rooms);
  const auto pipeline = MakePipeline(device, {.limits = SmallLimits(), .room_count = rooms});
  Rng rng(3);
  std::vector<std::vector<std::uint64_t>> keys;
  const auto check = [&](std::uint32_t step) {
    StepRoom& room = pipeline->room(step % rooms);
    REQUIRE(pipeline->Await(room).ok());
    bool is_right = true;
    for (std::uint32_t i = 0; i < room.shape().unique * kRowDim; ++i) {
      const float want = 2 * RowFloat(keys[step][i / kRowDim], step, i % kRowDim);
      is_right &= room.host().row_gradients[i] == want;
    }
    CHECK(is_right);
  };
  constexpr std::uint32_t kSteps = 60;
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    if (step >= rooms) check(step - rooms);
    keys.push_back(DrawKeys(rng, 300));
    StepRoom& room = pipeline->room(step % rooms);
    const auto unique = static_cast<std::uint32_t>(keys[step].size());
    REQUIRE(room.Begin({.examples = 10, .keys = unique, .unique = unique}).ok());
    for (std::uint32_t i = 0; i < unique * kRowDim; ++i) {
      room.host().rows[i] = RowFloat(keys[step][i / kRowDim], step, i % kRowDim);
    }
    pipeline->SendInputs(room);
    pipeline->SendRows(room, unique);
    EnqueueTwice(pipeline->compute(), room);
    pipeline->Return(room);
  }
  for (std::uint32_t step = kSteps - rooms; step < kSteps; ++step) check(step);
  CHECK(pipeline->Finish().ok());
}

// The cache is so large that no row leaves: a map of when each was fetched says all.
TEST_CASE("rows of a cache are those that were fetched, and as old as allowed", "[device][step]") {
  CpuDevice device({.streams = CpuStreams::kThreads});
  const auto age_max = GENERATE(as<std::uint32_t>(), 0, 1, 3);
  CAPTURE(age_max);
  const auto pipeline = MakePipeline(
      device,
      {.limits = SmallLimits(), .room_count = 2, .cache_rows = 1 << 16, .cache_age_max = age_max});
  Rng rng(4);
  std::map<std::uint64_t, std::uint32_t> fetched;
  std::uint64_t hits = 0;
  for (std::uint32_t step = 1; step <= 40; ++step) {
    const std::vector<std::uint64_t> keys = DrawKeys(rng, 300);
    const auto unique = static_cast<std::uint32_t>(keys.size());
    StepRoom& room = pipeline->room(step % 2);
    REQUIRE(room.Begin({.examples = 1, .keys = unique, .unique = unique}).ok());
    std::ranges::copy(keys, room.host().keys);
    *room.host().unique_count = unique;
    std::vector<std::uint32_t> want_missed;
    for (std::uint32_t i = 0; i < unique; ++i) {
      const auto there = fetched.find(keys[i]);
      if (there == fetched.end() || step - there->second > age_max) want_missed.push_back(i);
    }

    pipeline->SendInputs(room);
    const auto missed = pipeline->FindMissed(room, step);
    REQUIRE(missed.ok());
    REQUIRE(std::vector<std::uint32_t>(missed->begin(), missed->end()) == want_missed);
    hits += unique - want_missed.size();
    std::fill_n(room.host().ranks, unique, 0U);
    for (std::uint32_t j = 0; j < want_missed.size(); ++j) {  // In another order than the keys'.
      const auto rank = static_cast<std::uint32_t>(want_missed.size() - 1 - j);
      const std::uint64_t key = keys[want_missed[j]];
      room.host().ranks[want_missed[j]] = rank;
      fetched[key] = step;
      for (std::uint32_t column = 0; column < kRowDim; ++column) {
        room.host().rows[rank * kRowDim + column] = RowFloat(key, step, column);
      }
    }
    pipeline->SendRows(room, static_cast<std::uint32_t>(want_missed.size()));
    EnqueueTwice(pipeline->compute(), room);
    pipeline->Return(room);
    REQUIRE(pipeline->Await(room).ok());

    bool is_right = true;
    for (std::uint32_t i = 0; i < unique * kRowDim; ++i) {
      const std::uint64_t key = keys[i / kRowDim];
      const float want = 2 * RowFloat(key, fetched[key], i % kRowDim);
      is_right &= room.host().row_gradients[i] == want;
    }
    CHECK(is_right);
  }
  const auto counters = pipeline->CountersOfCache();
  REQUIRE(counters.ok());
  CHECK(counters->hits == hits);
  CHECK((counters->hits > 0) == (age_max > 0));
  CHECK(counters->evicted == 0);
}

TEST_CASE("the stages of a step are told, each by its name", "[device][step][trace]") {
  CpuDevice device({.streams = CpuStreams::kThreads});
  RangeTrace trace;
  const auto pipeline = MakePipeline(
      device, {.limits = SmallLimits(), .room_count = 1, .cache_rows = 64, .trace = &trace});
  CHECK(pipeline->ranges().profiler == nullptr);  // A CPU has none.
  StepRoom& room = pipeline->room(0);
  REQUIRE(room.Begin({.examples = 1}).ok());
  *room.host().unique_count = 0;
  pipeline->SendInputs(room);
  REQUIRE(pipeline->FindMissed(room, 1).ok());
  pipeline->SendRows(room, 0);
  pipeline->Return(room);
  REQUIRE(pipeline->Await(room).ok());

  std::vector<std::string> names;
  for (const TracedRange& range : trace.ranges()) {
    names.push_back(range.name);
    CHECK(range.depth == 0);
  }
  CHECK(names == std::vector<std::string>{"inputs in", "find missed rows", "rows in", "results out",
                                          "wait for results"});
}

TEST_CASE("a stream's error is told by who awaits a step", "[device][step]") {
  CpuDevice device({.streams = CpuStreams::kThreads});
  const auto pipeline = MakePipeline(device, {.limits = SmallLimits(), .room_count = 1});
  StepRoom& room = pipeline->room(0);
  REQUIRE(room.Begin({.examples = 1}).ok());
  pipeline->SendInputs(room);
  pipeline->SendRows(room, 0);
  pipeline->compute().Sort({.count = 301});
  pipeline->Return(room);

  CHECK(pipeline->Await(room).message() ==
        "stream 'compute': a sort of 301 items: the stream was made for at most 300");
  CHECK(absl::IsResourceExhausted(pipeline->Finish()));
  CHECK(pipeline->Finish().ok());
}

}  // namespace
}  // namespace longtail::device
