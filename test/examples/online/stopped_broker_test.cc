// A joiner whose broker stands still: it goes on with what it has read, and nobody takes what it
// sends.
#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "examples/online/example_topic.h"
#include "examples/online/online_loop.h"
#include "longtail/checkpoint.h"

namespace longtail::examples {
namespace {

using test::kLoopWindowMs;
using test::Must;
using test::Program;
using test::ScratchDirectory;

TEST_CASE("a joiner's state waits for the brokers, and one that is killed then leaves no gap",
          "[online][process]") {
  const ScratchDirectory scratch;
  Program broker({LONGTAIL_ONLINE, "broker"});
  REQUIRE(broker.AwaitText("\n", absl::Seconds(20)));
  const std::string address = broker.said().substr(0, broker.said().find('\n'));
  const std::vector<Event> events = Must(MakeEvents(
      {.file = test::ImpressionsFile(scratch, 4000), .ms_per_unit = 43'200, .tick_ms = 60'000},
      kLoopWindowMs + 1000));
  const auto writer = Must(KafkaWriter::Open(address, {}, absl::Seconds(20)));
  std::set<std::string> ids;
  for (const Event& one : events) {
    Must(writer->Write(one));
    if (one.kind == EventKind::kImpression) ids.insert(one.id);
  }
  Must(writer->Flush(absl::Seconds(30)));

  const std::string store = scratch.path() + "/joiner";
  const std::int64_t until_ms = events.back().at_ms;
  const auto start = [&] {
    return std::make_unique<Program>(std::vector<std::string>{
        LONGTAIL_ONLINE, "join", "--brokers", address, "--store", store, "--window", "60",
        "--state_every", "100", "--until", std::to_string(until_ms)});
  };
  const auto states = [&] {
    const auto there = ListCheckpoints(store);
    return there.ok() ? there->size() : 0;
  };
  auto joiner = start();
  REQUIRE(Program::Await(absl::Seconds(30), [&] { return states() >= 5; }));
  broker.Send(SIGSTOP);
  absl::SleepFor(absl::Milliseconds(500));  // What the broker had taken is a state by then.
  const std::size_t before = states();
  CHECK(before < events.size() / 100);  // It has more to do,
  absl::SleepFor(absl::Milliseconds(1500));
  CHECK(states() == before);  // and does not say that it is done.
  joiner->Kill();
  broker.Send(SIGCONT);
  joiner = start();
  const bool has_ended = joiner->Wait(absl::Seconds(60)) == 0;
  INFO(joiner->said());
  REQUIRE(has_ended);
  CHECK(joiner->said().find("Resumed from") != std::string::npos);

  std::ostringstream out;
  const auto topic = Must(ExampleTopic::Open(address, "examples", absl::Seconds(20), out));
  std::size_t examples = 0;
  std::int64_t now_ms = 0;
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (now_ms < until_ms && absl::Now() < deadline) {
    const NextExamples next = Must(topic->Next());
    examples += next.examples.size();
    now_ms = next.now_ms.value_or(now_ms);
  }
  CHECK(now_ms == until_ms);
  CHECK(examples == ids.size());
}

}  // namespace
}  // namespace longtail::examples
