// Method: the same commands on two streams, enqueued there and by a graph here; the memory must be
// the same.
#include <catch2/catch.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "support/alloc_count.h"
#include "worker/device/cpu_device.h"

namespace longtail::device {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);
constexpr std::uint32_t kCount = 50;
constexpr std::int32_t kSide = 5;

// Something of every command that a graph can hold.
struct Work {
  std::vector<std::uint64_t> keys = std::vector<std::uint64_t>(kCount);
  std::vector<std::uint64_t> sorted_keys = keys, unique = keys;
  std::vector<std::uint32_t> values = std::vector<std::uint32_t>(kCount);
  std::vector<std::uint32_t> sorted_values = values, lengths = values, sums = values,
                             places = values, counts = {0, 0};
  std::vector<float> x = std::vector<float>(kCount, 0.5F), y = x, copied = x, product = x;

  void Enqueue(Stream& stream) {
    stream.Sort({.keys = keys.data(),
                 .values = values.data(),
                 .sorted_keys = sorted_keys.data(),
                 .sorted_values = sorted_values.data(),
                 .count = kCount});
    stream.Fill(lengths.data(), 0, kCount * sizeof(lengths[0]));
    stream.FindRuns({.keys = sorted_keys.data(),
                     .unique = unique.data(),
                     .lengths = lengths.data(),
                     .run_count = counts.data(),
                     .count = kCount});
    stream.Sum({.values = lengths.data(), .sums = sums.data(), .count = kCount});
    stream.Pick({.flags = lengths.data(),
                 .places = places.data(),
                 .place_count = &counts[1],
                 .count = kCount});
    stream.Launch(AddCall{.x = x.data(), .y = y.data(), .count = kCount});
    stream.Copy(copied.data(), y.data(), kCount * sizeof(y[0]));
    stream.Multiply({.rows = kSide,
                     .columns = kSide,
                     .inner = kSide,
                     .a = x.data(),
                     .a_stride = kSide,
                     .b = copied.data(),
                     .b_stride = kSide,
                     .c = product.data(),
                     .c_stride = kSide});
  }

  // Other contents: what a step's copies bring.
  void Change(std::uint32_t step) {
    for (std::uint32_t i = 0; i < kCount; ++i) {
      keys[i] = (i * 7 + step) % 11;
      values[i] = i;
      x[i] = static_cast<float>(i + step);
    }
  }

  bool operator==(const Work&) const = default;
};

std::unique_ptr<Graph> Recorded(Stream& stream, Work& work) {
  REQUIRE(stream.BeginCapture().ok());
  work.Enqueue(stream);
  auto graph = stream.EndCapture();
  INFO(graph.status().ToString());
  REQUIRE(graph.ok());
  return *std::move(graph);
}

TEST_CASE("a graph does what its commands do, with what lies there when it is launched",
          "[device][graph]") {
  CpuDevice device({.streams = GENERATE(CpuStreams::kThreads, CpuStreams::kInline)});
  const auto plain = device.MakeStream({.name = "plain", .count_max = kCount}).value();
  const auto stream = device.MakeStream({.name = "by graph", .count_max = kCount}).value();
  Work want, got;
  const Work before = got;
  const std::unique_ptr<Graph> graph = Recorded(*stream, got);
  REQUIRE(stream->Finish(kLimit).ok());
  CHECK(got == before);  // What is recorded is not done.
  CHECK(graph->command_count() == 8);

  for (std::uint32_t step = 0; step < 5; ++step) {
    want.Change(step);
    got.Change(step);
    want.Enqueue(*plain);
    stream->Replay(*graph);
    REQUIRE(plain->Finish(kLimit).ok());
    REQUIRE(stream->Finish(kLimit).ok());
    CHECK(got == want);
  }
  CHECK_FALSE(got == before);
}

TEST_CASE("a launch of a graph allocates nothing, and is one command of the queue",
          "[device][graph]") {
  CpuDevice device({.streams = CpuStreams::kInline});
  const auto stream = device.MakeStream({.name = "s", .count_max = kCount}).value();
  Work work;
  work.Change(1);
  const std::unique_ptr<Graph> graph = Recorded(*stream, work);
  stream->Replay(*graph);

  if (!test::CountsAllocations()) {
    std::cout << "[skip] allocations cannot be counted here\n";
    return;
  }
  const std::uint64_t before = test::AllocationCount();
  for (int again = 0; again < 10; ++again) stream->Replay(*graph);
  CHECK(test::AllocationCount() == before);
}

TEST_CASE("commands before and behind a graph, and events, keep their order", "[device][graph]") {
  CpuDevice device({.streams = CpuStreams::kThreads});
  const auto one = device.MakeStream({.name = "one"}).value();
  const auto other = device.MakeStream({.name = "other"}).value();
  const auto doubled = device.MakeEvent("doubled").value();
  const auto taken = device.MakeEvent("taken").value();
  std::vector<float> x(5000, 1);
  REQUIRE(one->BeginCapture().ok());
  one->Launch(AddCall{.x = x.data(), .y = x.data(), .count = 5000});
  const auto graph = one->EndCapture().value();
  constexpr int kTimes = 20;
  std::vector<std::vector<float>> copies(kTimes, std::vector<float>(5000));

  for (std::vector<float>& copy : copies) {
    one->Replay(*graph);
    one->Record(*doubled);
    other->Wait(*doubled);
    other->Copy(copy.data(), x.data(), 5000 * sizeof(float));
    other->Record(*taken);
    one->Wait(*taken);
  }
  REQUIRE(one->Finish(kLimit).ok());
  REQUIRE(other->Finish(kLimit).ok());

  float want = 1;
  for (const std::vector<float>& copy : copies) {
    want *= 2;
    CHECK(copy == std::vector<float>(5000, want));
  }
}

TEST_CASE("events and waiting spoil a capture, and the stream goes on", "[device][graph]") {
  CpuDevice device({.streams = GENERATE(CpuStreams::kThreads, CpuStreams::kInline)});
  const auto stream = device.MakeStream({.name = "s", .count_max = 10}).value();
  const auto event = device.MakeEvent("e").value();
  REQUIRE(stream->BeginCapture().ok());
  std::string want;
  SECTION("a record") {
    stream->Record(*event);
    want = "stream 's': a record within a capture";
  }
  SECTION("a wait") {
    stream->Wait(*event);
    want = "stream 's': a wait within a capture";
  }
  SECTION("waiting") {
    CHECK_FALSE(stream->Finish(kLimit).ok());
    want = "stream 's': waiting within a capture";
  }
  SECTION("more items than there is room for") {
    stream->Sort({.count = 11});
    want = "stream 's': a sort of 11 items: the stream was made for at most 10";
  }
  std::vector<float> x(4, 1);
  stream->Launch(AddCall{.x = x.data(), .y = x.data(), .count = 4});

  CHECK(stream->EndCapture().status().message() == want);
  stream->Launch(AddCall{.x = x.data(), .y = x.data(), .count = 4});
  stream->Record(*event);
  CHECK(event->Await(kLimit).ok());
  CHECK(stream->Finish(kLimit).ok());
  CHECK(x == std::vector<float>(4, 2));
}

TEST_CASE("captures are begun and ended one at a time", "[device][graph]") {
  CpuDevice device({.streams = CpuStreams::kInline});
  const auto stream = device.MakeStream({.name = "s"}).value();

  CHECK(stream->EndCapture().status().message() == "stream 's': no capture was begun");
  REQUIRE(stream->BeginCapture().ok());
  CHECK(stream->BeginCapture().message() == "stream 's': a capture within a capture");
  CHECK(stream->EndCapture().value()->command_count() == 0);
  CHECK(absl::IsFailedPrecondition(stream->EndCapture().status()));
}

}  // namespace
}  // namespace longtail::device
